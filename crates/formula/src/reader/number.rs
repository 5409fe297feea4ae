//! Numbers as they are written.

use std::borrow::Cow;
use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use super::decimal::Decimal;
use crate::budget::{MAX_BITS, MAX_SCALE};
use crate::error::{Fail, R, limit, wrong};
use crate::form::Literal;

fn invalid(token: &str) -> Fail {
    wrong(format!("`{token}` is no number"))
}

/// A number as Clojure's reader takes it.
pub(crate) fn number(token: &str) -> R<Literal> {
    let (negative, digits) = match token.as_bytes() {
        [b'-', ..] => (true, &token[1..]),
        [b'+', ..] => (false, &token[1..]),
        _ => (false, token),
    };
    if let Some((over, under)) = digits.split_once('/') {
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        return if all_digits(over) && all_digits(under) {
            ratio(integer(over, 10, token)?, integer(under, 10, token)?, negative)
        } else {
            Err(invalid(token))
        };
    }
    if let Some(plain) = digits.strip_suffix('M') {
        let digits = checked_decimal(plain).ok_or_else(|| invalid(token))?;
        return decimal(&signed(negative, digits)).map(|decimal| Literal::Decimal(Arc::new(decimal)));
    }
    if let Some(whole) = whole(digits, token)? {
        let number = if negative { -whole } else { whole };
        let long = number.to_i64().filter(|_| !digits.ends_with('N') || is_radix(digits));
        return Ok(long.map_or_else(|| Literal::Big(Arc::new(number)), Literal::Long));
    }
    let plain = checked_decimal(digits).ok_or_else(|| invalid(token))?;
    signed(negative, plain).parse().map(Literal::Double).map_err(|_| invalid(token))
}

fn signed(negative: bool, digits: &str) -> String {
    format!("{}{digits}", if negative { "-" } else { "" })
}

fn is_radix(digits: &str) -> bool {
    digits.find(['r', 'R']).is_some_and(|place| place <= 2)
}

fn ratio(over: BigInt, under: BigInt, negative: bool) -> R<Literal> {
    if under.is_zero() {
        return Err(wrong("divide by zero"));
    }
    let ratio = BigRational::new(if negative { -over } else { over }, under);
    Ok(match ratio.is_integer().then(|| ratio.to_integer()) {
        Some(whole) => whole.to_i64().map_or_else(|| Literal::Big(Arc::new(whole)), Literal::Long),
        None => Literal::Ratio(Arc::new(ratio)),
    })
}

/// A whole number in any of the reader's spellings; none if it is spelt as something else.
fn whole(digits: &str, token: &str) -> R<Option<BigInt>> {
    if let Some(place) = digits.find(['r', 'R']).filter(|place| (1..=2).contains(place)) {
        let radix: u32 = digits[..place].parse().map_err(|_| invalid(token))?;
        if !(2..=36).contains(&radix) || digits.starts_with('0') {
            return Err(invalid(token));
        }
        // An `N` at its end is a digit, of those radixes that have it.
        return integer(&digits[place + 1..], radix, token).map(Some);
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

fn integer(digits: &str, radix: u32, token: &str) -> R<BigInt> {
    if digits.len() as u64 * 6 > MAX_BITS * 2 {
        return Err(limit("this number has too many digits"));
    }
    // The crate would take `1_000`, and a sign.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(invalid(token));
    }
    BigInt::parse_bytes(digits.as_bytes(), radix).ok_or_else(|| invalid(token))
}

/// Digits, perhaps a point and more digits, perhaps an exponent.
fn checked_decimal(text: &str) -> Option<&str> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_good = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !unsigned.is_empty() && digits(unsigned)
    });
    (!before.is_empty() && digits(before) && digits(after) && exponent_is_good).then_some(text)
}

/// Where the digits of each script begin, as far as Java 17 takes them for digits: it looks at 16 bits at a time.
const ZEROS: [u32; 36] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// The same with the digits of other scripts as those of ASCII.
pub(crate) fn in_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let digit = |char: char| {
        let code = u32::from(char);
        let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
        char::from_digit(code - zero, 10)
    };
    text.chars().map(|char| digit(char).unwrap_or(char)).collect()
}

/// `new BigInteger(String)`.
pub(crate) fn whole_text(text: &str) -> R<BigInt> {
    let text = &*in_ascii(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.len() as u64 * 3 > MAX_BITS {
        return Err(limit("this number has too many digits"));
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("this string is no whole number"));
    }
    BigInt::parse_bytes(text.as_bytes(), 10).ok_or_else(|| wrong("this string is no whole number"))
}

/// `new BigDecimal(String)`.
pub(crate) fn decimal_text(text: &str) -> R<Decimal> {
    let text = &*in_ascii(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Java takes `.5` too.
    let whole = if unsigned.starts_with('.') { format!("0{unsigned}") } else { unsigned.to_owned() };
    let digits = checked_decimal(&whole).ok_or_else(|| wrong("this string is no number"))?;
    decimal(&signed(text.starts_with('-'), digits))
}

/// As [`decimal_text`], of text that is known to be well-formed.
pub(crate) fn decimal(text: &str) -> R<Decimal> {
    let too_far = || limit(format!("a decimal's exponent is at most {MAX_SCALE}"));
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(place) => (&text[..place], text[place + 1..].parse::<i64>().map_err(|_| too_far())?),
        None => (text, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (before.len() + after.len()) as u64 * 3 > MAX_BITS {
        return Err(limit("this number has too many digits"));
    }
    let digits = format!("{before}{after}");
    let unscaled = BigInt::parse_bytes(digits.as_bytes(), 10).ok_or_else(|| wrong("this is no number"))?;
    let scale = (after.len() as i64).checked_sub(exponent).ok_or_else(too_far)?;
    Decimal::new(unscaled, scale)
}
