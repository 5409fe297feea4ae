//! `clojure.string`.

use super::regexes;
use super::texts::{byte_of, unit_of};
use crate::call::call;
use crate::cx::Cx;
use crate::error::{R, unsupported, wrong};
use crate::function::Builtin;
use crate::number::integer;
use crate::price;
use crate::print::text;
use crate::seqable;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("str/upper-case", (1, 1), |cx, args| made(cx, &args[0], str::to_uppercase)),
    Builtin::new("str/lower-case", (1, 1), |cx, args| made(cx, &args[0], str::to_lowercase)),
    Builtin::new("str/capitalize", (1, 1), |cx, args| {
        made(cx, &args[0], |text| {
            let mut chars = text.chars();
            let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
            first + &chars.as_str().to_lowercase()
        })
    }),
    Builtin::new("str/trim", (1, 1), |cx, args| cut(cx, &args[0], |text| text.trim_matches(is_space))),
    Builtin::new("str/triml", (1, 1), |cx, args| cut(cx, &args[0], |text| text.trim_start_matches(is_space))),
    Builtin::new("str/trimr", (1, 1), |cx, args| cut(cx, &args[0], |text| text.trim_end_matches(is_space))),
    Builtin::new("str/trim-newline", (1, 1), |cx, args| {
        cut(cx, &args[0], |text| text.trim_end_matches(['\n', '\r']))
    }),
    Builtin::new("str/reverse", (1, 1), |cx, args| {
        let whole = only_text(&args[0])?;
        Value::text(&mut cx.budget, whole.chars().rev().collect::<String>())
    }),
    Builtin::new("str/blank?", (1, 1), |_, args| match &args[0] {
        Value::Nil => Ok(Value::Bool(true)),
        other => Ok(Value::Bool(only_text(other)?.chars().all(is_space))),
    }),
    Builtin::new("str/includes?", (2, 2), |cx, args| {
        let whole = any_text(cx, &args[0])?;
        Ok(Value::Bool(whole.contains(only_text(&args[1])?)))
    }),
    Builtin::new("str/starts-with?", (2, 2), |cx, args| {
        let whole = any_text(cx, &args[0])?;
        Ok(Value::Bool(whole.starts_with(only_text(&args[1])?)))
    }),
    Builtin::new("str/ends-with?", (2, 2), |cx, args| {
        let whole = any_text(cx, &args[0])?;
        Ok(Value::Bool(whole.ends_with(only_text(&args[1])?)))
    }),
    Builtin::new("str/index-of", (2, 3), |cx, args| place(cx, args, false)),
    Builtin::new("str/last-index-of", (2, 3), |cx, args| place(cx, args, true)),
    Builtin::new("str/join", (1, 2), |cx, args| {
        let (between, input) = match args {
            [input] => (String::new(), input),
            [between, input] => (text(cx, between)?, input),
            _ => return Ok(Value::Nil),
        };
        let mut joined = String::new();
        for (place, value) in seqable::values(cx, input)?.iter().enumerate() {
            let before = joined.len();
            if place > 0 {
                joined.push_str(&between);
            }
            joined.push_str(&text(cx, value)?);
            cx.budget.growth(before, joined.len())?;
        }
        Ok(Value::Str(joined.into()))
    }),
    Builtin::new("str/split", (2, 3), |cx, args| {
        let whole = only_text(&args[0])?;
        let Value::Regex(pattern) = &args[1] else {
            return Err(wrong("`str/split` splits at a regex, such as #\",\""));
        };
        let limit = args.get(2).map_or(Ok(0), integer::int)?;
        let parts = regexes::split(cx, pattern, whole, limit)?;
        let parts = parts.into_iter().map(|part| Value::text(&mut cx.budget, part)).collect::<R<_>>()?;
        Value::vector(&mut cx.budget, parts)
    }),
    Builtin::new("str/split-lines", (1, 1), |cx, args| {
        let whole = only_text(&args[0])?;
        let mut lines: Vec<&str> = whole.split('\n').collect();
        let many = lines.len() > 1;
        let ended = lines.len() - 1;
        for line in &mut lines[..ended] {
            *line = line.strip_suffix('\r').unwrap_or(line);
        }
        while many && lines.len() > 1 && lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        if many && lines == [""] {
            lines.clear();
        }
        let lines = lines.into_iter().map(|line| Value::text(&mut cx.budget, line)).collect::<R<_>>()?;
        Value::vector(&mut cx.budget, lines)
    }),
    Builtin::new("str/replace", (3, 3), |cx, args| replace(cx, args, false)),
    Builtin::new("str/replace-first", (3, 3), |cx, args| replace(cx, args, true)),
    Builtin::new("str/escape", (2, 2), |cx, args| {
        let whole = only_text(&args[0])?;
        let mut escaped = String::with_capacity(whole.len());
        for char in whole.chars() {
            let before = escaped.len();
            let with = call(cx, &args[1], &[seqable::character(char)?])?;
            if with.is_true() {
                escaped.push_str(&text(cx, &with)?);
            } else {
                escaped.push(char);
            }
            cx.budget.growth(before, escaped.len())?;
        }
        Ok(Value::Str(escaped.into()))
    }),
];

/// `Character.isWhitespace`: no no-break spaces, and the separators of files, groups, records and units.
fn is_space(char: char) -> bool {
    matches!(char, '\u{1c}'..='\u{1f}')
        || (char.is_whitespace() && !matches!(char, '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}'))
}

/// A string; nothing else.
pub(super) fn only_text(value: &Value) -> R<&str> {
    match value {
        Value::Str(text) => Ok(text),
        other => Err(wrong(format!("a string is needed here, and this is {}", other.kind_name()))),
    }
}

/// The text of anything but nil, as `toString` gives it.
fn any_text(cx: &mut Cx<'_>, value: &Value) -> R<String> {
    match value {
        Value::Nil => Err(wrong("a string is needed here, and this is nil")),
        other => text(cx, other),
    }
}

fn made(cx: &mut Cx<'_>, value: &Value, make: fn(&str) -> String) -> R<Value> {
    let whole = any_text(cx, value)?;
    cx.budget.steps(price::letters(whole.len()))?;
    Value::text(&mut cx.budget, make(&whole))
}

fn cut(cx: &mut Cx<'_>, value: &Value, cut: fn(&str) -> &str) -> R<Value> {
    let whole = only_text(value)?;
    Value::text(&mut cx.budget, cut(whole))
}

fn place(cx: &mut Cx<'_>, args: &[Value], last: bool) -> R<Value> {
    let whole = any_text(cx, &args[0])?;
    let sought = match &args[1] {
        Value::Str(sought) => sought.to_string(),
        Value::Char(sought) => sought.to_string(),
        other => {
            return Err(wrong(format!("a string or character is sought, and this is {}", other.kind_name())));
        }
    };
    cx.budget.steps(whole.len() / 64)?;
    let units = whole.encode_utf16().count() as i64;
    let from = args.get(2).map(integer::int).transpose()?;
    let found = match (last, from) {
        (false, from) => {
            let from = from.unwrap_or(0).clamp(0, units) as usize;
            let start = byte_of(&whole, from)?.unwrap_or(whole.len());
            whole[start..].find(&sought).map(|byte| byte + start)
        }
        (true, Some(..0)) => None,
        (true, from) => {
            let from = from.unwrap_or(units).min(units) as usize;
            let start = byte_of(&whole, from)?.unwrap_or(whole.len());
            let end = (start + sought.len()).min(whole.len());
            match whole.get(..end) {
                Some(before) => before.rfind(&sought),
                None => return Err(unsupported("this search in a text beyond ASCII is not supported")),
            }
        }
    };
    Ok(found.map_or(Value::Nil, |byte| Value::Long(unit_of(&whole, byte) as i64)))
}

fn replace(cx: &mut Cx<'_>, args: &[Value], first: bool) -> R<Value> {
    let whole = any_text(cx, &args[0])?;
    let replaced = match (&args[1], &args[2]) {
        (Value::Str(sought), Value::Str(with)) => plainly(cx, &whole, sought, with, first)?,
        (Value::Char(sought), Value::Char(with)) => {
            plainly(cx, &whole, &sought.to_string(), &with.to_string(), first)?
        }
        (Value::Regex(pattern), with) => regexes::replace(cx, pattern, &whole, with, first)?,
        _ => {
            return Err(wrong(
                "what is replaced and what replaces it are two strings, two characters, or a regex and a string or function",
            ));
        }
    };
    Value::text(&mut cx.budget, replaced)
}

fn plainly(cx: &mut Cx<'_>, whole: &str, sought: &str, with: &str, first: bool) -> R<String> {
    let count = if first { 1 } else { whole.matches(sought).count() };
    cx.budget.text(whole.len() + count.saturating_mul(with.len()))?;
    Ok(if first { whole.replacen(sought, with, 1) } else { whole.replace(sought, with) })
}
