//! `format`, with the conversions `%s %d %f %x %c %b %%` and `%n` (`java.util.Formatter`).

use super::arguments::string_argument;
use super::format_directive::Directive;
use crate::cost;
use crate::double;
use crate::error::{Failure, Result, invalid, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::printing::str_text;
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin};

pub(super) const FUNCTIONS: &[Builtin] = &[Builtin::new("format", (1, ANY_COUNT), |ctx, args| {
    let template = string_argument(&args[0])?;
    let (mut written, mut next_argument, mut rest) = (String::new(), 0, template);
    while let Some(index) = rest.find('%') {
        let before = written.len();
        written.push_str(&rest[..index]);
        let (directive, after) = Directive::parse(&rest[index + 1..])?;
        rest = after;
        write_argument(&directive, ctx, &args[1..], &mut next_argument, &mut written)?;
        ctx.budget.take_string_growth(before, written.len())?;
    }
    written.push_str(rest);
    Value::string(&mut ctx.budget, written)
})];

/// Appends an argument as the directive formats it.
fn write_argument(
    directive: &Directive,
    ctx: &mut EvaluationContext<'_>,
    args: &[Value],
    next_argument: &mut usize,
    out: &mut String,
) -> Result<()> {
    if (directive.aligns_left || directive.pads_with_zeros) && directive.width.is_none()
        || directive.aligns_left && directive.pads_with_zeros
        || directive.shows_plus && directive.shows_space
    {
        return Err(invalid("these flags of `format` do not go together, or lack a width"));
    }
    let has_numeric_flag =
        directive.pads_with_zeros || directive.groups_digits || directive.shows_plus || directive.shows_space;
    match directive.conversion {
        'n' => {
            if has_numeric_flag
                || directive.aligns_left
                || directive.width.is_some()
                || directive.precision.is_some()
            {
                return Err(invalid("`%n` of `format` takes no flags"));
            }
            out.push('\n');
            return Ok(());
        }
        '%' => {
            if has_numeric_flag || directive.precision.is_some() {
                return Err(invalid("`%%` of `format` takes no such flags"));
            }
            directive.pad("%", out);
            return Ok(());
        }
        _ => {}
    }
    let index = match directive.argument_number {
        Some(number) => number.checked_sub(1),
        None => {
            *next_argument += 1;
            Some(*next_argument - 1)
        }
    };
    let value =
        index.and_then(|index| args.get(index)).ok_or_else(|| invalid("`format` has too few arguments"))?;
    ctx.budget.take_steps(1 + value.scan_steps())?;
    let written = match (directive.conversion, value) {
        ('s' | 'S' | 'b' | 'B' | 'c' | 'C', _) if has_numeric_flag => {
            return Err(invalid(format!("`%{}` of `format` takes no such flags", directive.conversion)));
        }
        ('d' | 'x' | 'X' | 'c' | 'C', _) if directive.precision.is_some() => {
            return Err(invalid(format!("`%{}` of `format` takes no precision", directive.conversion)));
        }
        ('x' | 'X', _) if directive.groups_digits || directive.shows_plus || directive.shows_space => {
            return Err(invalid("`%x` of `format` takes no such flags"));
        }
        ('b' | 'B', _) => directive.truncate(if value.is_true() { "true" } else { "false" }.into())?,
        ('s' | 'S' | 'd' | 'f' | 'x' | 'X' | 'c' | 'C', Value::Nil) => directive.truncate("null".into())?,
        ('s' | 'S', value) => {
            let whole = str_text(ctx, value)?;
            directive.truncate(whole)?
        }
        ('d', Value::Long(long)) => directive.number_text(*long < 0, long.unsigned_abs().to_string(), ""),
        ('x' | 'X', Value::Long(long)) => directive.number_text(false, format!("{long:x}"), ""),
        ('f', Value::Double(value)) if value.is_finite() => {
            ctx.budget.take_steps(cost::double_digits(*value) + directive.decimals() / 16)?;
            let (before, after) = double::fixed(*value, directive.decimals());
            directive.number_text(value.is_sign_negative(), before, &after)
        }
        ('f', Value::Double(_)) => {
            return Err(unsupported("`%f` of infinities and NaN is not supported"));
        }
        ('f', Value::Decimal(decimal)) => {
            let plain = decimal.abs().round_half_up(directive.decimals() as i64).to_plain_string();
            let (before, after) = plain.split_once('.').unwrap_or((&plain, ""));
            let negative = crate::value::number::arithmetic::sign(value) < 0;
            directive.number_text(negative, before.into(), after)
        }
        ('c' | 'C', Value::Char(char)) => char.to_string(),
        ('d' | 'f' | 'x' | 'X' | 'c' | 'C', other) => return Err(mismatch(directive, other)),
        (other, _) if other.is_alphabetic() => {
            return Err(unsupported("of `format`, only `%s %d %f %x %c %b %n %%` are supported"));
        }
        _ => return Err(invalid("what follows a `%` of `format` means nothing")),
    };
    let written = if directive.conversion.is_uppercase() {
        ctx.budget.take_steps(cost::change_case(written.len()))?;
        written.to_uppercase()
    } else {
        written
    };
    directive.pad(&written, out);
    Ok(())
}

/// The error for a value that the conversion does not take.
fn mismatch(directive: &Directive, value: &Value) -> Failure {
    invalid(format!("`%{}` of `format` does not take {}", directive.conversion, value.type_name()))
}
