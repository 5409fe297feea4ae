//! `if-let`, `if-some`, `when-let`, `when-some` and `when-first`: a value that is bound if there is one.

use super::bindings::Bindings;
use super::{Compiler, if_node, nil};
use crate::error::{Position, Result, invalid};
use crate::form::{Form, FormKind};
use crate::node::Node;

/// Which values are bound.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    /// Those that count as true.
    IsTrue,
    /// All but nil.
    IsSome,
}

/// The name under which the body of a `when-first` finds the items.
const WHEN_FIRST_ITEMS: &str = "when-first/items";

impl Compiler {
    pub(super) fn if_let(&mut self, position: Position, args: &[Form], tail: bool) -> Result<Node> {
        self.if_bound("if-let", Test::IsTrue, position, args, tail)
    }

    pub(super) fn if_some(&mut self, position: Position, args: &[Form], tail: bool) -> Result<Node> {
        self.if_bound("if-some", Test::IsSome, position, args, tail)
    }

    pub(super) fn when_let(&mut self, position: Position, args: &[Form], tail: bool) -> Result<Node> {
        self.when_bound("when-let", Test::IsTrue, position, args, tail)
    }

    pub(super) fn when_some(&mut self, position: Position, args: &[Form], tail: bool) -> Result<Node> {
        self.when_bound("when-some", Test::IsSome, position, args, tail)
    }

    fn when_bound(
        &mut self,
        name: &str,
        test: Test,
        position: Position,
        args: &[Form],
        tail: bool,
    ) -> Result<Node> {
        let (binding, body) =
            args.split_first().ok_or_else(|| invalid(format!("`{name}` takes a binding")))?;
        let args = [binding.clone(), Form::call(position, "do", body.to_vec())];
        self.if_bound(name, test, position, &args, tail)
    }

    fn if_bound(
        &mut self,
        name: &str,
        test: Test,
        position: Position,
        args: &[Form],
        tail: bool,
    ) -> Result<Node> {
        let (binding, then, otherwise) = match args {
            [binding, then] => (binding, then, None),
            [binding, then, otherwise] => (binding, then, Some(otherwise)),
            _ => return Err(invalid(format!("`{name}` takes a binding, a then and perhaps an else"))),
        };
        let pair = match &binding.kind {
            FormKind::Vector(pair) => pair.as_slice(),
            _ => &[],
        };
        let [pattern, value] = pair else {
            let detail = format!("`{name}` takes a vector of one name and one value");
            return Err(invalid(detail).at(binding.position));
        };
        let value = self.node(value, false)?;
        let otherwise = otherwise.map_or(Ok(nil()), |form| self.node(form, tail))?;
        let slot = self.scopes.add_unnamed_slot();
        let outer_names = self.scopes.name_count();
        let mut bindings = Bindings::new();
        self.bind(pattern, Node::Local(slot), &mut bindings)?;
        let then = Node::Let(bindings, Box::new(self.node(then, tail)?));
        self.scopes.forget_names_since(outer_names);
        let test = match test {
            Test::IsTrue => Node::Local(slot),
            Test::IsSome => self.builtin_call(position, "some?", vec![Node::Local(slot)])?,
        };
        Ok(Node::Let(vec![(slot, value)], Box::new(if_node(test, then, otherwise))))
    }

    pub(super) fn when_first(&mut self, position: Position, args: &[Form], tail: bool) -> Result<Node> {
        let detail = "`when-first` takes a vector of one name and one collection";
        let Some((Form { kind: FormKind::Vector(pair), position: opened }, body)) = args.split_first() else {
            return Err(invalid(detail));
        };
        let [pattern, collection] = pair.as_slice() else {
            return Err(invalid(detail).at(*opened));
        };
        let items = Form::symbol(position, WHEN_FIRST_ITEMS);
        let seq = Form::call(position, "seq", [collection.clone()]);
        let first = Form::call(position, "first", [items]);
        let bindings = Form::new(position, FormKind::Vector(vec![pattern.clone(), first]));
        let then = Form::call(position, "let", [bindings].into_iter().chain(body.iter().cloned()));
        let value = self.node(&seq, false)?;
        let outer_names = self.scopes.name_count();
        let slot = self.scopes.add_name(WHEN_FIRST_ITEMS);
        let then = self.node(&then, tail)?;
        self.scopes.forget_names_since(outer_names);
        Ok(Node::Let(vec![(slot, value)], Box::new(if_node(Node::Local(slot), then, nil()))))
    }
}
