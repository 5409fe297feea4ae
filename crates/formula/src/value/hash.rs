//! `clojure.core/hash`: what orders hash maps and sets (Murmur3, as in `clojure.lang.Murmur3` and `Util`).

use num_bigint::{BigInt, Sign};

use super::cx::Cx;
use super::error::{R, unsupported};
use super::number::decimal::Decimal;
use super::price;
use super::value::Value;

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

fn of_int(int: i32) -> i32 {
    if int == 0 { 0 } else { finish(mix_h(0, mix_k(int as u32)), 4) }
}

fn of_long(long: i64) -> i32 {
    if long == 0 {
        return 0;
    }
    let low = mix_h(0, mix_k(long as u32));
    finish(mix_h(low, mix_k((long >> 32) as u32)), 8)
}

/// `String.hashCode`.
fn java_text(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// `Murmur3.hashUnencodedChars`.
fn of_chars(text: &str) -> i32 {
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

fn of_symbol(name: &str) -> i32 {
    let (space, own) = match name.split_once('/') {
        Some((space, own)) if name != "/" => (java_text(space), own),
        _ => (0, name),
    };
    let seed = of_chars(own) as u32;
    let mixed = (space as u32)
        .wrapping_add(0x9e37_79b9)
        .wrapping_add(seed << 6)
        .wrapping_add(((seed as i32) >> 2) as u32);
    (seed ^ mixed) as i32
}

/// `BigInteger.hashCode`.
fn java_big(big: &BigInt) -> i32 {
    let (sign, digits) = big.to_u32_digits();
    let hash =
        digits.iter().rev().fold(0_u32, |hash, digit| hash.wrapping_mul(31).wrapping_add(*digit)) as i32;
    if sign == Sign::Minus { hash.wrapping_neg() } else { hash }
}

fn of_decimal(decimal: &Decimal) -> i32 {
    let stripped = decimal.stripped();
    java_big(stripped.unscaled()).wrapping_mul(31).wrapping_add(stripped.scale() as i32)
}

fn of_double(double: f64) -> i32 {
    if double == 0.0 {
        return 0;
    }
    // Java has one NaN.
    let bits = if double.is_nan() { 0x7ff8_0000_0000_0000 } else { double.to_bits() };
    (bits ^ (bits >> 32)) as i32
}

fn collected(sum: u32, count: usize) -> i32 {
    finish(mix_h(0, mix_k(sum)), count as u32)
}

fn ordered<'a>(cx: &mut Cx<'_>, values: impl IntoIterator<Item = &'a Value>) -> R<i32> {
    let (mut sum, mut count) = (1_u32, 0);
    for value in values {
        sum = sum.wrapping_mul(31).wrapping_add(hash(cx, value)? as u32);
        count += 1;
    }
    Ok(collected(sum, count))
}

pub(super) fn hash(cx: &mut Cx<'_>, value: &Value) -> R<i32> {
    cx.budget.steps(1)?;
    if !value.holds_others() {
        cx.budget.steps(price::value(value))?;
        return of_one(value);
    }
    cx.budget.enter()?;
    let hash = of_all(cx, value)?;
    cx.budget.leave();
    Ok(hash)
}

/// Of a value that holds no others.
fn of_one(value: &Value) -> R<i32> {
    Ok(match value {
        Value::Nil => 0,
        Value::Bool(true) => 1231,
        Value::Bool(false) => 1237,
        Value::Long(long) => of_long(*long),
        Value::Double(double) => of_double(*double),
        Value::Big(big) => match i64::try_from(&**big) {
            Ok(long) => of_long(long),
            Err(_) => java_big(big),
        },
        Value::Ratio(ratio) => java_big(ratio.numer()) ^ java_big(ratio.denom()),
        Value::Decimal(decimal) => of_decimal(decimal),
        Value::Char(char) => u32::from(*char) as i32,
        Value::Str(text) => of_int(java_text(text)),
        Value::Symbol(name) => of_symbol(name),
        Value::Keyword(name) => of_symbol(name).wrapping_add(0x9e37_79b9_u32 as i32),
        _ => return Err(unordered()),
    })
}

fn unordered() -> super::error::Fail {
    unsupported("functions and regexes as keys, or in sets, are not supported")
}

fn of_all(cx: &mut Cx<'_>, value: &Value) -> R<i32> {
    Ok(match value {
        Value::Vector(items) => ordered(cx, &items.values)?,
        Value::Seq(seq) => {
            let items = seq.all(cx)?;
            ordered(cx, &items)?
        }
        Value::Map(map) => {
            let mut sum = 0_u32;
            for entry in map.entries() {
                sum = sum.wrapping_add(ordered(cx, [&entry.key, &entry.value])? as u32);
            }
            collected(sum, map.len())
        }
        Value::Set(set) => {
            let mut sum = 0_u32;
            for value in set.values() {
                sum = sum.wrapping_add(hash(cx, value)? as u32);
            }
            collected(sum, set.len())
        }
        _ => return Err(unordered()),
    })
}
