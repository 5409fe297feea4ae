//! Compiler: a form as a node.
//!
//! It resolves names, expands macros, and checks calls of built-in functions: their names, and how many arguments they
//! get. So whatever is wrong with a formula whatever its context is found here. It also holds the limits on how large
//! and deep a formula may be once its macros are expanded.

mod bindings;
mod conditional_bindings;
mod conditionals;
mod function_forms;
mod macros;
mod names;
mod scope;
mod suggestions;
mod threading;

use std::sync::Arc;

use crate::budget::{MAX_NODE_DEPTH, MAX_NODES};
use crate::error::{Position, Result, invalid, limit_exceeded, unsupported};
use crate::form::{Form, FormKind, Literal};
use crate::functions::{self, KnownName};
use crate::node::Node;
use crate::reader::SourceRanges;
use crate::trace::forms::TracedForms;
use macros::macro_compiler;
use names::SPECIAL_FORM_NAMES;
use scope::{Found, Scopes};

/// The node of a formula, and how many slots its frame has.
pub(crate) fn compile(form: &Form) -> Result<(Node, usize)> {
    let mut compiler = Compiler::new(None);
    let node = compiler.node(form, false)?;
    Ok((node, compiler.scopes.slot_count()))
}

/// The same with traced nodes, and their forms.
pub(crate) fn compile_traced(form: &Form, ranges: SourceRanges) -> Result<(Node, usize, TracedForms)> {
    let mut compiler = Compiler::new(Some(TracedForms::new(ranges)));
    let node = compiler.node(form, false)?;
    let forms = compiler.traced.unwrap_or_else(|| TracedForms::new(SourceRanges::new()));
    Ok((node, compiler.scopes.slot_count(), forms))
}

struct Compiler {
    scopes: Scopes,
    depth: usize,
    /// How many nodes were made so far.
    node_count: usize,
    /// The forms whose values are recorded, if evaluations are to be traced.
    traced: Option<TracedForms>,
}

impl Compiler {
    fn new(traced: Option<TracedForms>) -> Self {
        Self { scopes: Scopes::default(), depth: 0, node_count: 0, traced }
    }

    /// The node of a form. `tail`: its value is the value of the function or loop around it, so that a `recur` may
    /// stand here.
    fn node(&mut self, form: &Form, tail: bool) -> Result<Node> {
        if self.depth >= MAX_NODE_DEPTH {
            let detail = format!("written out, a formula nests at most {MAX_NODE_DEPTH} deep");
            return Err(limit_exceeded(detail).at(form.position));
        }
        self.count_node().map_err(|failure| failure.at(form.position))?;
        self.depth += 1;
        let around = self.traced.as_mut().and_then(|forms| forms.enter(form));
        let node = self.node_of_kind(form, tail).map_err(|failure| failure.at(form.position))?;
        self.depth -= 1;
        Ok(match &mut self.traced {
            Some(forms) => forms.leave(form, around, node),
            None => node,
        })
    }

    /// Counts one more node. Some macros write an argument several times, and with it what its macros write.
    fn count_node(&mut self) -> Result<()> {
        self.node_count += 1;
        if self.node_count > MAX_NODES {
            return Err(limit_exceeded(
                "written out, this formula is too long: give what is in it several times a name",
            ));
        }
        Ok(())
    }

    fn node_of_kind(&mut self, form: &Form, tail: bool) -> Result<Node> {
        match &form.kind {
            FormKind::Literal(literal) => Ok(Node::Literal(literal.clone())),
            FormKind::Symbol(name) => self.name_node(name),
            FormKind::Vector(forms) => self.nodes(forms).map(Node::Vector),
            FormKind::Map(forms) => Ok(Node::Map(self.nodes(forms)?, form.position)),
            FormKind::Set(forms) => Ok(Node::Set(self.nodes(forms)?, form.position)),
            FormKind::Quote(quoted) => self.quoted(quoted),
            FormKind::FunctionShorthand(forms) => self.function_shorthand(form.position, forms),
            FormKind::List(forms) => match forms.split_first() {
                None => Ok(Node::List(Vec::new())),
                Some((head, args)) => self.call(form.position, head, args, tail),
            },
        }
    }

    fn nodes(&mut self, forms: &[Form]) -> Result<Vec<Node>> {
        forms.iter().map(|form| self.node(form, false)).collect()
    }

    fn found_node(found: Found) -> Node {
        match found {
            Found::Slot(slot) => Node::Local(slot),
            Found::CurrentFunction => Node::CurrentFunction,
            Found::Captured(index) => Node::Captured(index),
        }
    }

    /// A name where a value is needed.
    fn name_node(&mut self, name: &Arc<str>) -> Result<Node> {
        if let Some(found) = self.scopes.find(name) {
            return Ok(Self::found_node(found));
        }
        match functions::find(name) {
            KnownName::Function(builtin) => Ok(Node::Builtin(builtin)),
            KnownName::Constant(literal) => Ok(Node::Literal(literal)),
            KnownName::Unknown if name.contains('/') && &**name != "/" => {
                Err(suggestions::unknown_function(name))
            }
            _ if macro_compiler(name).is_some() => {
                Err(invalid(format!("`{name}` is no function: it cannot stand for a value")))
            }
            KnownName::Unsupported | KnownName::Unknown => match suggestions::malformed_variable(name) {
                Some(failure) => Err(failure),
                None => {
                    if let Some(forms) = &mut self.traced {
                        forms.variables.insert(Arc::clone(name));
                    }
                    Ok(Node::Variable(Arc::clone(name)))
                }
            },
        }
    }

    fn call(&mut self, position: Position, head: &Form, args: &[Form], tail: bool) -> Result<Node> {
        let Some(name) = head.symbol_name() else {
            let function = Box::new(self.node(head, false)?);
            if let Node::Literal(literal) = &*function
                && !matches!(literal, Literal::Keyword(_))
            {
                return Err(invalid("this is called, and it is no function"));
            }
            return Ok(Node::Call { position, function, args: self.nodes(args)? });
        };
        if !SPECIAL_FORM_NAMES.contains(&name)
            && let Some(found) = self.scopes.find(name)
        {
            let function = Box::new(Self::found_node(found));
            return Ok(Node::Call { position, function, args: self.nodes(args)? });
        }
        if let Some(compile) = macro_compiler(name.strip_prefix("clojure.core/").unwrap_or(name)) {
            return compile(self, position, args, tail);
        }
        match functions::find(name) {
            KnownName::Function(builtin) => {
                builtin.check_arity(args.len())?;
                Ok(Node::CallBuiltin { position, builtin, args: self.nodes(args)? })
            }
            KnownName::Unsupported => Err(unsupported(format!("`{name}` is not supported in formulas"))),
            KnownName::Constant(_) => Err(invalid(format!("`{name}` is called, and it is no function"))),
            KnownName::Unknown => Err(suggestions::unknown_function(name)),
        }
    }

    fn quote(&mut self, _: Position, args: &[Form], _: bool) -> Result<Node> {
        match args {
            [quoted] => self.quoted(quoted),
            _ => Err(invalid("`quote` takes one form")),
        }
    }

    /// A form as the value that it is, without evaluation.
    fn quoted(&mut self, form: &Form) -> Result<Node> {
        self.count_node().map_err(|failure| failure.at(form.position))?;
        Ok(match &form.kind {
            FormKind::Literal(literal) => Node::Literal(literal.clone()),
            FormKind::Symbol(name) => Node::Symbol(Arc::clone(name)),
            FormKind::List(forms) => Node::List(self.all_quoted(forms)?),
            FormKind::Vector(forms) => Node::Vector(self.all_quoted(forms)?),
            FormKind::Map(forms) => Node::Map(self.all_quoted(forms)?, form.position),
            FormKind::Set(forms) => Node::Set(self.all_quoted(forms)?, form.position),
            FormKind::Quote(inner) => Node::List(vec![Node::Symbol("quote".into()), self.quoted(inner)?]),
            FormKind::FunctionShorthand(_) => {
                return Err(unsupported("a quoted `#(…)` is not supported").at(form.position));
            }
        })
    }

    fn all_quoted(&mut self, forms: &[Form]) -> Result<Vec<Node>> {
        forms.iter().map(|form| self.quoted(form)).collect()
    }

    fn comment(&mut self, _: Position, _: &[Form], _: bool) -> Result<Node> {
        Ok(nil())
    }

    /// Forms whose last gives the value.
    fn body(&mut self, forms: &[Form], tail: bool) -> Result<Node> {
        match forms {
            [] => Ok(nil()),
            [only] => self.node(only, tail),
            [before @ .., last] => {
                let mut nodes = self.nodes(before)?;
                nodes.push(self.node(last, tail)?);
                Ok(Node::Do(nodes))
            }
        }
    }

    /// A call of a built-in function that a macro writes.
    fn builtin_call(&self, position: Position, name: &'static str, args: Vec<Node>) -> Result<Node> {
        match functions::find(name) {
            KnownName::Function(builtin) => Ok(Node::CallBuiltin { position, builtin, args }),
            _ => Err(invalid(format!("`{name}` is missing"))),
        }
    }
}

fn nil() -> Node {
    Node::Literal(Literal::Nil)
}

fn if_node(test: Node, then: Node, otherwise: Node) -> Node {
    Node::If(Box::new([test, then, otherwise]))
}
