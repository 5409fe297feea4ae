//! Strings, keywords and symbols, as `clojure.core` makes them and takes them apart.

use std::sync::Arc;

use super::utf16::substring;
use crate::error::{Result, invalid, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::name::split_name;
use crate::printing::{pr_str, print_str, str_text};
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::number::{conversion, require_number};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("str", (0, ANY_COUNT), |ctx, args| match args {
        [Value::Str(_)] => Ok(args[0].clone()),
        _ => {
            let mut all = String::new();
            for arg in args {
                let before = all.len();
                all.push_str(&str_text(ctx, arg)?);
                ctx.budget.take_string_growth(before, all.len())?;
            }
            Ok(Value::Str(all.into()))
        }
    }),
    Builtin::new("pr-str", (0, ANY_COUNT), |ctx, args| joined(ctx, args, pr_str)),
    Builtin::new("print-str", (0, ANY_COUNT), |ctx, args| joined(ctx, args, print_str)),
    Builtin::new("subs", (2, 3), |ctx, args| {
        let Value::Str(whole) = &args[0] else {
            return Err(invalid(format!("`subs` takes a string, and this is {}", args[0].type_name())));
        };
        let start = conversion::int(&args[1])?;
        let end = args.get(2).map(conversion::int).transpose()?;
        Value::string(&mut ctx.budget, substring(whole, start, end)?)
    }),
    Builtin::new("name", (1, 1), |ctx, args| match &args[0] {
        Value::Str(_) => Ok(args[0].clone()),
        Value::Keyword(name) | Value::Symbol(name) => Value::string(&mut ctx.budget, split_name(name).1),
        other => Err(invalid(format!(
            "`name` takes a keyword, symbol or string, and this is {}",
            other.type_name()
        ))),
    }),
    Builtin::new("namespace", (1, 1), |ctx, args| match &args[0] {
        Value::Keyword(name) | Value::Symbol(name) => match split_name(name).0 {
            Some(namespace) => Value::string(&mut ctx.budget, namespace),
            None => Ok(Value::Nil),
        },
        other => {
            Err(invalid(format!("`namespace` takes a keyword or symbol, and this is {}", other.type_name())))
        }
    }),
    Builtin::new("keyword", (1, 2), |ctx, args| match args {
        [Value::Keyword(_)] => Ok(args[0].clone()),
        [Value::Str(name) | Value::Symbol(name)] => qualified_name(ctx, None, name).map(Value::Keyword),
        [Value::Str(namespace), Value::Str(name)] => {
            qualified_name(ctx, Some(namespace), name).map(Value::Keyword)
        }
        [Value::Nil, Value::Str(name)] => qualified_name(ctx, None, name).map(Value::Keyword),
        [_] => Ok(Value::Nil),
        _ => Err(invalid("`keyword` of two takes strings")),
    }),
    Builtin::new("symbol", (1, 2), |ctx, args| match args {
        [Value::Symbol(_)] => Ok(args[0].clone()),
        [Value::Str(name) | Value::Keyword(name)] => qualified_name(ctx, None, name).map(Value::Symbol),
        [Value::Str(namespace), Value::Str(name)] => {
            qualified_name(ctx, Some(namespace), name).map(Value::Symbol)
        }
        _ => Err(invalid("`symbol` takes strings, or one keyword")),
    }),
    Builtin::new("char", (1, 1), |_, args| match &args[0] {
        Value::Char(_) => Ok(args[0].clone()),
        other => {
            require_number(other)?;
            let code =
                u16::try_from(conversion::long(other)?).map_err(|_| invalid("a character has 16 bits"))?;
            let char = char::from_u32(code.into());
            char.map(Value::Char).ok_or_else(|| unsupported("halves of surrogate pairs are not supported"))
        }
    }),
];

/// The texts of all arguments, with spaces between them.
fn joined(
    ctx: &mut EvaluationContext<'_>,
    args: &[Value],
    text_of: fn(&mut EvaluationContext<'_>, &Value) -> Result<String>,
) -> Result<Value> {
    let mut all = String::new();
    for (index, arg) in args.iter().enumerate() {
        let before = all.len();
        if index > 0 {
            all.push(' ');
        }
        all.push_str(&text_of(ctx, arg)?);
        ctx.budget.take_string_growth(before, all.len())?;
    }
    Ok(Value::Str(all.into()))
}

/// A name, after its namespace if there is one.
fn qualified_name(ctx: &mut EvaluationContext<'_>, namespace: Option<&str>, name: &str) -> Result<Arc<str>> {
    ctx.budget.take_string(name.len() + namespace.map_or(0, str::len))?;
    Ok(namespace.map_or_else(|| name.into(), |namespace| format!("{namespace}/{name}").into()))
}
