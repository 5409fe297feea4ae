//! Trace state (`tracestate`): what the tracing systems on the way of an event keep about its trace, each a member of its own.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What is kept of one, in bytes: so much the standard asks everybody to pass on.
const MAX_BYTES: usize = 512;
const MAX_MEMBERS: usize = 32;
const MAX_KEY_BYTES: usize = 256;
const MAX_VALUE_BYTES: usize = 256;

/// The members of a `tracestate`, joined by commas, newest first. It is sent on as it came, but for blanks and empty members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceState(Arc<str>);

/// What is no `tracestate`, or more than is passed on: it is treated as if there were none.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidTraceState;

impl TraceState {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TraceState {
    type Err = InvalidTraceState;

    /// The value of the header; where it comes in more than one, their values joined by commas.
    fn from_str(text: &str) -> Result<Self, InvalidTraceState> {
        let members: Vec<_> = text
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']))
            .filter(|member| !member.is_empty())
            .collect();
        let mut keys = BTreeSet::new();
        for member in &members {
            let (key, value) = member.split_once('=').ok_or(InvalidTraceState)?;
            if !is_key(key) || !is_value(value) || !keys.insert(key) {
                return Err(InvalidTraceState);
            }
        }
        let joined = members.join(",");
        let is_bounded = (1..=MAX_MEMBERS).contains(&members.len()) && joined.len() <= MAX_BYTES;
        is_bounded.then(|| Self(joined.into())).ok_or(InvalidTraceState)
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_key(key: &str) -> bool {
    let begins_well = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let may_follow = |byte: &u8| begins_well(byte) || b"_-*/@".contains(byte);
    let bytes = key.as_bytes();
    bytes.len() <= MAX_KEY_BYTES && bytes.first().is_some_and(begins_well) && bytes.iter().all(may_follow)
}

/// Printable ASCII; blanks around it are gone already.
fn is_value(value: &str) -> bool {
    let may_stand = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
    (1..=MAX_VALUE_BYTES).contains(&value.len()) && value.bytes().all(may_stand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracestate_by_table() {
        let members = |count: usize| (0..count).map(|key| format!("k{key}=v")).collect::<Vec<_>>().join(",");
        let of_length = |length: usize| {
            let first = format!("a={},", "v".repeat(254));
            format!("{first}b={}", "v".repeat(length - first.len() - 2))
        };
        let read = |text: &str| text.parse::<TraceState>().ok().map(|state| state.to_string());
        for valid in [
            "congo=t61rcWkgMzE",
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
            "tenant@system=a b!",
            "0a-b_c*/d=~",
            &members(32),
            &of_length(512),
        ] {
            assert_eq!(read(valid).as_deref(), Some(valid), "{valid}");
        }
        assert_eq!(read(" a=1 ,\t, b=2\t,").as_deref(), Some("a=1,b=2"), "blanks and empty members");
        for invalid in [
            "",
            " , ",
            "congo",
            "=value",
            "congo=",
            "Congo=t61",
            "@a=b",
            "a b=c",
            "a=b=c",
            "a=1,a=2",
            "a=1,b",
            "a=é",
            "a=\u{7}",
            &members(33),
            &of_length(513),
            &format!("{}=v", "k".repeat(257)),
            &format!("k={}", "v".repeat(257)),
        ] {
            assert_eq!(read(invalid), None, "{invalid}");
        }
    }
}
