//! A formula as it was written: what the reader makes, and the compiler takes.

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::error::Position;
use super::number::decimal::Decimal;
use super::pattern::Pattern;

/// A value that stands in the text by itself. It can be shared between threads, as a formula is.
#[derive(Debug, Clone)]
pub(super) enum Literal {
    Nil,
    Bool(bool),
    Long(i64),
    Double(f64),
    Big(Arc<BigInt>),
    Ratio(Arc<BigRational>),
    Decimal(Arc<Decimal>),
    Char(char),
    Str(Arc<str>),
    /// Without its colon.
    Keyword(Arc<str>),
    Regex(Arc<Pattern>),
}

#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) at: Position,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Literal(Literal),
    Symbol(Arc<str>),
    List(Vec<Form>),
    Vector(Vec<Form>),
    /// Keys and values in turn.
    Map(Vec<Form>),
    Set(Vec<Form>),
    Quote(Box<Form>),
    /// `#(…)`, as the list in it.
    Short(Vec<Form>),
}

impl Form {
    pub(super) const fn new(at: Position, what: What) -> Self {
        Self { at, what }
    }

    pub(super) const fn nil(at: Position) -> Self {
        Self { at, what: What::Literal(Literal::Nil) }
    }

    pub(super) fn symbol(at: Position, name: &str) -> Self {
        Self { at, what: What::Symbol(name.into()) }
    }

    /// A list that begins with a symbol.
    pub(super) fn call(at: Position, name: &str, rest: impl IntoIterator<Item = Self>) -> Self {
        let head = [Self::symbol(at, name)];
        Self { at, what: What::List(head.into_iter().chain(rest).collect()) }
    }

    pub(super) fn name(&self) -> Option<&str> {
        match &self.what {
            What::Symbol(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn keyword(&self) -> Option<&str> {
        match &self.what {
            What::Literal(Literal::Keyword(name)) => Some(name),
            _ => None,
        }
    }
}
