//! Values that a formula computes with, and what belongs to every kind of them.
//!
//! A [`Value`] lives in one evaluation, on one thread. The modules below hold the compound kinds (sequences, maps,
//! sets, functions), the arithmetic of numbers, and what works on any value: equality, hashes, iteration, look-ups.
//! Whatever makes a value takes its memory from the budget. Nothing here evaluates code: a function that a formula
//! defines is called through [`function::ClosureCode`], and lazy items come from a [`sequence::source::ItemSource`].

mod deferred_drop;
pub(crate) mod equality;
pub(crate) mod function;
pub(crate) mod hash;
pub(crate) mod items;
pub(crate) mod iteration;
pub(crate) mod lookup;
pub(crate) mod map;
pub(crate) mod number;
pub(crate) mod sequence;
pub(crate) mod set;

use std::rc::Rc;
use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;

use crate::budget::{Budget, VALUE_BYTES};
use crate::cost;
use crate::decimal::Decimal;
use crate::error::Result;
use crate::form::Literal;
use crate::pattern::Pattern;
use function::Function;
use items::Items;
use map::Map;
use sequence::Sequence;
use set::Set;

/// A value of Clojure.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Long(i64),
    Double(f64),
    BigInt(Arc<BigInt>),
    /// In lowest terms, and never a whole number.
    Ratio(Arc<BigRational>),
    Decimal(Arc<Decimal>),
    /// A character of 16 bits, as Java has them.
    Char(char),
    Str(Arc<str>),
    /// Without its colon.
    Keyword(Arc<str>),
    Symbol(Arc<str>),
    Regex(Arc<Pattern>),
    Vector(Rc<Items>),
    Sequence(Sequence),
    Map(Rc<Map>),
    Set(Rc<Set>),
    Function(Rc<Function>),
}

const _: () = assert!(size_of::<Value>() <= VALUE_BYTES, "the budget counts a value as less than it is");

impl Value {
    pub(crate) fn vector(budget: &mut Budget, values: Vec<Self>) -> Result<Self> {
        Items::new(budget, values).map(Self::Vector)
    }

    pub(crate) fn list(budget: &mut Budget, values: Vec<Self>) -> Result<Self> {
        Ok(Self::Sequence(Sequence::list(Items::new(budget, values)?)))
    }

    /// A sequence that is no list, all of whose items are there.
    pub(crate) fn realized_sequence(budget: &mut Budget, values: Vec<Self>) -> Result<Self> {
        Ok(Self::Sequence(Sequence::realized(Items::new(budget, values)?)))
    }

    pub(crate) fn string(budget: &mut Budget, text: impl Into<Arc<str>>) -> Result<Self> {
        let text = text.into();
        budget.take_string(text.len())?;
        Ok(Self::Str(text))
    }

    /// Whether it counts as true: everything does but nil and false.
    pub(crate) const fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    pub(crate) const fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// Whether it may hold other values, and so on to any depth.
    pub(crate) const fn is_compound(&self) -> bool {
        matches!(self, Self::Vector(_) | Self::Sequence(_) | Self::Map(_) | Self::Set(_) | Self::Function(_))
    }

    /// Whether both are one object in memory. False for values whose equality needs no such test.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Vector(a), Self::Vector(b)) => Rc::ptr_eq(a, b),
            (Self::Sequence(a), Self::Sequence(b)) => a.is_identical(b),
            (Self::Map(a), Self::Map(b)) => Rc::ptr_eq(a, b),
            (Self::Set(a), Self::Set(b)) => Rc::ptr_eq(a, b),
            (Self::Function(a), Self::Function(b)) => Rc::ptr_eq(a, b),
            (Self::Regex(a), Self::Regex(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// The steps to go through a text or a number once. Compound values cost nothing here: each of their items is
    /// counted when something looks at it.
    pub(crate) fn scan_steps(&self) -> usize {
        match self {
            Self::Str(text) | Self::Keyword(text) | Self::Symbol(text) => cost::scan_text(text.len()),
            Self::BigInt(big) => cost::multiply(big.bits()),
            Self::Ratio(ratio) => cost::lowest_terms(ratio.numer().bits().max(ratio.denom().bits())),
            Self::Decimal(decimal) => decimal.scan_steps(),
            _ => 0,
        }
    }

    /// What kind of value it is, with its article, for errors.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a boolean",
            Self::Long(_) | Self::BigInt(_) => "a whole number",
            Self::Double(_) => "a double",
            Self::Ratio(_) => "a ratio",
            Self::Decimal(_) => "a decimal",
            Self::Char(_) => "a character",
            Self::Str(_) => "a string",
            Self::Keyword(_) => "a keyword",
            Self::Symbol(_) => "a symbol",
            Self::Regex(_) => "a regex",
            Self::Vector(_) => "a vector",
            Self::Sequence(_) => "a sequence",
            Self::Map(_) => "a map",
            Self::Set(_) => "a set",
            Self::Function(_) => "a function",
        }
    }
}

impl From<&Literal> for Value {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Nil => Self::Nil,
            Literal::Bool(bool) => Self::Bool(*bool),
            Literal::Long(long) => Self::Long(*long),
            Literal::Double(double) => Self::Double(*double),
            Literal::BigInt(big) => Self::BigInt(Arc::clone(big)),
            Literal::Ratio(ratio) => Self::Ratio(Arc::clone(ratio)),
            Literal::Decimal(decimal) => Self::Decimal(Arc::clone(decimal)),
            Literal::Char(char) => Self::Char(*char),
            Literal::Str(text) => Self::Str(Arc::clone(text)),
            Literal::Keyword(name) => Self::Keyword(Arc::clone(name)),
            Literal::Regex(pattern) => Self::Regex(Arc::clone(pattern)),
        }
    }
}
