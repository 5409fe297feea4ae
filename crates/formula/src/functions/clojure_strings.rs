//! Strings: the functions of `clojure.string`.

use super::arguments::string_argument;
use super::regexes::{self, Matches};
use super::utf16::{byte_offset, unit_offset};
use crate::call::call;
use crate::cost;
use crate::error::{Result, invalid, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::printing::str_text;
use crate::value::Value;
use crate::value::function::Builtin;
use crate::value::iteration::{char_value, items_of};
use crate::value::number::conversion;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("str/upper-case", (1, 1), |ctx, args| map_case(ctx, &args[0], str::to_uppercase)),
    Builtin::new("str/lower-case", (1, 1), |ctx, args| map_case(ctx, &args[0], str::to_lowercase)),
    Builtin::new("str/capitalize", (1, 1), |ctx, args| {
        map_case(ctx, &args[0], |text| {
            let mut chars = text.chars();
            let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
            first + &chars.as_str().to_lowercase()
        })
    }),
    Builtin::new("str/trim", (1, 1), |ctx, args| trim(ctx, &args[0], |text| text.trim_matches(is_space))),
    Builtin::new("str/triml", (1, 1), |ctx, args| {
        trim(ctx, &args[0], |text| text.trim_start_matches(is_space))
    }),
    Builtin::new("str/trimr", (1, 1), |ctx, args| {
        trim(ctx, &args[0], |text| text.trim_end_matches(is_space))
    }),
    Builtin::new("str/trim-newline", (1, 1), |ctx, args| {
        trim(ctx, &args[0], |text| text.trim_end_matches(['\n', '\r']))
    }),
    Builtin::new("str/reverse", (1, 1), |ctx, args| {
        let whole = string_argument(&args[0])?;
        Value::string(&mut ctx.budget, whole.chars().rev().collect::<String>())
    }),
    Builtin::new("str/blank?", (1, 1), |_, args| match &args[0] {
        Value::Nil => Ok(Value::Bool(true)),
        other => Ok(Value::Bool(string_argument(other)?.chars().all(is_space))),
    }),
    Builtin::new("str/includes?", (2, 2), |ctx, args| {
        let whole = required_text(ctx, &args[0])?;
        Ok(Value::Bool(whole.contains(string_argument(&args[1])?)))
    }),
    Builtin::new("str/starts-with?", (2, 2), |ctx, args| {
        let whole = required_text(ctx, &args[0])?;
        Ok(Value::Bool(whole.starts_with(string_argument(&args[1])?)))
    }),
    Builtin::new("str/ends-with?", (2, 2), |ctx, args| {
        let whole = required_text(ctx, &args[0])?;
        Ok(Value::Bool(whole.ends_with(string_argument(&args[1])?)))
    }),
    Builtin::new("str/index-of", (2, 3), |ctx, args| find_text(ctx, args, SearchFrom::Start)),
    Builtin::new("str/last-index-of", (2, 3), |ctx, args| find_text(ctx, args, SearchFrom::End)),
    Builtin::new("str/join", (1, 2), |ctx, args| {
        let (separator, input) = match args {
            [input] => (String::new(), input),
            [separator, input] => (str_text(ctx, separator)?, input),
            _ => return Ok(Value::Nil),
        };
        let mut joined = String::new();
        for (index, value) in items_of(ctx, input)?.iter().enumerate() {
            let before = joined.len();
            if index > 0 {
                joined.push_str(&separator);
            }
            joined.push_str(&str_text(ctx, value)?);
            ctx.budget.take_string_growth(before, joined.len())?;
        }
        Ok(Value::Str(joined.into()))
    }),
    Builtin::new("str/split", (2, 3), |ctx, args| {
        let whole = string_argument(&args[0])?;
        let Value::Regex(pattern) = &args[1] else {
            return Err(invalid("`str/split` splits at a regex, such as #\",\""));
        };
        let limit = args.get(2).map_or(Ok(0), conversion::int)?;
        let parts = regexes::split(ctx, pattern, whole, limit)?;
        let parts =
            parts.into_iter().map(|part| Value::string(&mut ctx.budget, part)).collect::<Result<_>>()?;
        Value::vector(&mut ctx.budget, parts)
    }),
    Builtin::new("str/split-lines", (1, 1), |ctx, args| {
        let whole = string_argument(&args[0])?;
        let mut lines: Vec<&str> = whole.split('\n').collect();
        let has_breaks = lines.len() > 1;
        let broken_lines = lines.len() - 1;
        for line in &mut lines[..broken_lines] {
            *line = line.strip_suffix('\r').unwrap_or(line);
        }
        while has_breaks && lines.len() > 1 && lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        if has_breaks && lines == [""] {
            lines.clear();
        }
        let lines =
            lines.into_iter().map(|line| Value::string(&mut ctx.budget, line)).collect::<Result<_>>()?;
        Value::vector(&mut ctx.budget, lines)
    }),
    Builtin::new("str/replace", (3, 3), |ctx, args| replace(ctx, args, Matches::All)),
    Builtin::new("str/replace-first", (3, 3), |ctx, args| replace(ctx, args, Matches::First)),
    Builtin::new("str/escape", (2, 2), |ctx, args| {
        let whole = string_argument(&args[0])?;
        let mut escaped = String::with_capacity(whole.len());
        for char in whole.chars() {
            let before = escaped.len();
            let replacement = call(ctx, &args[1], &[char_value(char)?])?;
            if replacement.is_true() {
                escaped.push_str(&str_text(ctx, &replacement)?);
            } else {
                escaped.push(char);
            }
            ctx.budget.take_string_growth(before, escaped.len())?;
        }
        Ok(Value::Str(escaped.into()))
    }),
];

/// `Character.isWhitespace`: without the no-break spaces, and with the separators of files, groups, records and units.
fn is_space(char: char) -> bool {
    matches!(char, '\u{1c}'..='\u{1f}')
        || (char.is_whitespace() && !matches!(char, '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}'))
}

/// The text of any value but nil, as `toString` gives it.
fn required_text(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<String> {
    match value {
        Value::Nil => Err(invalid("a string is needed here, and this is nil")),
        other => str_text(ctx, other),
    }
}

/// The text of a value with its case changed.
fn map_case(ctx: &mut EvaluationContext<'_>, value: &Value, map: fn(&str) -> String) -> Result<Value> {
    let whole = required_text(ctx, value)?;
    ctx.budget.take_steps(cost::change_case(whole.len()))?;
    Value::string(&mut ctx.budget, map(&whole))
}

fn trim(ctx: &mut EvaluationContext<'_>, value: &Value, trimmed: fn(&str) -> &str) -> Result<Value> {
    let whole = string_argument(value)?;
    Value::string(&mut ctx.budget, trimmed(whole))
}

/// From which end a text is searched.
#[derive(Clone, Copy)]
enum SearchFrom {
    Start,
    End,
}

/// The index, in 16-bit units, at which a string has another string or a character; nil where it does not.
fn find_text(ctx: &mut EvaluationContext<'_>, args: &[Value], search_from: SearchFrom) -> Result<Value> {
    let whole = required_text(ctx, &args[0])?;
    let sought = match &args[1] {
        Value::Str(sought) => sought.to_string(),
        Value::Char(sought) => sought.to_string(),
        other => {
            return Err(invalid(format!(
                "a string or character is sought, and this is {}",
                other.type_name()
            )));
        }
    };
    ctx.budget.take_steps(cost::scan_text(whole.len()))?;
    let units = whole.encode_utf16().count() as i64;
    let from = args.get(2).map(conversion::int).transpose()?;
    let found = match (search_from, from) {
        (SearchFrom::Start, from) => {
            let from = from.unwrap_or(0).clamp(0, units) as usize;
            let start = byte_offset(&whole, from)?.unwrap_or(whole.len());
            whole[start..].find(&sought).map(|byte| byte + start)
        }
        (SearchFrom::End, Some(..0)) => None,
        (SearchFrom::End, from) => {
            let from = from.unwrap_or(units).min(units) as usize;
            let start = byte_offset(&whole, from)?.unwrap_or(whole.len());
            let end = (start + sought.len()).min(whole.len());
            match whole.get(..end) {
                Some(before) => before.rfind(&sought),
                None => return Err(unsupported("this search in a text beyond ASCII is not supported")),
            }
        }
    };
    Ok(found.map_or(Value::Nil, |byte| Value::Long(unit_offset(&whole, byte) as i64)))
}

fn replace(ctx: &mut EvaluationContext<'_>, args: &[Value], matches: Matches) -> Result<Value> {
    let whole = required_text(ctx, &args[0])?;
    let replaced = match (&args[1], &args[2]) {
        (Value::Str(sought), Value::Str(replacement)) => {
            replace_text(ctx, &whole, sought, replacement, matches)?
        }
        (Value::Char(sought), Value::Char(replacement)) => {
            replace_text(ctx, &whole, &sought.to_string(), &replacement.to_string(), matches)?
        }
        (Value::Regex(pattern), replacement) => regexes::replace(ctx, pattern, &whole, replacement, matches)?,
        _ => {
            return Err(invalid(
                "what is replaced and what replaces it are two strings, two characters, or a regex and a string or function",
            ));
        }
    };
    Value::string(&mut ctx.budget, replaced)
}

fn replace_text(
    ctx: &mut EvaluationContext<'_>,
    whole: &str,
    sought: &str,
    replacement: &str,
    matches: Matches,
) -> Result<String> {
    let count = match matches {
        Matches::First => 1,
        Matches::All => whole.matches(sought).count(),
    };
    ctx.budget.take_string(whole.len() + count.saturating_mul(replacement.len()))?;
    Ok(match matches {
        Matches::First => whole.replacen(sought, replacement, 1),
        Matches::All => whole.replace(sought, replacement),
    })
}
