//! A formula ready to run: names are places, macros are written out, functions are found.

use std::sync::Arc;

use super::error::Position;
use super::form::Literal;
use super::function::Builtin;

#[derive(Debug)]
pub(super) enum Node {
    Literal(Literal),
    /// A symbol that was quoted.
    Symbol(Arc<str>),
    /// A place in the frame of the function around it.
    Local(usize),
    /// A place among what the function around it took along.
    Captured(usize),
    /// The function around it, by its own name.
    Own,
    /// A variable of the context.
    Variable(Arc<str>),
    Builtin(&'static Builtin),
    Vector(Vec<Node>),
    List(Vec<Node>),
    Map(Vec<Node>, Position),
    Set(Vec<Node>, Position),
    If(Box<[Node; 3]>),
    Do(Vec<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// Values into places, then what follows.
    Let(Vec<(usize, Node)>, Box<Node>),
    Loop {
        places: Vec<usize>,
        begin: Vec<(usize, Node)>,
        rebind: Vec<(usize, Node)>,
        body: Box<Node>,
    },
    Recur(Vec<Node>),
    Function(Arc<Proto>),
    Case(Box<Case>),
    Call {
        at: Position,
        function: Box<Node>,
        args: Vec<Node>,
    },
    CallBuiltin {
        at: Position,
        builtin: &'static Builtin,
        args: Vec<Node>,
    },
}

#[derive(Debug)]
pub(super) struct Case {
    pub(super) at: Position,
    pub(super) of: Node,
    /// Whether any constant is something else than a whole number.
    pub(super) hashes: bool,
    /// The constants of a clause, and what it gives.
    pub(super) clauses: Vec<(Vec<Node>, Node)>,
    pub(super) otherwise: Option<Node>,
}

/// A function as it was written.
#[derive(Debug)]
pub(super) struct Proto {
    /// What it takes along when it is made, in order.
    pub(super) captures: Vec<Capture>,
    pub(super) arities: Vec<Arity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    Local(usize),
    Captured(usize),
    Own,
}

#[derive(Debug)]
pub(super) struct Arity {
    /// How many arguments it names; they are the first places of its frame.
    pub(super) fixed: usize,
    /// Whether the next place takes the rest.
    pub(super) variadic: bool,
    /// How many places its frame has.
    pub(super) places: usize,
    pub(super) body: Node,
}
