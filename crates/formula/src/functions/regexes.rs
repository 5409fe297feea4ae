//! Regexes: `re-pattern`, `re-find`, `re-matches` and `re-seq`, and what `str/split` and `str/replace` do with a regex.

use std::sync::Arc;

use regex::Captures;

use super::arguments::{regex_argument, string_argument};
use crate::call::call;
use crate::error::{Result, invalid, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::pattern::Pattern;
use crate::value::Value;
use crate::value::function::Builtin;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("re-pattern", (1, 1), |ctx, args| match &args[0] {
        Value::Regex(_) => Ok(args[0].clone()),
        other => {
            let source = string_argument(other)?;
            Pattern::compile(&mut ctx.budget, source).map(|pattern| Value::Regex(Arc::new(pattern)))
        }
    }),
    Builtin::new("re-find", (2, 2), |ctx, args| {
        let text = string_argument(&args[1])?;
        let regex = regex_argument(&args[0])?.search(&mut ctx.budget, text)?;
        match regex.captures(text) {
            Some(found) => match_value(ctx, &found),
            None => Ok(Value::Nil),
        }
    }),
    Builtin::new("re-matches", (2, 2), |ctx, args| {
        let text = string_argument(&args[1])?;
        let regex = regex_argument(&args[0])?.full_match(&mut ctx.budget, text)?;
        match regex.captures(text) {
            Some(found) => match_value(ctx, &found),
            None => Ok(Value::Nil),
        }
    }),
    Builtin::new("re-seq", (2, 2), |ctx, args| {
        let text = string_argument(&args[1])?;
        let mut found = Vec::new();
        for captures in find_all(ctx, regex_argument(&args[0])?, text, usize::MAX)? {
            found.push(match_value(ctx, &captures)?);
        }
        if found.is_empty() {
            return Ok(Value::Nil);
        }
        Value::realized_sequence(&mut ctx.budget, found)
    }),
];

/// The matches that Java's `Matcher.find` finds, `max_count` at most. After an empty match it goes on at the next
/// character, and an empty match may begin where the match before it ended.
fn find_all<'t>(
    ctx: &mut EvaluationContext<'_>,
    pattern: &Pattern,
    text: &'t str,
    max_count: usize,
) -> Result<Vec<Captures<'t>>> {
    let regex = pattern.search(&mut ctx.budget, text)?;
    let (mut found, mut from) = (Vec::new(), 0);
    while from <= text.len() && found.len() < max_count {
        if from > 0 {
            // It may look at all that is left before it finds a short match.
            pattern.take_search_steps(&mut ctx.budget, text.len() - from)?;
        }
        ctx.budget.take_steps(2)?;
        ctx.budget.take_bytes(64 + regex.captures_len() * 32)?;
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

/// A match as `re-find` gives it: its text, or a vector of that and the texts of its groups.
fn match_value(ctx: &mut EvaluationContext<'_>, captures: &Captures<'_>) -> Result<Value> {
    let mut all = Vec::with_capacity(captures.len());
    for group in captures.iter() {
        all.push(match group {
            Some(group) => Value::string(&mut ctx.budget, group.as_str())?,
            None => Value::Nil,
        });
    }
    if all.len() == 1 { Ok(all.swap_remove(0)) } else { Value::vector(&mut ctx.budget, all) }
}

/// `String.split`, by the rules of its `limit`.
pub(super) fn split<'t>(
    ctx: &mut EvaluationContext<'_>,
    pattern: &Pattern,
    text: &'t str,
    limit: i64,
) -> Result<Vec<&'t str>> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let max_count = usize::try_from(limit).unwrap_or(0);
    for found in find_all(ctx, pattern, text, usize::MAX)? {
        let Some(found) = found.get(0) else { continue };
        if max_count > 0 && parts.len() + 1 >= max_count {
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

/// Which matches are replaced.
#[derive(Clone, Copy)]
pub(super) enum Matches {
    First,
    All,
}

impl Matches {
    const fn max_count(self) -> usize {
        match self {
            Self::First => 1,
            Self::All => usize::MAX,
        }
    }
}

/// The text with its matches replaced: by a template, or by what a function gives for each match.
pub(super) fn replace(
    ctx: &mut EvaluationContext<'_>,
    pattern: &Pattern,
    text: &str,
    replacement: &Value,
    matches: Matches,
) -> Result<String> {
    let found = find_all(ctx, pattern, text, matches.max_count())?;
    let (mut replaced, mut from) = (String::with_capacity(text.len()), 0);
    for captures in &found {
        let Some(whole) = captures.get(0) else { continue };
        let before = replaced.len();
        replaced.push_str(&text[from..whole.start()]);
        match replacement {
            Value::Str(template) => expand_template(&mut replaced, template, captures)?,
            function => {
                let found = match_value(ctx, captures)?;
                match call(ctx, function, &[found])? {
                    Value::Str(text) => replaced.push_str(&text),
                    other => {
                        return Err(invalid(format!(
                            "a match is replaced by a string, and this is {}",
                            other.type_name()
                        )));
                    }
                }
            }
        }
        ctx.budget.take_string_growth(before, replaced.len())?;
        from = whole.end();
    }
    replaced.push_str(&text[from..]);
    Ok(replaced)
}

/// Appends a replacement as `Matcher.appendReplacement` does: `$1` is a group, `\x` is x.
fn expand_template(replaced: &mut String, template: &str, captures: &Captures<'_>) -> Result<()> {
    let mut chars = template.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                replaced.push(chars.next().ok_or_else(|| invalid("a replacement cannot end in a backslash"))?)
            }
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
                    return Err(invalid("this replacement names a group that the regex does not have"));
                }
                replaced.push_str(captures.get(group).map_or("", |group| group.as_str()));
            }
            other => replaced.push(other),
        }
    }
    Ok(())
}
