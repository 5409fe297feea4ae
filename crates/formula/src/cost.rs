//! What it takes to go through a value once, in steps.
//!
//! A function of the subset that is handed a long text or a large number goes through it, whatever it looks for;
//! so each call pays for what it is handed, and no function needs to remember to.

use super::number::Decimal;
use super::value::Value;

/// Steps for a text of so many bytes.
pub(super) const fn text(bytes: usize) -> usize {
    bytes / 64
}

/// Steps to make capital or small letters of a text of so many bytes.
pub(super) const fn letters(bytes: usize) -> usize {
    bytes / 16
}

/// Steps to multiply, divide or write out a number of so many bits.
pub(super) fn bits(bits: u64) -> usize {
    let words = usize::try_from(bits / 64).unwrap_or(usize::MAX);
    words.saturating_mul(words) / 16
}

/// Steps to find the digits of a double: the further it is from 1, the longer the numbers that it takes.
pub(super) fn double(double: f64) -> usize {
    if double == 0.0 {
        return 8;
    }
    let exponent = ((double.to_bits() >> 52) & 0x7ff) as usize;
    8 + exponent.abs_diff(1023) / 8
}

/// Steps to bring a ratio of so many bits to its lowest terms.
pub(super) fn lowest_terms(bits: u64) -> usize {
    let words = usize::try_from(bits / 64).unwrap_or(usize::MAX);
    words.saturating_mul(words) / 4
}

/// A decimal's zeros are digits, too, once it meets one of another scale.
pub(super) fn decimal(decimal: &Decimal) -> usize {
    bits(decimal.unscaled().bits() + decimal.scale().unsigned_abs() * 10 / 3)
}

pub(super) fn value(value: &Value) -> usize {
    match value {
        Value::Str(held) | Value::Keyword(held) | Value::Symbol(held) => text(held.len()),
        Value::Big(big) => bits(big.bits()),
        Value::Ratio(ratio) => lowest_terms(ratio.numer().bits().max(ratio.denom().bits())),
        Value::Decimal(held) => decimal(held),
        _ => 0,
    }
}
