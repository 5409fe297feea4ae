//! Parsing: numbers and booleans from text.

use super::arguments::string_argument;
use crate::decimal::text::with_ascii_digits;
use crate::error::{Result, invalid, unsupported};
use crate::value::Value;
use crate::value::function::Builtin;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("parse-long", (1, 1), |_, args| {
        Ok(long(string_argument(&args[0])?).map_or(Value::Nil, Value::Long))
    }),
    Builtin::new("parse-double", (1, 1), |_, args| {
        Ok(double(string_argument(&args[0])?)?.map_or(Value::Nil, Value::Double))
    }),
    Builtin::new("parse-boolean", (1, 1), |_, args| {
        Ok(match string_argument(&args[0])? {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Nil,
        })
    }),
    Builtin::new("Long/parseLong", (1, 1), |_, args| {
        long(string_argument(&args[0])?)
            .map(Value::Long)
            .ok_or_else(|| invalid("this string is no whole number of 64 bits"))
    }),
    Builtin::new("Double/parseDouble", (1, 1), |_, args| {
        double(string_argument(&args[0])?)?
            .map(Value::Double)
            .ok_or_else(|| invalid("this string is no number"))
    }),
];

fn long(text: &str) -> Option<i64> {
    with_ascii_digits(text).parse().ok()
}

/// A double as `Double.valueOf` parses it, perhaps with spaces around it and a letter for its type behind it.
fn double(text: &str) -> Result<Option<f64>> {
    let trimmed = text.trim_matches(|char: char| char <= ' ');
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    match unsigned {
        "NaN" => return Ok(Some(f64::NAN)),
        "Infinity" => {
            return Ok(Some(if trimmed.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }));
        }
        _ => {}
    }
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        return Err(unsupported("hexadecimal doubles are not supported"));
    }
    let digits = trimmed.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(trimmed);
    if !digits.ends_with(|char: char| char.is_ascii_digit() || char == '.')
        || unsigned.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        return Ok(None);
    }
    Ok(digits.parse().ok())
}
