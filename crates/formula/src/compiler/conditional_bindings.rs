//! `if-let` and its kin: a value bound where there is one.

use super::binding::Binds;
use super::{Compiler, choice, nil};
use crate::error::{Position, R, wrong};
use crate::form::{Form, What};
use crate::node::Node;

impl Compiler {
    pub(super) fn if_let(&mut self, at: Position, args: &[Form], tail: bool) -> R<Node> {
        self.bound_choice("if-let", at, args, tail, false)
    }

    pub(super) fn if_some(&mut self, at: Position, args: &[Form], tail: bool) -> R<Node> {
        self.bound_choice("if-some", at, args, tail, true)
    }

    pub(super) fn when_let(&mut self, at: Position, args: &[Form], tail: bool) -> R<Node> {
        let (binding, body) = args.split_first().ok_or_else(|| wrong("`when-let` takes a binding"))?;
        let args = [binding.clone(), Form::call(at, "do", body.to_vec())];
        self.bound_choice("when-let", at, &args, tail, false)
    }

    pub(super) fn when_some(&mut self, at: Position, args: &[Form], tail: bool) -> R<Node> {
        let (binding, body) = args.split_first().ok_or_else(|| wrong("`when-some` takes a binding"))?;
        let args = [binding.clone(), Form::call(at, "do", body.to_vec())];
        self.bound_choice("when-some", at, &args, tail, true)
    }

    fn bound_choice(&mut self, name: &str, at: Position, args: &[Form], tail: bool, some: bool) -> R<Node> {
        let (binding, then, otherwise) = match args {
            [binding, then] => (binding, then, None),
            [binding, then, otherwise] => (binding, then, Some(otherwise)),
            _ => return Err(wrong(format!("`{name}` takes a binding, a then and perhaps an else"))),
        };
        let What::Vector(pair) = &binding.what else {
            return Err(wrong(format!("`{name}` takes a vector of one name and one value")).at(binding.at));
        };
        let [pattern, value] = pair.as_slice() else {
            return Err(wrong(format!("`{name}` takes a vector of one name and one value")).at(binding.at));
        };
        let value = self.node(value, false)?;
        let otherwise = otherwise.map_or(Ok(nil()), |form| self.node(form, tail))?;
        let place = self.scopes.unnamed();
        let mark = self.scopes.mark();
        let mut binds = Binds::new();
        self.bind(pattern, Node::Local(place), &mut binds)?;
        let then = Node::Let(binds, Box::new(self.node(then, tail)?));
        self.scopes.back_to(mark);
        let test =
            if some { self.builtin(at, "some?", vec![Node::Local(place)])? } else { Node::Local(place) };
        Ok(Node::Let(vec![(place, value)], Box::new(choice(test, then, otherwise))))
    }

    pub(super) fn when_first(&mut self, at: Position, args: &[Form], tail: bool) -> R<Node> {
        let Some((Form { what: What::Vector(pair), at: bound }, body)) = args.split_first() else {
            return Err(wrong("`when-first` takes a vector of one name and one collection"));
        };
        let [pattern, of] = pair.as_slice() else {
            return Err(wrong("`when-first` takes a vector of one name and one collection").at(*bound));
        };
        let hidden = Form::symbol(at, "when-first/items");
        let seq = Form::call(at, "seq", [of.clone()]);
        let first = Form::call(at, "first", [hidden]);
        let inner = Form::new(at, What::Vector(vec![pattern.clone(), first]));
        let inner = Form::call(at, "let", [inner].into_iter().chain(body.iter().cloned()));
        let value = self.node(&seq, false)?;
        let mark = self.scopes.mark();
        let place = self.scopes.add("when-first/items");
        let then = self.node(&inner, tail)?;
        self.scopes.back_to(mark);
        Ok(Node::Let(vec![(place, value)], Box::new(choice(Node::Local(place), then, nil()))))
    }
}
