//! Directives of `format`: what stands after a `%`, and how the text of its argument is laid out.

use super::utf16::byte_offset;
use crate::error::{Result, invalid, limit_exceeded, unsupported};

/// The largest width and precision of a directive, in characters.
const MAX_WIDTH: usize = 1000;

/// A directive. The text of its argument is laid out by its flags, its width and its precision.
#[derive(Debug, Default)]
pub(super) struct Directive {
    /// The number of its argument, from 1; without one it takes the next argument.
    pub(super) argument_number: Option<usize>,
    /// The flag `-`: spaces go behind the text.
    pub(super) aligns_left: bool,
    /// The flag `0`.
    pub(super) pads_with_zeros: bool,
    /// The flag `,`.
    pub(super) groups_digits: bool,
    /// The flag `+`.
    pub(super) shows_plus: bool,
    /// The flag of a space: one stands where a minus would.
    pub(super) shows_space: bool,
    /// The least length, in 16-bit units.
    pub(super) width: Option<usize>,
    /// Of a number the digits after the point, of a text its greatest length, in 16-bit units.
    pub(super) precision: Option<usize>,
    /// The letter at its end.
    pub(super) conversion: char,
}

impl Directive {
    /// Parses what stands after a `%`; the directive, and the text after it.
    pub(super) fn parse(text: &str) -> Result<(Self, &str)> {
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

    /// How many digits `%f` writes after the point.
    pub(super) fn decimals(&self) -> usize {
        self.precision.unwrap_or(6)
    }

    /// The text up to the precision, which counts 16-bit units.
    pub(super) fn truncate(&self, whole: String) -> Result<String> {
        let Some(max_units) = self.precision else { return Ok(whole) };
        match byte_offset(&whole, max_units)? {
            Some(end) => Ok(whole[..end].into()),
            None => Ok(whole),
        }
    }

    /// A number with its sign, its groups of digits and the zeros before it.
    pub(super) fn number_text(&self, negative: bool, before: String, after: &str) -> String {
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
    pub(super) fn pad(&self, text: &str, out: &mut String) {
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
