//! Numbers and booleans read from text.

use super::strings::only_text;
use crate::error::{R, wrong};
use crate::function::Builtin;
use crate::number::parse::in_ascii;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("parse-long", (1, 1), |_, args| {
        Ok(long(only_text(&args[0])?).map_or(Value::Nil, Value::Long))
    }),
    Builtin::new("parse-double", (1, 1), |_, args| {
        Ok(double(only_text(&args[0])?)?.map_or(Value::Nil, Value::Double))
    }),
    Builtin::new("parse-boolean", (1, 1), |_, args| {
        Ok(match only_text(&args[0])? {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Nil,
        })
    }),
    Builtin::new("Long/parseLong", (1, 1), |_, args| {
        long(only_text(&args[0])?)
            .map(Value::Long)
            .ok_or_else(|| wrong("this string is no whole number of 64 bits"))
    }),
    Builtin::new("Double/parseDouble", (1, 1), |_, args| {
        double(only_text(&args[0])?)?.map(Value::Double).ok_or_else(|| wrong("this string is no number"))
    }),
];

fn long(text: &str) -> Option<i64> {
    in_ascii(text).parse().ok()
}

/// As `Double.valueOf` takes it: spaces around it, and a letter for its type behind it.
fn double(text: &str) -> R<Option<f64>> {
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
        return Err(crate::error::unsupported("hexadecimal doubles are not supported"));
    }
    let digits = trimmed.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(trimmed);
    if !digits.ends_with(|char: char| char.is_ascii_digit() || char == '.')
        || unsigned.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        return Ok(None);
    }
    Ok(digits.parse().ok())
}
