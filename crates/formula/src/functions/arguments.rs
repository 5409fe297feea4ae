//! Arguments that must be of one kind.

use crate::error::{Result, invalid};
use crate::pattern::Pattern;
use crate::value::Value;

/// A string; an error for any other value.
pub(super) fn string_argument(value: &Value) -> Result<&str> {
    match value {
        Value::Str(text) => Ok(text),
        other => Err(invalid(format!("a string is needed here, and this is {}", other.type_name()))),
    }
}

/// A regex; an error for any other value.
pub(super) fn regex_argument(value: &Value) -> Result<&Pattern> {
    match value {
        Value::Regex(pattern) => Ok(pattern),
        other => Err(invalid(format!(
            "a regex is needed here, such as #\"[0-9]+\", and this is {}",
            other.type_name()
        ))),
    }
}
