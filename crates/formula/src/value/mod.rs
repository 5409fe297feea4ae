//! What a formula computes with.

use std::rc::Rc;
use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::budget::Budget;
use super::error::R;
use super::form::Literal;
use super::function::Function;
use super::grave;
use super::map::{Map, Set};
use super::number::decimal::Decimal;
use super::pattern::Pattern;
use super::seq::Seq;

/// A value of Clojure's. It lives in one evaluation, on one thread.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Long(i64),
    Double(f64),
    Big(Arc<BigInt>),
    /// In lowest terms, and never whole.
    Ratio(Arc<BigRational>),
    Decimal(Arc<Decimal>),
    /// One of 16 bits, as Java has them.
    Char(char),
    Str(Arc<str>),
    /// Without its colon.
    Keyword(Arc<str>),
    Symbol(Arc<str>),
    Regex(Arc<Pattern>),
    Vector(Rc<Items>),
    Seq(Seq),
    Map(Rc<Map>),
    Set(Rc<Set>),
    Function(Rc<Function>),
}

/// The values of a vector or list.
#[derive(Debug)]
pub(super) struct Items {
    pub(super) values: Vec<Value>,
    /// Whether it is a key and its value, out of a map.
    pub(super) entry: bool,
}

impl Items {
    pub(super) fn new(budget: &mut Budget, values: Vec<Value>) -> R<Rc<Self>> {
        budget.values(values.len() + 1)?;
        Ok(Rc::new(Self { values, entry: false }))
    }

    pub(super) fn entry(budget: &mut Budget, key: Value, value: Value) -> R<Rc<Self>> {
        budget.values(3)?;
        Ok(Rc::new(Self { values: vec![key, value], entry: true }))
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        grave::bury(&mut self.values);
    }
}

impl Value {
    pub(super) fn vector(budget: &mut Budget, values: Vec<Self>) -> R<Self> {
        Items::new(budget, values).map(Self::Vector)
    }

    pub(super) fn list(budget: &mut Budget, values: Vec<Self>) -> R<Self> {
        Ok(Self::Seq(Seq::list(Items::new(budget, values)?)))
    }

    pub(super) fn text(budget: &mut Budget, text: impl Into<Arc<str>>) -> R<Self> {
        let text = text.into();
        budget.text(text.len())?;
        Ok(Self::Str(text))
    }

    pub(super) const fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    pub(super) const fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// Whether it may hold other values, and they yet others.
    pub(super) const fn holds_others(&self) -> bool {
        matches!(self, Self::Vector(_) | Self::Seq(_) | Self::Map(_) | Self::Set(_) | Self::Function(_))
    }

    /// Whether they are one object: only of what may be unequal to another that looks like it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Vector(a), Self::Vector(b)) => Rc::ptr_eq(a, b),
            (Self::Seq(a), Self::Seq(b)) => a.is_same(b),
            (Self::Map(a), Self::Map(b)) => Rc::ptr_eq(a, b),
            (Self::Set(a), Self::Set(b)) => Rc::ptr_eq(a, b),
            (Self::Function(a), Self::Function(b)) => Rc::ptr_eq(a, b),
            (Self::Regex(a), Self::Regex(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// What it is, in the words of an error.
    pub(super) fn kind_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a boolean",
            Self::Long(_) | Self::Big(_) => "a whole number",
            Self::Double(_) => "a double",
            Self::Ratio(_) => "a ratio",
            Self::Decimal(_) => "a decimal",
            Self::Char(_) => "a character",
            Self::Str(_) => "a string",
            Self::Keyword(_) => "a keyword",
            Self::Symbol(_) => "a symbol",
            Self::Regex(_) => "a regex",
            Self::Vector(_) => "a vector",
            Self::Seq(_) => "a sequence",
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
            Literal::Big(big) => Self::Big(Arc::clone(big)),
            Literal::Ratio(ratio) => Self::Ratio(Arc::clone(ratio)),
            Literal::Decimal(decimal) => Self::Decimal(Arc::clone(decimal)),
            Literal::Char(char) => Self::Char(*char),
            Literal::Str(text) => Self::Str(Arc::clone(text)),
            Literal::Keyword(name) => Self::Keyword(Arc::clone(name)),
            Literal::Regex(pattern) => Self::Regex(Arc::clone(pattern)),
        }
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(long: i64) -> Self {
        Self::Long(long)
    }
}
