//! `->` and its kin: a value handed from call to call.

use super::binding::is_plain;
use super::{Compiler, choice};
use crate::error::{Position, R, limit, wrong};
use crate::form::{Form, What};
use crate::node::Node;

/// Where the value goes.
#[derive(Clone, Copy)]
enum Place {
    First,
    Last,
}

impl Place {
    /// The step as a call with the value in it.
    fn put(self, step: &Form, value: Form) -> Form {
        let forms = match (&step.what, self) {
            (What::List(forms), Self::First) if !forms.is_empty() => {
                forms[..1].iter().cloned().chain([value]).chain(forms[1..].iter().cloned()).collect()
            }
            (What::List(forms), Self::Last) if !forms.is_empty() => {
                forms.iter().cloned().chain([value]).collect()
            }
            _ => vec![step.clone(), value],
        };
        Form::new(step.at, What::List(forms))
    }
}

fn few(steps: &[Form]) -> R<()> {
    if steps.len() > 100 { Err(limit("a value is threaded through at most 100 steps")) } else { Ok(()) }
}

impl Compiler {
    pub(super) fn thread_first(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        self.thread(Place::First, args, tail)
    }

    pub(super) fn thread_last(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        self.thread(Place::Last, args, tail)
    }

    fn thread(&mut self, place: Place, args: &[Form], tail: bool) -> R<Node> {
        let (first, steps) = args.split_first().ok_or_else(|| wrong("a value is needed to thread"))?;
        few(steps)?;
        let form = steps.iter().fold(first.clone(), |value, step| place.put(step, value));
        self.node(&form, tail)
    }

    pub(super) fn some_first(&mut self, _: Position, args: &[Form], _: bool) -> R<Node> {
        self.some(Place::First, args)
    }

    pub(super) fn some_last(&mut self, _: Position, args: &[Form], _: bool) -> R<Node> {
        self.some(Place::Last, args)
    }

    /// Until a step gives nil.
    fn some(&mut self, place: Place, args: &[Form]) -> R<Node> {
        let (first, steps) = args.split_first().ok_or_else(|| wrong("a value is needed to thread"))?;
        let mark = self.scopes.mark();
        let held = self.scopes.add(HELD);
        let mut node = self.node(first, false)?;
        few(steps)?;
        for step in steps {
            let value = Form::symbol(step.at, HELD);
            let is_nil = self.builtin(step.at, "nil?", vec![Node::Local(held)])?;
            let next = self.node(&place.put(step, value), false)?;
            node = Node::Let(vec![(held, node)], Box::new(choice(is_nil, super::nil(), next)));
        }
        self.scopes.back_to(mark);
        Ok(node)
    }

    pub(super) fn cond_first(&mut self, _: Position, args: &[Form], _: bool) -> R<Node> {
        self.conditional(Place::First, args)
    }

    pub(super) fn cond_last(&mut self, _: Position, args: &[Form], _: bool) -> R<Node> {
        self.conditional(Place::Last, args)
    }

    /// Through the steps whose tests are true.
    fn conditional(&mut self, place: Place, args: &[Form]) -> R<Node> {
        let (first, clauses) = args.split_first().ok_or_else(|| wrong("a value is needed to thread"))?;
        if !clauses.len().is_multiple_of(2) {
            return Err(wrong("this takes pairs of a test and a step, and here the last test has none"));
        }
        few(clauses)?;
        let first = self.node(first, false)?;
        let mark = self.scopes.mark();
        let held = self.scopes.add(HELD);
        let mut binds = vec![(held, first)];
        for clause in clauses.chunks_exact(2) {
            let test = self.node(&clause[0], false)?;
            let value = Form::symbol(clause[1].at, HELD);
            let next = self.node(&place.put(&clause[1], value), false)?;
            binds.push((held, choice(test, next, Node::Local(held))));
        }
        self.scopes.back_to(mark);
        Ok(Node::Let(binds, Box::new(Node::Local(held))))
    }

    pub(super) fn thread_as(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        let [first, name, steps @ ..] = args else {
            return Err(wrong("`as->` takes a value and a name, then steps"));
        };
        let Some(name) = name.name().filter(|name| is_plain(name)) else {
            return Err(wrong("`as->` takes a name after its value").at(name.at));
        };
        few(steps)?;
        let mark = self.scopes.mark();
        let first = self.node(first, false)?;
        let mut binds = vec![(self.scopes.add(name), first)];
        let Some((last, before)) = steps.split_last() else {
            let held = binds[0].0;
            self.scopes.back_to(mark);
            return Ok(Node::Let(binds, Box::new(Node::Local(held))));
        };
        for step in before {
            let node = self.node(step, false)?;
            binds.push((self.scopes.add(name), node));
        }
        let body = self.node(last, tail)?;
        self.scopes.back_to(mark);
        Ok(Node::Let(binds, Box::new(body)))
    }
}

/// What the value is called while it is handed on: no formula can name it.
const HELD: &str = "loanhook/held";
