//! `format`, with the conversions `%s %d %f %x %c %b %%` and `%n` (`java.util.Formatter`).

use super::arguments::string_argument;
use super::utf16::byte_offset;
use crate::cost;
use crate::double;
use crate::error::{Failure, Result, invalid, limit_exceeded, unsupported};
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
        let (directive, after) = Directive::read(&rest[index + 1..])?;
        rest = after;
        directive.write(ctx, &args[1..], &mut next_argument, &mut written)?;
        ctx.budget.take_string_growth(before, written.len())?;
    }
    written.push_str(rest);
    Value::string(&mut ctx.budget, written)
})];

/// The largest width and precision of a directive, in characters.
const MAX_WIDTH: usize = 1000;

#[derive(Debug, Default)]
struct Directive {
    /// The number of its argument, from 1; without one it takes the next argument.
    argument_number: Option<usize>,
    /// The flag `-`: spaces go behind the text.
    aligns_left: bool,
    /// The flag `0`.
    pads_with_zeros: bool,
    /// The flag `,`.
    groups_digits: bool,
    /// The flag `+`.
    shows_plus: bool,
    /// The flag of a space: one stands where a minus would.
    shows_space: bool,
    width: Option<usize>,
    precision: Option<usize>,
    conversion: char,
}

impl Directive {
    /// What stands after a `%`.
    fn read(text: &str) -> Result<(Self, &str)> {
        let mut directive = Self::default();
        let mut rest = text;
        let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
        let count = digits(rest);
        if count > 0 && rest[count..].starts_with('$') {
            directive.argument_number = Some(parse_number(&rest[..count])?);
            rest = &rest[count + 1..];
        }
        while let Some(flag) = rest.chars().next().filter(|flag| "-0,+ (#<".contains(*flag)) {
            let set = match flag {
                '-' => &mut directive.aligns_left,
                '0' => &mut directive.pads_with_zeros,
                ',' => &mut directive.groups_digits,
                '+' => &mut directive.shows_plus,
                ' ' => &mut directive.shows_space,
                _ => return Err(unsupported("the flags `(`, `#` and `<` of `format` are not supported")),
            };
            if std::mem::replace(set, true) {
                return Err(invalid("a flag of `format` is there twice"));
            }
            rest = &rest[1..];
        }
        let count = digits(rest);
        if count > 0 {
            directive.width = Some(parse_number(&rest[..count])?);
            rest = &rest[count..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            let count = digits(after);
            directive.precision = Some(parse_number(&after[..count])?);
            rest = &after[count..];
        }
        let conversion =
            rest.chars().next().ok_or_else(|| invalid("`%` of `format` is followed by nothing"))?;
        directive.conversion = conversion;
        Ok((directive, &rest[conversion.len_utf8()..]))
    }

    /// The error for a value that the conversion does not take.
    fn mismatch(&self, value: &Value) -> Failure {
        invalid(format!("`%{}` of `format` does not take {}", self.conversion, value.type_name()))
    }

    /// Appends an argument as the directive formats it.
    fn write(
        &self,
        ctx: &mut EvaluationContext<'_>,
        args: &[Value],
        next_argument: &mut usize,
        out: &mut String,
    ) -> Result<()> {
        if (self.aligns_left || self.pads_with_zeros) && self.width.is_none()
            || self.aligns_left && self.pads_with_zeros
            || self.shows_plus && self.shows_space
        {
            return Err(invalid("these flags of `format` do not go together, or lack a width"));
        }
        let has_numeric_flag =
            self.pads_with_zeros || self.groups_digits || self.shows_plus || self.shows_space;
        match self.conversion {
            'n' => {
                if has_numeric_flag || self.aligns_left || self.width.is_some() || self.precision.is_some() {
                    return Err(invalid("`%n` of `format` takes no flags"));
                }
                out.push('\n');
                return Ok(());
            }
            '%' => {
                if has_numeric_flag || self.precision.is_some() {
                    return Err(invalid("`%%` of `format` takes no such flags"));
                }
                self.pad("%", out);
                return Ok(());
            }
            _ => {}
        }
        let index = match self.argument_number {
            Some(number) => number.checked_sub(1),
            None => {
                *next_argument += 1;
                Some(*next_argument - 1)
            }
        };
        let value = index
            .and_then(|index| args.get(index))
            .ok_or_else(|| invalid("`format` has too few arguments"))?;
        ctx.budget.take_steps(1 + value.scan_steps())?;
        let written = match (self.conversion, value) {
            ('s' | 'S' | 'b' | 'B' | 'c' | 'C', _) if has_numeric_flag => {
                return Err(invalid(format!("`%{}` of `format` takes no such flags", self.conversion)));
            }
            ('d' | 'x' | 'X' | 'c' | 'C', _) if self.precision.is_some() => {
                return Err(invalid(format!("`%{}` of `format` takes no precision", self.conversion)));
            }
            ('x' | 'X', _) if self.groups_digits || self.shows_plus || self.shows_space => {
                return Err(invalid("`%x` of `format` takes no such flags"));
            }
            ('b' | 'B', _) => self.truncate(if value.is_true() { "true" } else { "false" }.into())?,
            ('s' | 'S' | 'd' | 'f' | 'x' | 'X' | 'c' | 'C', Value::Nil) => self.truncate("null".into())?,
            ('s' | 'S', value) => {
                let whole = str_text(ctx, value)?;
                self.truncate(whole)?
            }
            ('d', Value::Long(long)) => self.number_text(*long < 0, long.unsigned_abs().to_string(), ""),
            ('x' | 'X', Value::Long(long)) => self.number_text(false, format!("{long:x}"), ""),
            ('f', Value::Double(value)) if value.is_finite() => {
                ctx.budget.take_steps(cost::double_digits(*value) + self.decimals() / 16)?;
                let (before, after) = double::fixed(*value, self.decimals());
                self.number_text(value.is_sign_negative(), before, &after)
            }
            ('f', Value::Double(_)) => {
                return Err(unsupported("`%f` of infinities and NaN is not supported"));
            }
            ('f', Value::Decimal(decimal)) => {
                let plain = decimal.abs().round_half_up(self.decimals() as i64).to_plain_string();
                let (before, after) = plain.split_once('.').unwrap_or((&plain, ""));
                let negative = crate::value::number::arithmetic::sign(value) < 0;
                self.number_text(negative, before.into(), after)
            }
            ('c' | 'C', Value::Char(char)) => char.to_string(),
            ('d' | 'f' | 'x' | 'X' | 'c' | 'C', other) => return Err(self.mismatch(other)),
            (other, _) if other.is_alphabetic() => {
                return Err(unsupported("of `format`, only `%s %d %f %x %c %b %n %%` are supported"));
            }
            _ => return Err(invalid("what follows a `%` of `format` means nothing")),
        };
        let written = if self.conversion.is_uppercase() {
            ctx.budget.take_steps(cost::change_case(written.len()))?;
            written.to_uppercase()
        } else {
            written
        };
        self.pad(&written, out);
        Ok(())
    }

    /// How many digits `%f` writes after the point.
    fn decimals(&self) -> usize {
        self.precision.unwrap_or(6)
    }

    /// The text up to the precision, which counts 16-bit units.
    fn truncate(&self, whole: String) -> Result<String> {
        let Some(max_units) = self.precision else { return Ok(whole) };
        match byte_offset(&whole, max_units)? {
            Some(end) => Ok(whole[..end].into()),
            None => Ok(whole),
        }
    }

    /// A number with its sign, its groups of digits and the zeros before it.
    fn number_text(&self, negative: bool, before: String, after: &str) -> String {
        let before = if self.groups_digits { grouped(&before) } else { before };
        let sign = match (negative, self.shows_plus, self.shows_space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (.., true) => " ",
            _ => "",
        };
        let point = if after.is_empty() { "" } else { "." };
        let length = sign.len() + before.len() + point.len() + after.len();
        let zeros =
            self.width.filter(|_| self.pads_with_zeros).map_or(0, |width| width.saturating_sub(length));
        format!("{sign}{}{before}{point}{after}", "0".repeat(zeros))
    }

    /// Appends the text, with spaces up to the width.
    fn pad(&self, text: &str, out: &mut String) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.encode_utf16().count());
        let spaces = " ".repeat(missing);
        if self.aligns_left {
            out.push_str(text);
        }
        out.push_str(&spaces);
        if !self.aligns_left {
            out.push_str(text);
        }
    }
}

/// A width, a precision or the number of an argument.
fn parse_number(digits: &str) -> Result<usize> {
    if digits.is_empty() {
        return Err(invalid("a precision of `format` has digits"));
    }
    digits
        .parse()
        .ok()
        .filter(|number| *number <= MAX_WIDTH)
        .ok_or_else(|| limit_exceeded(format!("widths and precisions of `format` are at most {MAX_WIDTH}")))
}

/// Digits with a comma between groups of three.
fn grouped(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
