//! Forms to nodes: names are looked up, macros written out, calls of known functions checked.

mod binding;
mod conditional;
mod control;
mod functions;
mod scope;
mod threading;

use std::sync::Arc;

use super::budget::MAX_NODE_DEPTH;
use super::error::{Position, R, limit, unsupported, wrong};
use super::form::{Form, Literal, What};
use super::functions::{self as builtins, Known};
use super::node::{Capture, Node};
use super::suggest;
use scope::{Found, Scopes};

/// A formula's node, and how many places its frame has.
pub(super) fn compile(form: &Form) -> R<(Node, usize)> {
    let mut compiler = Compiler { scopes: Scopes::default(), depth: 0 };
    let node = compiler.node(form, false)?;
    Ok((node, compiler.scopes.places()))
}

struct Compiler {
    scopes: Scopes,
    depth: usize,
}

type Macro = fn(&mut Compiler, Position, &[Form], bool) -> R<Node>;

/// What is written like a call and is none.
fn macro_of(name: &str) -> Option<Macro> {
    Some(match name {
        "if" => Compiler::if_,
        "if-not" => Compiler::if_not,
        "when" => Compiler::when,
        "when-not" => Compiler::when_not,
        "cond" => Compiler::cond,
        "condp" => Compiler::condp,
        "case" => Compiler::case,
        "and" => Compiler::and,
        "or" => Compiler::or,
        "do" => Compiler::do_,
        "let" => Compiler::let_,
        "if-let" => Compiler::if_let,
        "when-let" => Compiler::when_let,
        "if-some" => Compiler::if_some,
        "when-some" => Compiler::when_some,
        "when-first" => Compiler::when_first,
        "fn" | "fn*" => Compiler::fn_,
        "loop" => Compiler::loop_,
        "recur" => Compiler::recur,
        "for" => Compiler::for_,
        "quote" => Compiler::quote,
        "comment" => Compiler::comment,
        "lazy-cat" => Compiler::lazy_cat,
        "->" => Compiler::thread_first,
        "->>" => Compiler::thread_last,
        "some->" => Compiler::some_first,
        "some->>" => Compiler::some_last,
        "cond->" => Compiler::cond_first,
        "cond->>" => Compiler::cond_last,
        "as->" => Compiler::thread_as,
        "doto" => return None,
        _ => return None,
    })
}

/// The names of what [`macro_of`] knows, for suggestions.
pub(super) const MACROS: [&str; 28] = [
    "if",
    "if-not",
    "when",
    "when-not",
    "cond",
    "condp",
    "case",
    "and",
    "or",
    "do",
    "let",
    "if-let",
    "when-let",
    "if-some",
    "when-some",
    "when-first",
    "fn",
    "loop",
    "recur",
    "for",
    "quote",
    "->",
    "->>",
    "some->",
    "some->>",
    "cond->",
    "cond->>",
    "as->",
];

impl Compiler {
    /// `tail`: what this gives is what the function or loop around it gives.
    fn node(&mut self, form: &Form, tail: bool) -> R<Node> {
        if self.depth >= MAX_NODE_DEPTH {
            let detail = format!("written out, a formula nests at most {MAX_NODE_DEPTH} deep");
            return Err(limit(detail).at(form.at));
        }
        self.depth += 1;
        let node = self.node_of(form, tail).map_err(|fail| fail.at(form.at))?;
        self.depth -= 1;
        Ok(node)
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
            Known::Outside | Known::No => Ok(Node::Variable(Arc::clone(name))),
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
        if let Some(found) = self.scopes.find(name) {
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
