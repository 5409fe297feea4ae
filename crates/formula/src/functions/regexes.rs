//! `re-find` and its kin, and what strings do with regexes.

use std::sync::Arc;

use regex::Captures;

use super::strings::only_text;
use crate::call::call;
use crate::cx::Cx;
use crate::error::{R, unsupported, wrong};
use crate::function::Builtin;
use crate::pattern::Pattern;
use crate::seq::Seq;
use crate::value::{Items, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("re-pattern", (1, 1), |cx, args| match &args[0] {
        Value::Regex(_) => Ok(args[0].clone()),
        other => {
            let source = only_text(other)?;
            Pattern::made(&mut cx.budget, source).map(|pattern| Value::Regex(Arc::new(pattern)))
        }
    }),
    Builtin::new("re-find", (2, 2), |cx, args| {
        let text = only_text(&args[1])?;
        let regex = pattern(&args[0])?.search(&mut cx.budget, text)?;
        match regex.captures(text) {
            Some(found) => groups(cx, &found),
            None => Ok(Value::Nil),
        }
    }),
    Builtin::new("re-matches", (2, 2), |cx, args| {
        let text = only_text(&args[1])?;
        let regex = pattern(&args[0])?.matches(&mut cx.budget, text)?;
        match regex.captures(text) {
            Some(found) => groups(cx, &found),
            None => Ok(Value::Nil),
        }
    }),
    Builtin::new("re-seq", (2, 2), |cx, args| {
        let text = only_text(&args[1])?;
        let mut found = Vec::new();
        for captures in all(cx, pattern(&args[0])?, text, usize::MAX)? {
            found.push(groups(cx, &captures)?);
        }
        if found.is_empty() {
            return Ok(Value::Nil);
        }
        Ok(Value::Seq(Seq::plain(Items::new(&mut cx.budget, found)?)))
    }),
];

fn pattern(value: &Value) -> R<&Pattern> {
    match value {
        Value::Regex(pattern) => Ok(pattern),
        other => Err(wrong(format!(
            "a regex is needed here, such as #\"[0-9]+\", and this is {}",
            other.kind_name()
        ))),
    }
}

/// All matches, as Java's `find` comes upon them: after an empty one a character further on, and an empty one
/// may begin where the one before it ended.
fn all<'t>(cx: &mut Cx<'_>, pattern: &Pattern, text: &'t str, most: usize) -> R<Vec<Captures<'t>>> {
    let regex = pattern.search(&mut cx.budget, text)?;
    let (mut found, mut from) = (Vec::new(), 0);
    while from <= text.len() && found.len() < most {
        if from > 0 {
            // Before it matches the little that it does, it may have looked at all that is left.
            pattern.scan(&mut cx.budget, text.len() - from)?;
        }
        cx.budget.steps(2)?;
        cx.budget.bytes(64 + regex.captures_len() * 32)?;
        let Some(captures) = regex.captures_at(text, from) else { break };
        let Some(whole) = captures.get(0) else { break };
        from = if whole.is_empty() {
            whole.end() + text[whole.end()..].chars().next().map_or(1, char::len_utf8)
        } else {
            whole.end()
        };
        found.push(captures);
    }
    Ok(found)
}

/// The whole match, or a vector of it and its groups.
fn groups(cx: &mut Cx<'_>, captures: &Captures<'_>) -> R<Value> {
    let mut all = Vec::with_capacity(captures.len());
    for group in captures.iter() {
        all.push(match group {
            Some(group) => Value::text(&mut cx.budget, group.as_str())?,
            None => Value::Nil,
        });
    }
    if all.len() == 1 { Ok(all.swap_remove(0)) } else { Value::vector(&mut cx.budget, all) }
}

/// `String.split`.
pub(super) fn split<'t>(cx: &mut Cx<'_>, pattern: &Pattern, text: &'t str, limit: i64) -> R<Vec<&'t str>> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let most = usize::try_from(limit).unwrap_or(0);
    for found in all(cx, pattern, text, usize::MAX)? {
        let Some(found) = found.get(0) else { continue };
        if most > 0 && parts.len() + 1 >= most {
            break;
        }
        if found.end() == 0 {
            continue;
        }
        parts.push(&text[from..found.start()]);
        from = found.end();
    }
    if from == 0 {
        return Ok(vec![text]);
    }
    parts.push(&text[from..]);
    if limit == 0 {
        while parts.last().is_some_and(|last| last.is_empty()) {
            parts.pop();
        }
    }
    Ok(parts)
}

pub(super) fn replace(
    cx: &mut Cx<'_>,
    pattern: &Pattern,
    text: &str,
    with: &Value,
    first: bool,
) -> R<String> {
    let found = all(cx, pattern, text, if first { 1 } else { usize::MAX })?;
    let (mut made, mut from) = (String::with_capacity(text.len()), 0);
    for captures in &found {
        let Some(whole) = captures.get(0) else { continue };
        let before = made.len();
        made.push_str(&text[from..whole.start()]);
        match with {
            Value::Str(with) => expand(&mut made, with, captures)?,
            function => {
                let groups = groups(cx, captures)?;
                match call(cx, function, &[groups])? {
                    Value::Str(with) => made.push_str(&with),
                    other => {
                        return Err(wrong(format!(
                            "a match is replaced by a string, and this is {}",
                            other.kind_name()
                        )));
                    }
                }
            }
        }
        cx.budget.growth(before, made.len())?;
        from = whole.end();
    }
    made.push_str(&text[from..]);
    Ok(made)
}

/// Java's replacement: `$1` is a group, `\x` is x.
fn expand(made: &mut String, with: &str, captures: &Captures<'_>) -> R<()> {
    let mut chars = with.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => made.push(chars.next().ok_or_else(|| wrong("a replacement cannot end in a backslash"))?),
            '$' => {
                let digit = chars.next().and_then(|next| next.to_digit(10));
                let digit = digit.ok_or_else(|| {
                    unsupported(
                        "`$` in a replacement is followed by the number of a group: write `\\\\$` for itself",
                    )
                })?;
                let mut group = digit as usize;
                while let Some(digit) = chars.peek().and_then(|next| next.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer >= captures.len() {
                        break;
                    }
                    group = longer;
                    chars.next();
                }
                if group >= captures.len() {
                    return Err(wrong("this replacement names a group that the regex does not have"));
                }
                made.push_str(captures.get(group).map_or("", |group| group.as_str()));
            }
            other => made.push(other),
        }
    }
    Ok(())
}
