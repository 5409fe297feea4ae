//! `format`, with the directives that formulas use: `%s %d %f %x %c %b %%` and `%n`.

use super::strings::only_text;
use super::texts::byte_of;
use crate::cx::Cx;
use crate::error::{Fail, R, unsupported, wrong};
use crate::function::{ANY, Builtin};
use crate::number::double;
use crate::price;
use crate::print::text;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[Builtin::new("format", (1, ANY), |cx, args| {
    let template = only_text(&args[0])?;
    let (mut made, mut next, mut rest) = (String::new(), 0, template);
    while let Some(place) = rest.find('%') {
        let before = made.len();
        made.push_str(&rest[..place]);
        let (directive, after) = Directive::read(&rest[place + 1..])?;
        rest = after;
        directive.write(cx, &args[1..], &mut next, &mut made)?;
        cx.budget.growth(before, made.len())?;
    }
    made.push_str(rest);
    Value::text(&mut cx.budget, made)
})];

const MAX_WIDTH: usize = 1000;

#[derive(Debug, Default)]
struct Directive {
    /// Which argument, from 1; else the next.
    index: Option<usize>,
    left: bool,
    zeros: bool,
    groups: bool,
    plus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
    conversion: char,
}

impl Directive {
    /// What stands after a `%`.
    fn read(text: &str) -> R<(Self, &str)> {
        let mut directive = Self::default();
        let mut rest = text;
        let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
        let count = digits(rest);
        if count > 0 && rest[count..].starts_with('$') {
            directive.index = Some(number(&rest[..count])?);
            rest = &rest[count + 1..];
        }
        while let Some(flag) = rest.chars().next().filter(|flag| "-0,+ (#<".contains(*flag)) {
            let set = match flag {
                '-' => &mut directive.left,
                '0' => &mut directive.zeros,
                ',' => &mut directive.groups,
                '+' => &mut directive.plus,
                ' ' => &mut directive.space,
                _ => return Err(unsupported("the flags `(`, `#` and `<` of `format` are not supported")),
            };
            if std::mem::replace(set, true) {
                return Err(wrong("a flag of `format` is there twice"));
            }
            rest = &rest[1..];
        }
        let count = digits(rest);
        if count > 0 {
            directive.width = Some(number(&rest[..count])?);
            rest = &rest[count..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            let count = digits(after);
            directive.precision = Some(number(&after[..count])?);
            rest = &after[count..];
        }
        let conversion =
            rest.chars().next().ok_or_else(|| wrong("`%` of `format` is followed by nothing"))?;
        directive.conversion = conversion;
        Ok((directive, &rest[conversion.len_utf8()..]))
    }

    fn mismatch(&self, value: &Value) -> Fail {
        wrong(format!("`%{}` of `format` does not take {}", self.conversion, value.kind_name()))
    }

    fn write(&self, cx: &mut Cx<'_>, args: &[Value], next: &mut usize, made: &mut String) -> R<()> {
        if (self.left || self.zeros) && self.width.is_none()
            || self.left && self.zeros
            || self.plus && self.space
        {
            return Err(wrong("these flags of `format` do not go together, or lack a width"));
        }
        let numeric = self.zeros || self.groups || self.plus || self.space;
        match self.conversion {
            'n' => {
                if numeric || self.left || self.width.is_some() || self.precision.is_some() {
                    return Err(wrong("`%n` of `format` takes no flags"));
                }
                made.push('\n');
                return Ok(());
            }
            '%' => {
                if numeric || self.precision.is_some() {
                    return Err(wrong("`%%` of `format` takes no such flags"));
                }
                self.pad("%", made);
                return Ok(());
            }
            _ => {}
        }
        let index = match self.index {
            Some(index) => index.checked_sub(1),
            None => {
                *next += 1;
                Some(*next - 1)
            }
        };
        let value =
            index.and_then(|index| args.get(index)).ok_or_else(|| wrong("`format` has too few arguments"))?;
        cx.budget.steps(1 + price::value(value))?;
        let written = match (self.conversion, value) {
            ('s' | 'S' | 'b' | 'B' | 'c' | 'C', _) if numeric => {
                return Err(wrong(format!("`%{}` of `format` takes no such flags", self.conversion)));
            }
            ('d' | 'x' | 'X' | 'c' | 'C', _) if self.precision.is_some() => {
                return Err(wrong(format!("`%{}` of `format` takes no precision", self.conversion)));
            }
            ('x' | 'X', _) if self.groups || self.plus || self.space => {
                return Err(wrong("`%x` of `format` takes no such flags"));
            }
            ('b' | 'B', _) => self.cut(if value.is_true() { "true" } else { "false" }.into())?,
            ('s' | 'S' | 'd' | 'f' | 'x' | 'X' | 'c' | 'C', Value::Nil) => self.cut("null".into())?,
            ('s' | 'S', value) => {
                let whole = text(cx, value)?;
                self.cut(whole)?
            }
            ('d', Value::Long(long)) => self.number(*long < 0, long.unsigned_abs().to_string(), ""),
            ('x' | 'X', Value::Long(long)) => self.number(false, format!("{long:x}"), ""),
            ('f', Value::Double(value)) if value.is_finite() => {
                cx.budget.steps(price::double(*value) + self.places() / 16)?;
                let (before, after) = double::fixed(*value, self.places());
                self.number(value.is_sign_negative(), before, &after)
            }
            ('f', Value::Double(_)) => {
                return Err(unsupported("`%f` of infinities and NaN is not supported"));
            }
            ('f', Value::Decimal(decimal)) => {
                let plain = decimal.abs().rounded(self.places() as i64).plain();
                let (before, after) = plain.split_once('.').unwrap_or((&plain, ""));
                let negative = crate::number::arithmetic::sign(value) < 0;
                self.number(negative, before.into(), after)
            }
            ('c' | 'C', Value::Char(char)) => char.to_string(),
            ('d' | 'f' | 'x' | 'X' | 'c' | 'C', other) => return Err(self.mismatch(other)),
            (other, _) if other.is_alphabetic() => {
                return Err(unsupported("of `format`, only `%s %d %f %x %c %b %n %%` are supported"));
            }
            _ => return Err(wrong("what follows a `%` of `format` means nothing")),
        };
        let written = if self.conversion.is_uppercase() {
            cx.budget.steps(price::letters(written.len()))?;
            written.to_uppercase()
        } else {
            written
        };
        self.pad(&written, made);
        Ok(())
    }

    fn places(&self) -> usize {
        self.precision.unwrap_or(6)
    }

    /// Not more of a text than the precision says, in units of 16 bits.
    fn cut(&self, whole: String) -> R<String> {
        match self.precision.map(|most| byte_of(&whole, most)).transpose()? {
            Some(Some(end)) => Ok(whole[..end].into()),
            _ => Ok(whole),
        }
    }

    /// A number with its sign, its groups and the zeros before it.
    fn number(&self, negative: bool, before: String, after: &str) -> String {
        let before = if self.groups { grouped(&before) } else { before };
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (.., true) => " ",
            _ => "",
        };
        let point = if after.is_empty() { "" } else { "." };
        let length = sign.len() + before.len() + point.len() + after.len();
        let zeros = self.width.filter(|_| self.zeros).map_or(0, |width| width.saturating_sub(length));
        format!("{sign}{}{before}{point}{after}", "0".repeat(zeros))
    }

    fn pad(&self, written: &str, made: &mut String) {
        let missing = self.width.unwrap_or(0).saturating_sub(written.encode_utf16().count());
        let spaces = " ".repeat(missing);
        if self.left {
            made.push_str(written);
        }
        made.push_str(&spaces);
        if !self.left {
            made.push_str(written);
        }
    }
}

fn number(digits: &str) -> R<usize> {
    if digits.is_empty() {
        return Err(wrong("a precision of `format` has digits"));
    }
    digits.parse().ok().filter(|number| *number <= MAX_WIDTH).ok_or_else(|| {
        crate::error::limit(format!("widths and precisions of `format` are at most {MAX_WIDTH}"))
    })
}

fn grouped(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
