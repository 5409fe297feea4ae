//! Numbers read from text as Java's `BigInteger` and `BigDecimal` read them.

use std::borrow::Cow;

use num_bigint::BigInt;

use super::Decimal;
use crate::budget::{MAX_DECIMAL_SCALE, MAX_NUMBER_BITS};
use crate::error::{Result, invalid, limit_exceeded};

/// Digits with their sign.
pub(crate) fn with_sign(negative: bool, digits: &str) -> String {
    format!("{}{digits}", if negative { "-" } else { "" })
}

/// The text, if it has the syntax of a decimal without a sign: digits, perhaps a point and more digits, perhaps an
/// exponent.
pub(crate) fn decimal_syntax(text: &str) -> Option<&str> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(index) => (&text[..index], Some(&text[index + 1..])),
        None => (text, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_valid = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !unsigned.is_empty() && all_digits(unsigned)
    });
    (!before.is_empty() && all_digits(before) && all_digits(after) && exponent_is_valid).then_some(text)
}

/// The digit zero of each script whose digits Java 17 reads as digits. It reads 16 bits at a time, so scripts beyond
/// them are missing (`Character.isDigit(char)`).
const SCRIPT_ZEROS: [u32; 36] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// The text with the digits of other scripts replaced by those of ASCII.
pub(crate) fn with_ascii_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let digit = |char: char| {
        let code = u32::from(char);
        let zero = SCRIPT_ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
        char::from_digit(code - zero, 10)
    };
    text.chars().map(|char| digit(char).unwrap_or(char)).collect()
}

/// `new BigInteger(String)`.
pub(crate) fn parse_big_int(text: &str) -> Result<BigInt> {
    let text = &*with_ascii_digits(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.len() as u64 * 3 > MAX_NUMBER_BITS {
        return Err(limit_exceeded("this number has too many digits"));
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("this string is no whole number"));
    }
    BigInt::parse_bytes(text.as_bytes(), 10).ok_or_else(|| invalid("this string is no whole number"))
}

/// `new BigDecimal(String)`.
pub(crate) fn parse_decimal(text: &str) -> Result<Decimal> {
    let text = &*with_ascii_digits(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Java accepts `.5` too.
    let whole = if unsigned.starts_with('.') { format!("0{unsigned}") } else { unsigned.to_owned() };
    let digits = decimal_syntax(&whole).ok_or_else(|| invalid("this string is no number"))?;
    parse_checked_decimal(&with_sign(text.starts_with('-'), digits))
}

/// [`parse_decimal`] of a text whose syntax was checked by [`decimal_syntax`], perhaps with a minus before it.
pub(crate) fn parse_checked_decimal(text: &str) -> Result<Decimal> {
    let too_far = || limit_exceeded(format!("a decimal's exponent is at most {MAX_DECIMAL_SCALE}"));
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(index) => (&text[..index], text[index + 1..].parse::<i64>().map_err(|_| too_far())?),
        None => (text, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (before.len() + after.len()) as u64 * 3 > MAX_NUMBER_BITS {
        return Err(limit_exceeded("this number has too many digits"));
    }
    let digits = format!("{before}{after}");
    let unscaled = BigInt::parse_bytes(digits.as_bytes(), 10).ok_or_else(|| invalid("this is no number"))?;
    let scale = (after.len() as i64).checked_sub(exponent).ok_or_else(too_far)?;
    Decimal::new(unscaled, scale)
}
