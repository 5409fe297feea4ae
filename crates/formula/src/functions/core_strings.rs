//! Strings, keywords and symbols made of other values, and their parts.

use std::sync::Arc;

use crate::cx::Cx;
use crate::error::{R, unsupported, wrong};
use crate::function::{ANY, Builtin};
use crate::number::integer;
use crate::print::{plainly, printed, text};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("str", (0, ANY), |cx, args| match args {
        [Value::Str(_)] => Ok(args[0].clone()),
        _ => {
            let mut all = String::new();
            for arg in args {
                let before = all.len();
                all.push_str(&text(cx, arg)?);
                cx.budget.growth(before, all.len())?;
            }
            Ok(Value::Str(all.into()))
        }
    }),
    Builtin::new("pr-str", (0, ANY), |cx, args| joined(cx, args, printed)),
    Builtin::new("print-str", (0, ANY), |cx, args| joined(cx, args, plainly)),
    Builtin::new("subs", (2, 3), |cx, args| {
        let Value::Str(whole) = &args[0] else {
            return Err(wrong(format!("`subs` takes a string, and this is {}", args[0].kind_name())));
        };
        let start = integer::int(&args[1])?;
        let end = args.get(2).map(integer::int).transpose()?;
        let part = part(whole, start, end)?;
        Value::text(&mut cx.budget, part)
    }),
    Builtin::new("name", (1, 1), |cx, args| match &args[0] {
        Value::Str(_) => Ok(args[0].clone()),
        Value::Keyword(name) | Value::Symbol(name) => Value::text(&mut cx.budget, split(name).1),
        other => {
            Err(wrong(format!("`name` takes a keyword, symbol or string, and this is {}", other.kind_name())))
        }
    }),
    Builtin::new("namespace", (1, 1), |cx, args| match &args[0] {
        Value::Keyword(name) | Value::Symbol(name) => match split(name).0 {
            Some(space) => Value::text(&mut cx.budget, space),
            None => Ok(Value::Nil),
        },
        other => {
            Err(wrong(format!("`namespace` takes a keyword or symbol, and this is {}", other.kind_name())))
        }
    }),
    Builtin::new("keyword", (1, 2), |cx, args| match args {
        [Value::Keyword(_)] => Ok(args[0].clone()),
        [Value::Str(name) | Value::Symbol(name)] => named(cx, None, name).map(Value::Keyword),
        [Value::Str(space), Value::Str(name)] => named(cx, Some(space), name).map(Value::Keyword),
        [Value::Nil, Value::Str(name)] => named(cx, None, name).map(Value::Keyword),
        [_] => Ok(Value::Nil),
        _ => Err(wrong("`keyword` of two takes strings")),
    }),
    Builtin::new("symbol", (1, 2), |cx, args| match args {
        [Value::Symbol(_)] => Ok(args[0].clone()),
        [Value::Str(name) | Value::Keyword(name)] => named(cx, None, name).map(Value::Symbol),
        [Value::Str(space), Value::Str(name)] => named(cx, Some(space), name).map(Value::Symbol),
        _ => Err(wrong("`symbol` takes strings, or one keyword")),
    }),
    Builtin::new("char", (1, 1), |_, args| match &args[0] {
        Value::Char(_) => Ok(args[0].clone()),
        other => {
            crate::number::kind(other)?;
            let code = u16::try_from(integer::long(other)?).map_err(|_| wrong("a character has 16 bits"))?;
            let char = char::from_u32(code.into());
            char.map(Value::Char).ok_or_else(|| unsupported("halves of surrogate pairs are not supported"))
        }
    }),
];

type Write = fn(&mut Cx<'_>, &Value) -> R<String>;

fn joined(cx: &mut Cx<'_>, args: &[Value], write: Write) -> R<Value> {
    let mut all = String::new();
    for (place, arg) in args.iter().enumerate() {
        let before = all.len();
        if place > 0 {
            all.push(' ');
        }
        all.push_str(&write(cx, arg)?);
        cx.budget.growth(before, all.len())?;
    }
    Ok(Value::Str(all.into()))
}

/// A name's namespace, and its own part.
fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((space, own)) if name != "/" => (Some(space), own),
        _ => (None, name),
    }
}

fn named(cx: &mut Cx<'_>, space: Option<&str>, name: &str) -> R<Arc<str>> {
    cx.budget.text(name.len() + space.map_or(0, str::len))?;
    Ok(space.map_or_else(|| name.into(), |space| format!("{space}/{name}").into()))
}

/// The part of a text between two places, counted in 16-bit units as Java does.
pub(super) fn part(whole: &str, start: i64, end: Option<i64>) -> R<&str> {
    let beyond = || wrong("this reaches beyond the string");
    let start = byte_of(whole, usize::try_from(start).map_err(|_| beyond())?)?.ok_or_else(beyond)?;
    let end = match end {
        Some(end) => byte_of(whole, usize::try_from(end).map_err(|_| beyond())?)?.ok_or_else(beyond)?,
        None => whole.len(),
    };
    whole.get(start..end).ok_or_else(beyond)
}

/// The byte at which a 16-bit unit begins; none past the end.
pub(super) fn byte_of(text: &str, unit: usize) -> R<Option<usize>> {
    if text.is_ascii() {
        return Ok((unit <= text.len()).then_some(unit));
    }
    let mut left = unit;
    for (byte, char) in text.char_indices() {
        if left == 0 {
            return Ok(Some(byte));
        }
        left = match left.checked_sub(char.len_utf16()) {
            Some(left) => left,
            None => return Err(unsupported("halves of surrogate pairs are not supported")),
        };
    }
    Ok((left == 0).then_some(text.len()))
}

/// The 16-bit unit that begins at a byte.
pub(super) fn unit_of(text: &str, byte: usize) -> usize {
    text.get(..byte).map_or(0, |before| before.encode_utf16().count())
}
