//! `compare`, and sorting by it or by any function.

use std::cmp::Ordering;

use super::call::call;
use super::cx::Cx;
use super::error::{R, wrong};
use super::number::{self, compare as numbers};
use super::price;
use super::value::Value;

/// As `clojure.core/compare`: less, equal or greater, by how much where that is told.
pub(super) fn compare(cx: &mut Cx<'_>, a: &Value, b: &Value) -> R<i64> {
    cx.budget.steps(1 + price::value(a).min(price::value(b)))?;
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => 0,
        (Value::Nil, _) => -1,
        (_, Value::Nil) => 1,
        (Value::Str(a), Value::Str(b)) => texts(a, b),
        (Value::Keyword(a), Value::Keyword(b)) | (Value::Symbol(a), Value::Symbol(b)) => names(a, b),
        (Value::Char(a), Value::Char(b)) => i64::from(u32::from(*a)) - i64::from(u32::from(*b)),
        (Value::Bool(a), Value::Bool(b)) => i64::from(*a) - i64::from(*b),
        (Value::Vector(a), Value::Vector(b)) => {
            cx.budget.enter()?;
            let mut order = sign(a.values.len().cmp(&b.values.len()));
            for (a, b) in a.values.iter().zip(&b.values) {
                if order != 0 {
                    break;
                }
                order = compare(cx, a, b)?;
            }
            cx.budget.leave();
            order
        }
        _ if number::kind_of(a).is_some() && number::kind_of(b).is_some() => {
            // What is not a number (NaN) is equal to all.
            numbers::order(&mut cx.budget, a, b)?.map_or(0, sign)
        }
        _ => return Err(wrong(format!("{} and {} cannot be compared", a.kind_name(), b.kind_name()))),
    })
}

const fn sign(order: Ordering) -> i64 {
    order as i64
}

/// `String.compareTo`: the difference of the first units that differ, else of the lengths.
fn texts(a: &str, b: &str) -> i64 {
    let (mut a, mut b) = (a.encode_utf16(), b.encode_utf16());
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) => return i64::from(a) - i64::from(b),
            (None, None) => return 0,
            (Some(_), None) => return 1 + a.count() as i64,
            (None, Some(_)) => return -1 - b.count() as i64,
        }
    }
}

fn names(a: &str, b: &str) -> i64 {
    let split = |name: &str| match name.split_once('/') {
        Some((space, own)) if name != "/" => (Some(space.to_owned()), own.to_owned()),
        _ => (None, name.to_owned()),
    };
    match (split(a), split(b)) {
        ((None, _), (Some(_), _)) => -1,
        ((Some(_), _), (None, _)) => 1,
        ((Some(a_space), _), (Some(b_space), _)) if a_space != b_space => texts(&a_space, &b_space),
        ((_, a), (_, b)) => texts(&a, &b),
    }
}

/// By which order to sort.
#[derive(Clone, Copy)]
pub(super) enum By<'f> {
    Compare,
    /// As values of one kind compare themselves.
    Java,
    /// As a Java `Comparator` made of a function: a number, or whether the first comes first.
    Function(&'f Value),
}

impl By<'_> {
    pub(super) fn order(self, cx: &mut Cx<'_>, a: &Value, b: &Value) -> R<Ordering> {
        let function = match self {
            Self::Function(function) => function,
            Self::Java if a.is_nil() || std::mem::discriminant(a) != std::mem::discriminant(b) => {
                return Err(wrong(format!("{} and {} cannot be compared", a.kind_name(), b.kind_name())));
            }
            Self::Java | Self::Compare => return Ok(compare(cx, a, b)?.cmp(&0)),
        };
        let args = [a.clone(), b.clone()];
        match call(cx, function, &args)? {
            Value::Bool(true) => Ok(Ordering::Less),
            Value::Bool(false) => {
                let [a, b] = args;
                Ok(if call(cx, function, &[b, a])?.is_true() { Ordering::Greater } else { Ordering::Equal })
            }
            // As `Number.intValue` takes it.
            other => {
                number::kind(&other)?;
                cx.budget.steps(price::value(&other))?;
                Ok((number::double(&other) as i64 as i32).cmp(&0))
            }
        }
    }
}

/// How many values Java sorts by inserting them one by one.
const INSERTED: usize = 32;

/// Sorts by the keys, those that are equal as they were. A few are compared in the pairs in which Java compares
/// them, as some pairs cannot be; what compares in circles gives some order, and no panic.
pub(super) fn sort(cx: &mut Cx<'_>, by: By<'_>, keyed: Vec<(Value, Value)>) -> R<Vec<(Value, Value)>> {
    if keyed.len() < INSERTED {
        return inserted(cx, by, keyed);
    }
    cx.budget.values(keyed.len())?;
    let mut first = keyed;
    let second = first.split_off(first.len() / 2);
    let (first, second) = (sort(cx, by, first)?, sort(cx, by, second)?);
    let mut sorted = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some((a, _)), Some((b, _))) = (first.peek(), second.peek()) {
        let (a, b) = (a.clone(), b.clone());
        let from = if by.order(cx, &b, &a)?.is_lt() { &mut second } else { &mut first };
        sorted.extend(from.next());
    }
    sorted.extend(first);
    sorted.extend(second);
    Ok(sorted)
}

/// `TimSort` of a few: the run that they begin with, then each of the others in its place.
fn inserted(cx: &mut Cx<'_>, by: By<'_>, mut keyed: Vec<(Value, Value)>) -> R<Vec<(Value, Value)>> {
    let mut run = keyed.len().min(1);
    let mut falls = false;
    while run < keyed.len() {
        let less = by.order(cx, &keyed[run].0, &keyed[run - 1].0)?.is_lt();
        if run == 1 {
            falls = less;
        } else if less != falls {
            break;
        }
        run += 1;
    }
    if falls {
        keyed[..run].reverse();
    }
    for next in run..keyed.len() {
        let (mut left, mut right) = (0, next);
        while left < right {
            let middle = usize::midpoint(left, right);
            if by.order(cx, &keyed[next].0, &keyed[middle].0)?.is_lt() {
                right = middle;
            } else {
                left = middle + 1;
            }
        }
        keyed[left..=next].rotate_right(1);
    }
    Ok(keyed)
}
