//! Printing: values as text, as `pr-str`, `print-str` and `str` write them.
//!
//! The text is that of Clojure 1.11, except that of functions, which Clojure prints with their address in memory. Its
//! bytes are taken from the budget while it grows, so that a sequence without an end ends at a limit.

use crate::budget::MAX_STRING_BYTES;
use crate::cost;
use crate::double;
use crate::error::{Result, limit_exceeded, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;

/// The text of a value as `pr-str` writes it: Clojure reads it back as the value.
pub(crate) fn pr_str(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<String> {
    Printer::print(ctx, value, true)
}

/// The text of a value as `print-str` writes it: strings and characters in it are written as they are.
pub(crate) fn print_str(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<String> {
    Printer::print(ctx, value, false)
}

/// The text of a value as `str` writes it: that of a string or character by itself, `pr-str` of most others.
pub(crate) fn str_text(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<String> {
    Ok(match value {
        Value::Nil => String::new(),
        Value::Str(text) => {
            ctx.budget.take_bytes(text.len())?;
            (**text).to_owned()
        }
        Value::Char(char) => (*char).to_string(),
        Value::Double(double) if double.is_nan() => "NaN".into(),
        Value::Double(double) if double.is_infinite() => {
            if *double > 0.0 {
                "Infinity".into()
            } else {
                "-Infinity".into()
            }
        }
        Value::BigInt(big) => {
            ctx.budget.take_steps(value.scan_steps())?;
            big.to_string()
        }
        Value::Decimal(decimal) => {
            ctx.budget.take_steps(value.scan_steps())?;
            decimal.to_string()
        }
        Value::Regex(pattern) => pattern.source.clone(),
        Value::Function(_) => {
            return Err(unsupported("`str` of a function is not supported: Clojure's answer is an address"));
        }
        Value::Sequence(sequence) if sequence.is_lazy() => {
            return Err(unsupported(
                "`str` of a lazy sequence is not supported, as Clojure's answer does not show what is in it: use `pr-str`, `(str/join …)` or `(vec …)`",
            ));
        }
        other => pr_str(ctx, other)?,
    })
}

struct Printer {
    text: String,
    /// How many bytes of it were taken from the budget.
    charged_bytes: usize,
    /// Whether strings and characters are written so that Clojure reads them back.
    readably: bool,
}

impl Printer {
    fn print(ctx: &mut EvaluationContext<'_>, value: &Value, readably: bool) -> Result<String> {
        let mut printer = Self { text: String::new(), charged_bytes: 0, readably };
        printer.value(ctx, value)?;
        printer.charge(ctx)?;
        Ok(printer.text)
    }

    /// Takes the memory by which the text grew.
    fn charge(&mut self, ctx: &mut EvaluationContext<'_>) -> Result<()> {
        if self.text.len() > MAX_STRING_BYTES {
            return Err(limit_exceeded("this prints as more than 1 MiB"));
        }
        ctx.budget.take_bytes(self.text.len() - self.charged_bytes)?;
        self.charged_bytes = self.text.len();
        Ok(())
    }

    fn value(&mut self, ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<()> {
        ctx.budget.take_steps(1 + value.scan_steps())?;
        match value {
            Value::Nil => self.text.push_str("nil"),
            Value::Bool(bool) => self.text.push_str(if *bool { "true" } else { "false" }),
            Value::Long(long) => self.text.push_str(&long.to_string()),
            Value::Double(double) => {
                ctx.budget.take_steps(cost::double_digits(*double))?;
                self.text.push_str(&finite_or_symbolic(*double));
            }
            Value::Ratio(ratio) => self.text.push_str(&format!("{}/{}", ratio.numer(), ratio.denom())),
            Value::BigInt(_) => {
                let digits = str_text(ctx, value)?;
                self.text.push_str(&digits);
                self.text.push('N');
            }
            Value::Decimal(_) => {
                let digits = str_text(ctx, value)?;
                self.text.push_str(&digits);
                self.text.push('M');
            }
            Value::Char(char) if self.readably => self.character(*char),
            Value::Char(char) => self.text.push(*char),
            Value::Str(text) if self.readably => self.string(text),
            Value::Str(text) => self.text.push_str(text),
            Value::Keyword(name) => {
                self.text.push(':');
                self.text.push_str(name);
            }
            Value::Symbol(name) => self.text.push_str(name),
            Value::Regex(pattern) => self.regex(&pattern.source),
            Value::Function(function) => self.text.push_str(&format!("#function[{}]", function.name())),
            Value::Vector(items) => self.bracketed(ctx, ("[", "]"), &items.values)?,
            Value::Set(set) => {
                let values: Vec<_> = set.values().cloned().collect();
                self.bracketed(ctx, ("#{", "}"), &values)?;
            }
            Value::Sequence(sequence) => {
                self.text.push('(');
                ctx.budget.enter_level()?;
                let mut index = 0;
                // Item by item: a sequence without an end must end at a limit.
                while let Some(item) = sequence.nth(ctx, index)? {
                    if index > 0 {
                        self.text.push(' ');
                    }
                    self.value(ctx, &item)?;
                    index += 1;
                }
                ctx.budget.leave_level();
                self.text.push(')');
            }
            Value::Map(map) => {
                self.text.push('{');
                ctx.budget.enter_level()?;
                for (index, entry) in map.entries().iter().enumerate() {
                    if index > 0 {
                        self.text.push_str(", ");
                    }
                    self.value(ctx, &entry.key)?;
                    self.text.push(' ');
                    self.value(ctx, &entry.value)?;
                }
                ctx.budget.leave_level();
                self.text.push('}');
            }
        }
        self.charge(ctx)
    }

    /// Values between brackets.
    fn bracketed(
        &mut self,
        ctx: &mut EvaluationContext<'_>,
        (open, close): (&str, &str),
        values: &[Value],
    ) -> Result<()> {
        self.text.push_str(open);
        ctx.budget.enter_level()?;
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.text.push(' ');
            }
            self.value(ctx, value)?;
        }
        ctx.budget.leave_level();
        self.text.push_str(close);
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for char in text.chars() {
            match char {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\t' => self.text.push_str("\\t"),
                '\r' => self.text.push_str("\\r"),
                '\u{c}' => self.text.push_str("\\f"),
                '\u{8}' => self.text.push_str("\\b"),
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }

    fn character(&mut self, char: char) {
        self.text.push('\\');
        match char {
            '\n' => self.text.push_str("newline"),
            '\t' => self.text.push_str("tab"),
            ' ' => self.text.push_str("space"),
            '\u{8}' => self.text.push_str("backspace"),
            '\u{c}' => self.text.push_str("formfeed"),
            '\r' => self.text.push_str("return"),
            other => self.text.push(other),
        }
    }

    /// A regex literal: quotes in it are escaped where they are not yet.
    fn regex(&mut self, source: &str) {
        self.text.push_str("#\"");
        let mut chars = source.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => {
                    self.text.push('\\');
                    self.text.extend(chars.next());
                }
                '"' => self.text.push_str("\\\""),
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }
}

/// A double as `pr` writes it.
fn finite_or_symbolic(value: f64) -> String {
    if value.is_nan() {
        "##NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "##Inf".into() } else { "##-Inf".into() }
    } else {
        double::to_java_string(value)
    }
}
