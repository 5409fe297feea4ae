//! Number literals, as Clojure's reader reads them (`LispReader.matchNumber`).

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use crate::budget::MAX_NUMBER_BITS;
use crate::decimal::text::{decimal_syntax, parse_checked_decimal, with_sign};
use crate::error::{Failure, Result, invalid, limit_exceeded};
use crate::form::Literal;

fn invalid_number(token: &str) -> Failure {
    invalid(format!("`{token}` is no number"))
}

/// The number that a token is. The token begins with a digit, perhaps after a sign.
pub(super) fn number(token: &str) -> Result<Literal> {
    let (negative, digits) = match token.as_bytes() {
        [b'-', ..] => (true, &token[1..]),
        [b'+', ..] => (false, &token[1..]),
        _ => (false, token),
    };
    if let Some((numerator, denominator)) = digits.split_once('/') {
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        return if all_digits(numerator) && all_digits(denominator) {
            ratio(integer(numerator, 10, token)?, integer(denominator, 10, token)?, negative)
        } else {
            Err(invalid_number(token))
        };
    }
    if let Some(plain) = digits.strip_suffix('M') {
        let digits = decimal_syntax(plain).ok_or_else(|| invalid_number(token))?;
        return parse_checked_decimal(&with_sign(negative, digits))
            .map(|decimal| Literal::Decimal(Arc::new(decimal)));
    }
    if let Some(whole) = whole_number(digits, token)? {
        let number = if negative { -whole } else { whole };
        let long = number.to_i64().filter(|_| !digits.ends_with('N') || is_radix(digits));
        return Ok(long.map_or_else(|| Literal::BigInt(Arc::new(number)), Literal::Long));
    }
    let plain = decimal_syntax(digits).ok_or_else(|| invalid_number(token))?;
    with_sign(negative, plain).parse().map(Literal::Double).map_err(|_| invalid_number(token))
}

fn is_radix(digits: &str) -> bool {
    digits.find(['r', 'R']).is_some_and(|index| index <= 2)
}

fn ratio(numerator: BigInt, denominator: BigInt, negative: bool) -> Result<Literal> {
    if denominator.is_zero() {
        return Err(invalid("divide by zero"));
    }
    let ratio = BigRational::new(if negative { -numerator } else { numerator }, denominator);
    Ok(match ratio.is_integer().then(|| ratio.to_integer()) {
        Some(whole) => whole.to_i64().map_or_else(|| Literal::BigInt(Arc::new(whole)), Literal::Long),
        None => Literal::Ratio(Arc::new(ratio)),
    })
}

/// The whole number that these digits are, in any of the reader's notations; none if they have another syntax.
fn whole_number(digits: &str, token: &str) -> Result<Option<BigInt>> {
    if let Some(index) = digits.find(['r', 'R']).filter(|index| (1..=2).contains(index)) {
        let radix: u32 = digits[..index].parse().map_err(|_| invalid_number(token))?;
        if !(2..=36).contains(&radix) || digits.starts_with('0') {
            return Err(invalid_number(token));
        }
        // An `N` at the end is a digit here, in radixes that have it.
        return integer(&digits[index + 1..], radix, token).map(Some);
    }
    let plain = digits.strip_suffix('N').unwrap_or(digits);
    let hexadecimal = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X"));
    if let Some(rest) = hexadecimal {
        return integer(rest, 16, token).map(Some);
    }
    if plain.bytes().any(|byte| !byte.is_ascii_digit()) || plain.is_empty() {
        return Ok(None);
    }
    match plain.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        Some(octal) => integer(octal, 8, token).map(Some),
        None => integer(plain, 10, token).map(Some),
    }
}

fn integer(digits: &str, radix: u32, token: &str) -> Result<BigInt> {
    if digits.len() as u64 * 6 > MAX_NUMBER_BITS * 2 {
        return Err(limit_exceeded("this number has too many digits"));
    }
    // `parse_bytes` would accept `1_000`, and a sign.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(invalid_number(token));
    }
    BigInt::parse_bytes(digits.as_bytes(), radix).ok_or_else(|| invalid_number(token))
}
