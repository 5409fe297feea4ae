//! Forms: a formula as it was written. The reader makes them, the compiler turns them into nodes.

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;

use crate::decimal::Decimal;
use crate::error::Position;
use crate::pattern::Pattern;

/// A value that is written in the formula as it is. Threads may share it, as they share a formula.
#[derive(Debug, Clone)]
pub(crate) enum Literal {
    Nil,
    Bool(bool),
    Long(i64),
    Double(f64),
    BigInt(Arc<BigInt>),
    Ratio(Arc<BigRational>),
    Decimal(Arc<Decimal>),
    Char(char),
    Str(Arc<str>),
    /// Without its colon.
    Keyword(Arc<str>),
    Regex(Arc<Pattern>),
}

#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// Where it begins in the text.
    pub(crate) position: Position,
    pub(crate) kind: FormKind,
}

#[derive(Debug, Clone)]
pub(crate) enum FormKind {
    Literal(Literal),
    Symbol(Arc<str>),
    List(Vec<Form>),
    Vector(Vec<Form>),
    /// Keys and values in turn.
    Map(Vec<Form>),
    Set(Vec<Form>),
    Quote(Box<Form>),
    /// `#(…)`, as the list in it.
    FunctionShorthand(Vec<Form>),
}

impl Form {
    pub(crate) const fn new(position: Position, kind: FormKind) -> Self {
        Self { position, kind }
    }

    pub(crate) const fn nil(position: Position) -> Self {
        Self { position, kind: FormKind::Literal(Literal::Nil) }
    }

    pub(crate) fn symbol(position: Position, name: &str) -> Self {
        Self { position, kind: FormKind::Symbol(name.into()) }
    }

    /// A list of a symbol and its arguments.
    pub(crate) fn call(position: Position, name: &str, args: impl IntoIterator<Item = Self>) -> Self {
        let head = [Self::symbol(position, name)];
        Self { position, kind: FormKind::List(head.into_iter().chain(args).collect()) }
    }

    /// The name of a symbol; none of any other form.
    pub(crate) fn symbol_name(&self) -> Option<&str> {
        match &self.kind {
            FormKind::Symbol(name) => Some(name),
            _ => None,
        }
    }

    /// The name of a keyword; none of any other form.
    pub(crate) fn keyword_name(&self) -> Option<&str> {
        match &self.kind {
            FormKind::Literal(Literal::Keyword(name)) => Some(name),
            _ => None,
        }
    }
}
