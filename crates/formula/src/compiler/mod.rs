//! Forms to nodes: names are looked up, macros written out, calls of known functions checked.

mod binding;
mod conditional;
mod control;
mod functions;
mod macros;
mod scope;
mod threading;

use std::sync::Arc;

use super::budget::{MAX_NODE_DEPTH, MAX_NODES};
use super::error::{Position, R, limit, unsupported, wrong};
use super::form::{Form, Literal, What};
use super::functions::{self as builtins, Known};
use super::node::{Capture, Node};
use super::suggest;
pub(super) use macros::MACROS;
use macros::{SPECIAL, macro_of};
use scope::{Found, Scopes};

/// A formula's node, and how many places its frame has.
pub(super) fn compile(form: &Form) -> R<(Node, usize)> {
    let mut compiler = Compiler { scopes: Scopes::default(), depth: 0, made: 0 };
    let node = compiler.node(form, false)?;
    Ok((node, compiler.scopes.places()))
}

struct Compiler {
    scopes: Scopes,
    depth: usize,
    /// How much was made so far.
    made: usize,
}

impl Compiler {
    /// `tail`: what this gives is what the function or loop around it gives.
    fn node(&mut self, form: &Form, tail: bool) -> R<Node> {
        if self.depth >= MAX_NODE_DEPTH {
            let detail = format!("written out, a formula nests at most {MAX_NODE_DEPTH} deep");
            return Err(limit(detail).at(form.at));
        }
        self.count().map_err(|fail| fail.at(form.at))?;
        self.depth += 1;
        let node = self.node_of(form, tail).map_err(|fail| fail.at(form.at))?;
        self.depth -= 1;
        Ok(node)
    }

    /// One more was made. Some macros write what they are given more than once, and what is in that again.
    fn count(&mut self) -> R<()> {
        self.made += 1;
        if self.made > MAX_NODES {
            return Err(limit(
                "written out, this formula is too long: give what is in it several times a name",
            ));
        }
        Ok(())
    }

    fn node_of(&mut self, form: &Form, tail: bool) -> R<Node> {
        match &form.what {
            What::Literal(literal) => Ok(Node::Literal(literal.clone())),
            What::Symbol(name) => self.name(name),
            What::Vector(forms) => self.all(forms).map(Node::Vector),
            What::Map(forms) => Ok(Node::Map(self.all(forms)?, form.at)),
            What::Set(forms) => Ok(Node::Set(self.all(forms)?, form.at)),
            What::Quote(quoted) => self.quoted(quoted),
            What::Short(forms) => self.short(form.at, forms),
            What::List(forms) => match forms.split_first() {
                None => Ok(Node::List(Vec::new())),
                Some((head, args)) => self.call(form.at, head, args, tail),
            },
        }
    }

    fn all(&mut self, forms: &[Form]) -> R<Vec<Node>> {
        forms.iter().map(|form| self.node(form, false)).collect()
    }

    fn found(found: Found) -> Node {
        match found {
            Found::Place(place) => Node::Local(place),
            Found::Captured(Capture::Own) | Found::Own => Node::Own,
            Found::Captured(Capture::Local(place) | Capture::Captured(place)) => Node::Captured(place),
        }
    }

    /// A name where a value is wanted.
    fn name(&mut self, name: &Arc<str>) -> R<Node> {
        if let Some(found) = self.scopes.find(name) {
            return Ok(Self::found(found));
        }
        match builtins::find(name) {
            Known::Function(builtin) => Ok(Node::Builtin(builtin)),
            Known::Constant(literal) => Ok(Node::Literal(literal)),
            Known::No if name.contains('/') && &**name != "/" => Err(suggest::unknown(name)),
            _ if macro_of(name).is_some() => {
                Err(wrong(format!("`{name}` is no function: it cannot stand for a value")))
            }
            Known::Outside | Known::No => match suggest::no_variable(name) {
                Some(fail) => Err(fail),
                None => Ok(Node::Variable(Arc::clone(name))),
            },
        }
    }

    fn call(&mut self, at: Position, head: &Form, args: &[Form], tail: bool) -> R<Node> {
        let Some(name) = head.name() else {
            let function = Box::new(self.node(head, false)?);
            if let Node::Literal(literal) = &*function
                && !matches!(literal, Literal::Keyword(_))
            {
                return Err(wrong("this is called, and it is no function"));
            }
            return Ok(Node::Call { at, function, args: self.all(args)? });
        };
        if !SPECIAL.contains(&name)
            && let Some(found) = self.scopes.find(name)
        {
            return Ok(Node::Call { at, function: Box::new(Self::found(found)), args: self.all(args)? });
        }
        if let Some(write) = macro_of(name.strip_prefix("clojure.core/").unwrap_or(name)) {
            return write(self, at, args, tail);
        }
        match builtins::find(name) {
            Known::Function(builtin) => {
                builtin.check(args.len())?;
                Ok(Node::CallBuiltin { at, builtin, args: self.all(args)? })
            }
            Known::Outside => Err(suggest::outside(name)),
            Known::Constant(_) => Err(wrong(format!("`{name}` is called, and it is no function"))),
            Known::No => Err(suggest::unknown(name)),
        }
    }

    fn quote(&mut self, _: Position, args: &[Form], _: bool) -> R<Node> {
        match args {
            [quoted] => self.quoted(quoted),
            _ => Err(wrong("`quote` takes one form")),
        }
    }

    /// A form as the value that it is.
    fn quoted(&mut self, form: &Form) -> R<Node> {
        self.count().map_err(|fail| fail.at(form.at))?;
        let all = |forms: &[Form], compiler: &mut Self| {
            forms.iter().map(|form| compiler.quoted(form)).collect::<R<Vec<_>>>()
        };
        Ok(match &form.what {
            What::Literal(literal) => Node::Literal(literal.clone()),
            What::Symbol(name) => Node::Symbol(Arc::clone(name)),
            What::List(forms) => Node::List(all(forms, self)?),
            What::Vector(forms) => Node::Vector(all(forms, self)?),
            What::Map(forms) => Node::Map(all(forms, self)?, form.at),
            What::Set(forms) => Node::Set(all(forms, self)?, form.at),
            What::Quote(inner) => Node::List(vec![Node::Symbol("quote".into()), self.quoted(inner)?]),
            What::Short(_) => return Err(unsupported("a quoted `#(…)` is not supported").at(form.at)),
        })
    }

    fn comment(&mut self, _: Position, _: &[Form], _: bool) -> R<Node> {
        Ok(Node::Literal(Literal::Nil))
    }

    /// Forms of which the last counts.
    fn body(&mut self, forms: &[Form], tail: bool) -> R<Node> {
        match forms {
            [] => Ok(Node::Literal(Literal::Nil)),
            [only] => self.node(only, tail),
            [before @ .., last] => {
                let mut nodes = self.all(before)?;
                nodes.push(self.node(last, tail)?);
                Ok(Node::Do(nodes))
            }
        }
    }

    fn builtin(&self, at: Position, name: &'static str, args: Vec<Node>) -> R<Node> {
        match builtins::find(name) {
            Known::Function(builtin) => Ok(Node::CallBuiltin { at, builtin, args }),
            _ => Err(wrong(format!("`{name}` is missing"))),
        }
    }
}

fn nil() -> Node {
    Node::Literal(Literal::Nil)
}

fn choice(test: Node, then: Node, otherwise: Node) -> Node {
    Node::If(Box::new([test, then, otherwise]))
}
