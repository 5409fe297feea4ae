//! Hashes of values (`hash`), as Clojure computes them: they decide the order of hash maps and sets.
//!
//! They are Murmur3 (`clojure.lang.Murmur3`), seeded by what Java's `hashCode` gives for strings and numbers
//! (`clojure.lang.Util.hasheq`).

use num_bigint::{BigInt, Sign};

use super::Value;
use crate::decimal::Decimal;
use crate::error::{Failure, Result, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::name::split_name;

fn mix_k(k: u32) -> u32 {
    k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

fn mix_h(h: u32, k: u32) -> u32 {
    (h ^ k).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(mut h: u32, length: u32) -> i32 {
    h ^= length;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    (h ^ (h >> 16)) as i32
}

fn hash_int(int: i32) -> i32 {
    if int == 0 { 0 } else { finish(mix_h(0, mix_k(int as u32)), 4) }
}

fn hash_long(long: i64) -> i32 {
    if long == 0 {
        return 0;
    }
    let low = mix_h(0, mix_k(long as u32));
    finish(mix_h(low, mix_k((long >> 32) as u32)), 8)
}

/// `String.hashCode`.
fn string_hash_code(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// `Murmur3.hashUnencodedChars`.
fn hash_chars(text: &str) -> i32 {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut h = 0;
    let mut pairs = units.chunks_exact(2);
    for pair in &mut pairs {
        h = mix_h(h, mix_k(u32::from(pair[0]) | (u32::from(pair[1]) << 16)));
    }
    if let [last] = pairs.remainder() {
        h ^= mix_k(u32::from(*last));
    }
    finish(h, units.len() as u32 * 2)
}

fn hash_symbol(name: &str) -> i32 {
    let (namespace, own) = split_name(name);
    let namespace_hash = namespace.map_or(0, string_hash_code);
    let seed = hash_chars(own) as u32;
    let mixed = (namespace_hash as u32)
        .wrapping_add(0x9e37_79b9)
        .wrapping_add(seed << 6)
        .wrapping_add(((seed as i32) >> 2) as u32);
    (seed ^ mixed) as i32
}

/// `BigInteger.hashCode`.
fn big_integer_hash_code(big: &BigInt) -> i32 {
    let (sign, digits) = big.to_u32_digits();
    let hash =
        digits.iter().rev().fold(0_u32, |hash, digit| hash.wrapping_mul(31).wrapping_add(*digit)) as i32;
    if sign == Sign::Minus { hash.wrapping_neg() } else { hash }
}

fn hash_decimal(decimal: &Decimal) -> i32 {
    let stripped = decimal.without_trailing_zeros();
    big_integer_hash_code(stripped.unscaled()).wrapping_mul(31).wrapping_add(stripped.scale() as i32)
}

fn hash_double(double: f64) -> i32 {
    if double == 0.0 {
        return 0;
    }
    // Java has a single NaN.
    let bits = if double.is_nan() { 0x7ff8_0000_0000_0000 } else { double.to_bits() };
    (bits ^ (bits >> 32)) as i32
}

fn mix_collection(sum: u32, count: usize) -> i32 {
    finish(mix_h(0, mix_k(sum)), count as u32)
}

fn hash_ordered<'a>(
    ctx: &mut EvaluationContext<'_>,
    values: impl IntoIterator<Item = &'a Value>,
) -> Result<i32> {
    let (mut sum, mut count) = (1_u32, 0);
    for value in values {
        sum = sum.wrapping_mul(31).wrapping_add(hash(ctx, value)? as u32);
        count += 1;
    }
    Ok(mix_collection(sum, count))
}

/// The hash of a value. Functions and regexes have none.
pub(crate) fn hash(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<i32> {
    ctx.budget.take_steps(1)?;
    if !value.is_compound() {
        ctx.budget.take_steps(value.scan_steps())?;
        return hash_scalar(value);
    }
    ctx.budget.enter_level()?;
    let hash = hash_compound(ctx, value)?;
    ctx.budget.leave_level();
    Ok(hash)
}

/// The hash of a value that holds no others.
fn hash_scalar(value: &Value) -> Result<i32> {
    Ok(match value {
        Value::Nil => 0,
        Value::Bool(true) => 1231,
        Value::Bool(false) => 1237,
        Value::Long(long) => hash_long(*long),
        Value::Double(double) => hash_double(*double),
        Value::BigInt(big) => match i64::try_from(&**big) {
            Ok(long) => hash_long(long),
            Err(_) => big_integer_hash_code(big),
        },
        Value::Ratio(ratio) => big_integer_hash_code(ratio.numer()) ^ big_integer_hash_code(ratio.denom()),
        Value::Decimal(decimal) => hash_decimal(decimal),
        Value::Char(char) => u32::from(*char) as i32,
        Value::Str(text) => hash_int(string_hash_code(text)),
        Value::Symbol(name) => hash_symbol(name),
        Value::Keyword(name) => hash_symbol(name).wrapping_add(0x9e37_79b9_u32 as i32),
        _ => return Err(not_hashable()),
    })
}

fn not_hashable() -> Failure {
    unsupported("functions and regexes as keys, or in sets, are not supported")
}

fn hash_compound(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<i32> {
    Ok(match value {
        Value::Vector(items) => hash_ordered(ctx, &items.values)?,
        Value::Sequence(sequence) => {
            let items = sequence.to_values(ctx)?;
            hash_ordered(ctx, &items)?
        }
        Value::Map(map) => {
            let mut sum = 0_u32;
            for entry in map.entries() {
                sum = sum.wrapping_add(hash_ordered(ctx, [&entry.key, &entry.value])? as u32);
            }
            mix_collection(sum, map.len())
        }
        Value::Set(set) => {
            let mut sum = 0_u32;
            for value in set.values() {
                sum = sum.wrapping_add(hash(ctx, value)? as u32);
            }
            mix_collection(sum, set.len())
        }
        _ => return Err(not_hashable()),
    })
}
