//! Nodes: a compiled formula. Names are resolved, macros are expanded, built-in functions are looked up.
//!
//! The compiler makes them and the evaluator runs them. They are immutable, and threads may share them.

use std::sync::Arc;

use crate::error::Position;
use crate::form::Literal;
use crate::value::function::Builtin;

#[derive(Debug)]
pub(crate) enum Node {
    Literal(Literal),
    /// A quoted symbol.
    Symbol(Arc<str>),
    /// A slot in the frame of the function around it.
    Local(usize),
    /// A value that the function around it captured, by its index.
    Captured(usize),
    /// The function around it, by its own name.
    CurrentFunction,
    /// A variable of the context.
    Variable(Arc<str>),
    Builtin(&'static Builtin),
    Vector(Vec<Node>),
    List(Vec<Node>),
    /// Keys and values in turn, and where the map begins.
    Map(Vec<Node>, Position),
    Set(Vec<Node>, Position),
    /// A test, its then and its else.
    If(Box<[Node; 3]>),
    Do(Vec<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// Puts values into slots, then gives the value of the body.
    Let(Vec<Binding>, Box<Node>),
    Loop(Box<Loop>),
    /// The arguments for the next round of the loop, or the next call of the function, around it.
    Recur(Vec<Node>),
    Function(Arc<FunctionDefinition>),
    Case(Box<Case>),
    Call {
        position: Position,
        function: Box<Node>,
        args: Vec<Node>,
    },
    CallBuiltin {
        position: Position,
        builtin: &'static Builtin,
        args: Vec<Node>,
    },
    /// A node whose values are recorded. Only a [`TracedFormula`](crate::TracedFormula) has any.
    Traced(Box<TracedNode>),
}

#[derive(Debug)]
pub(crate) struct TracedNode {
    /// The place of its form among the [`TracedForms`](crate::trace::forms::TracedForms).
    pub(crate) form: usize,
    pub(crate) node: Node,
}

/// A slot of the frame, and the value that is put there.
pub(crate) type Binding = (usize, Node);

#[derive(Debug)]
pub(crate) struct Loop {
    /// The slots that `recur` puts its arguments into.
    pub(crate) slots: Vec<usize>,
    /// Done once, before the first round.
    pub(crate) initial_bindings: Vec<Binding>,
    /// Done before each round: the destructuring of what is in the slots.
    pub(crate) round_bindings: Vec<Binding>,
    pub(crate) body: Node,
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) position: Position,
    pub(crate) subject: Node,
    /// Whether Clojure hashes the subject: any constant is something else than an int.
    pub(crate) hashes_subject: bool,
    pub(crate) clauses: Vec<CaseClause>,
    pub(crate) default: Option<Node>,
}

#[derive(Debug)]
pub(crate) struct CaseClause {
    pub(crate) constants: Vec<Node>,
    pub(crate) then: Node,
}

/// A function that the formula defines.
#[derive(Debug)]
pub(crate) struct FunctionDefinition {
    /// What it captures when it is made, in order.
    pub(crate) captures: Vec<Capture>,
    pub(crate) arities: Vec<Arity>,
}

/// Where a function finds a value that it captures, in the function around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capture {
    Local(usize),
    Captured(usize),
    CurrentFunction,
}

#[derive(Debug)]
pub(crate) struct Arity {
    /// How many arguments it names. They are the first slots of its frame.
    pub(crate) fixed_parameters: usize,
    /// Whether the next slot takes the rest of the arguments.
    pub(crate) is_variadic: bool,
    /// How many slots its frame has.
    pub(crate) slot_count: usize,
    pub(crate) body: Node,
}
