//! Threading macros (`->`, `->>`, `some->`, `cond->`, `as->`): a value that is handed from call to call.

use super::bindings::is_unqualified;
use super::{Compiler, if_node, nil};
use crate::error::{Failure, Position, Result, invalid, limit_exceeded};
use crate::form::{Form, FormKind};
use crate::node::Node;

/// How many steps a value may be threaded through: they nest in each other.
const MAX_THREADED_CALLS: usize = 100;

/// The name of the value while it is handed on: the reader refuses it in a formula.
const THREADED_VALUE: &str = "loanhook/held";

/// Where the value goes in a call.
#[derive(Clone, Copy)]
enum ArgumentPlace {
    First,
    Last,
}

impl ArgumentPlace {
    /// A step as a call with the value in it.
    fn call_with(self, step: &Form, value: Form) -> Form {
        let forms = match (&step.kind, self) {
            (FormKind::List(forms), Self::First) if !forms.is_empty() => {
                forms[..1].iter().cloned().chain([value]).chain(forms[1..].iter().cloned()).collect()
            }
            (FormKind::List(forms), Self::Last) if !forms.is_empty() => {
                forms.iter().cloned().chain([value]).collect()
            }
            _ => vec![step.clone(), value],
        };
        Form::new(step.position, FormKind::List(forms))
    }
}

impl Compiler {
    pub(super) fn thread_first(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        self.thread(ArgumentPlace::First, args, tail)
    }

    pub(super) fn thread_last(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        self.thread(ArgumentPlace::Last, args, tail)
    }

    fn thread(&mut self, place: ArgumentPlace, args: &[Form], tail: bool) -> Result<Node> {
        let (first, steps) = args.split_first().ok_or_else(no_value)?;
        check_step_count(steps)?;
        let form = steps.iter().fold(first.clone(), |value, step| place.call_with(step, value));
        self.node(&form, tail)
    }

    pub(super) fn some_first(&mut self, _: Position, args: &[Form], _: bool) -> Result<Node> {
        self.thread_until_nil(ArgumentPlace::First, args)
    }

    pub(super) fn some_last(&mut self, _: Position, args: &[Form], _: bool) -> Result<Node> {
        self.thread_until_nil(ArgumentPlace::Last, args)
    }

    fn thread_until_nil(&mut self, place: ArgumentPlace, args: &[Form]) -> Result<Node> {
        let (first, steps) = args.split_first().ok_or_else(no_value)?;
        let outer_names = self.scopes.name_count();
        let slot = self.scopes.add_name(THREADED_VALUE);
        let mut node = self.node(first, false)?;
        check_step_count(steps)?;
        for step in steps {
            let value = Form::symbol(step.position, THREADED_VALUE);
            let is_nil = self.builtin_call(step.position, "nil?", vec![Node::Local(slot)])?;
            let next = self.node(&place.call_with(step, value), false)?;
            node = Node::Let(vec![(slot, node)], Box::new(if_node(is_nil, nil(), next)));
        }
        self.scopes.forget_names_since(outer_names);
        Ok(node)
    }

    pub(super) fn cond_first(&mut self, _: Position, args: &[Form], _: bool) -> Result<Node> {
        self.thread_where_true(ArgumentPlace::First, args)
    }

    pub(super) fn cond_last(&mut self, _: Position, args: &[Form], _: bool) -> Result<Node> {
        self.thread_where_true(ArgumentPlace::Last, args)
    }

    /// Through the steps whose tests are true.
    fn thread_where_true(&mut self, place: ArgumentPlace, args: &[Form]) -> Result<Node> {
        let (first, clauses) = args.split_first().ok_or_else(no_value)?;
        if !clauses.len().is_multiple_of(2) {
            return Err(invalid("this takes pairs of a test and a step, and here the last test has none"));
        }
        check_step_count(clauses)?;
        let first = self.node(first, false)?;
        let outer_names = self.scopes.name_count();
        let slot = self.scopes.add_name(THREADED_VALUE);
        let mut bindings = vec![(slot, first)];
        for clause in clauses.chunks_exact(2) {
            let test = self.node(&clause[0], false)?;
            let value = Form::symbol(clause[1].position, THREADED_VALUE);
            let next = self.node(&place.call_with(&clause[1], value), false)?;
            bindings.push((slot, if_node(test, next, Node::Local(slot))));
        }
        self.scopes.forget_names_since(outer_names);
        Ok(Node::Let(bindings, Box::new(Node::Local(slot))))
    }

    pub(super) fn thread_as(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        let [first, name, steps @ ..] = args else {
            return Err(invalid("`as->` takes a value and a name, then steps"));
        };
        let Some(name) = name.symbol_name().filter(|name| is_unqualified(name)) else {
            return Err(invalid("`as->` takes a name after its value").at(name.position));
        };
        check_step_count(steps)?;
        let outer_names = self.scopes.name_count();
        let first = self.node(first, false)?;
        let slot = self.scopes.add_name(name);
        let mut bindings = vec![(slot, first)];
        let Some((last, before)) = steps.split_last() else {
            self.scopes.forget_names_since(outer_names);
            return Ok(Node::Let(bindings, Box::new(Node::Local(slot))));
        };
        for step in before {
            let node = self.node(step, false)?;
            bindings.push((self.scopes.add_name(name), node));
        }
        let body = self.node(last, tail)?;
        self.scopes.forget_names_since(outer_names);
        Ok(Node::Let(bindings, Box::new(body)))
    }
}

fn no_value() -> Failure {
    invalid("a value is needed to thread")
}

fn check_step_count(steps: &[Form]) -> Result<()> {
    if steps.len() > MAX_THREADED_CALLS {
        return Err(limit_exceeded(format!(
            "a value is threaded through at most {MAX_THREADED_CALLS} steps"
        )));
    }
    Ok(())
}
