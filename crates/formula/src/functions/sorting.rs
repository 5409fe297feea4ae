//! Order of values: `compare`, and sorting by it or by a function.
//!
//! Which pairs of values are compared is as in Java, because Clojure fails where two values cannot be compared.

use std::cmp::Ordering;

use crate::call::call;
use crate::error::{Failure, Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::name::split_name;
use crate::value::Value;
use crate::value::number::{comparison, number_kind, require_number, to_double};

/// `compare`: negative, 0 or positive. Where Clojure gives a difference, it is that.
pub(super) fn compare(ctx: &mut EvaluationContext<'_>, a: &Value, b: &Value) -> Result<i64> {
    ctx.budget.take_steps(1 + a.scan_steps().min(b.scan_steps()))?;
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => 0,
        (Value::Nil, _) => -1,
        (_, Value::Nil) => 1,
        (Value::Str(a), Value::Str(b)) => compare_strings(a, b),
        (Value::Keyword(a), Value::Keyword(b)) | (Value::Symbol(a), Value::Symbol(b)) => compare_names(a, b),
        (Value::Char(a), Value::Char(b)) => i64::from(u32::from(*a)) - i64::from(u32::from(*b)),
        (Value::Bool(a), Value::Bool(b)) => i64::from(*a) - i64::from(*b),
        (Value::Vector(a), Value::Vector(b)) => {
            ctx.budget.enter_level()?;
            let mut order = sign(a.values.len().cmp(&b.values.len()));
            for (a, b) in a.values.iter().zip(&b.values) {
                if order != 0 {
                    break;
                }
                order = compare(ctx, a, b)?;
            }
            ctx.budget.leave_level();
            order
        }
        _ if number_kind(a).is_some() && number_kind(b).is_some() => {
            // NaN is equal to every number.
            comparison::order(&mut ctx.budget, a, b)?.map_or(0, sign)
        }
        _ => return Err(not_comparable(a, b)),
    })
}

fn not_comparable(a: &Value, b: &Value) -> Failure {
    invalid(format!("{} and {} cannot be compared", a.type_name(), b.type_name()))
}

const fn sign(order: Ordering) -> i64 {
    order as i64
}

/// `String.compareTo`: the difference of the first 16-bit units that differ, else of the lengths.
fn compare_strings(a: &str, b: &str) -> i64 {
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

/// `Symbol.compareTo`: names without a namespace first, then by namespace, then by the own part.
fn compare_names(a: &str, b: &str) -> i64 {
    match (split_name(a), split_name(b)) {
        ((None, _), (Some(_), _)) => -1,
        ((Some(_), _), (None, _)) => 1,
        ((Some(a_namespace), _), (Some(b_namespace), _)) if a_namespace != b_namespace => {
            compare_strings(a_namespace, b_namespace)
        }
        ((_, a), (_, b)) => compare_strings(a, b),
    }
}

/// The order to sort by.
#[derive(Clone, Copy)]
pub(super) enum SortOrder<'f> {
    Compare,
    /// The order that Java's values have by themselves: only values of one kind, and not nil, are compared.
    Java,
    /// A function as a `Comparator` of Java: it gives a number, or whether the first value comes first.
    Function(&'f Value),
}

impl SortOrder<'_> {
    fn compare(self, ctx: &mut EvaluationContext<'_>, a: &Value, b: &Value) -> Result<Ordering> {
        let function = match self {
            Self::Function(function) => function,
            Self::Java if a.is_nil() || std::mem::discriminant(a) != std::mem::discriminant(b) => {
                return Err(not_comparable(a, b));
            }
            Self::Java | Self::Compare => return Ok(compare(ctx, a, b)?.cmp(&0)),
        };
        let args = [a.clone(), b.clone()];
        match call(ctx, function, &args)? {
            Value::Bool(true) => Ok(Ordering::Less),
            Value::Bool(false) => {
                let [a, b] = args;
                Ok(if call(ctx, function, &[b, a])?.is_true() { Ordering::Greater } else { Ordering::Equal })
            }
            // As `Number.intValue` converts it.
            other => {
                require_number(&other)?;
                ctx.budget.take_steps(other.scan_steps())?;
                Ok((to_double(&other) as i64 as i32).cmp(&0))
            }
        }
    }
}

/// Fewer values than this are sorted by binary insertion, as in Java's `TimSort`.
const MIN_MERGED_VALUES: usize = 32;

/// Sorts pairs of a key and a value by their keys; pairs of equal keys stay in their order. Up to 31 keys are compared
/// in the pairs in which Java compares them, as some pairs cannot be compared. A function that contradicts itself gives
/// some order.
pub(super) fn sort(
    ctx: &mut EvaluationContext<'_>,
    order: SortOrder<'_>,
    keyed: Vec<(Value, Value)>,
) -> Result<Vec<(Value, Value)>> {
    if keyed.len() < MIN_MERGED_VALUES {
        return binary_insertion_sort(ctx, order, keyed);
    }
    ctx.budget.take_values(keyed.len())?;
    let mut first = keyed;
    let second = first.split_off(first.len() / 2);
    let (first, second) = (sort(ctx, order, first)?, sort(ctx, order, second)?);
    let mut sorted = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some((a, _)), Some((b, _))) = (first.peek(), second.peek()) {
        let (a, b) = (a.clone(), b.clone());
        let from = if order.compare(ctx, &b, &a)?.is_lt() { &mut second } else { &mut first };
        sorted.extend(from.next());
    }
    sorted.extend(first);
    sorted.extend(second);
    Ok(sorted)
}

/// `TimSort.binarySort`: finds the run at the beginning, then inserts each of the others.
fn binary_insertion_sort(
    ctx: &mut EvaluationContext<'_>,
    order: SortOrder<'_>,
    mut keyed: Vec<(Value, Value)>,
) -> Result<Vec<(Value, Value)>> {
    let mut run_length = keyed.len().min(1);
    let mut run_descends = false;
    while run_length < keyed.len() {
        let less = order.compare(ctx, &keyed[run_length].0, &keyed[run_length - 1].0)?.is_lt();
        if run_length == 1 {
            run_descends = less;
        } else if less != run_descends {
            break;
        }
        run_length += 1;
    }
    if run_descends {
        keyed[..run_length].reverse();
    }
    for next in run_length..keyed.len() {
        let (mut left, mut right) = (0, next);
        while left < right {
            let middle = usize::midpoint(left, right);
            if order.compare(ctx, &keyed[next].0, &keyed[middle].0)?.is_lt() {
                right = middle;
            } else {
                left = middle + 1;
            }
        }
        keyed[left..=next].rotate_right(1);
    }
    Ok(keyed)
}
