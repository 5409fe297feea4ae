//! Values as text: as `pr-str` writes them, to be read back, and as `str` does.

use super::budget::MAX_TEXT;
use super::cx::Cx;
use super::error::{R, limit, unsupported};
use super::number::double;
use super::price;
use super::value::Value;

/// As `pr-str`.
pub(super) fn printed(cx: &mut Cx<'_>, value: &Value) -> R<String> {
    let mut printer = Printer { text: String::new(), counted: 0, readably: true };
    printer.value(cx, value)?;
    printer.count(cx)?;
    Ok(printer.text)
}

/// As `print-str`: strings and characters as they are, wherever they stand.
pub(super) fn plainly(cx: &mut Cx<'_>, value: &Value) -> R<String> {
    let mut printer = Printer { text: String::new(), counted: 0, readably: false };
    printer.value(cx, value)?;
    printer.count(cx)?;
    Ok(printer.text)
}

/// As `str` of one value.
pub(super) fn text(cx: &mut Cx<'_>, value: &Value) -> R<String> {
    Ok(match value {
        Value::Nil => String::new(),
        Value::Str(text) => {
            cx.budget.bytes(text.len())?;
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
        Value::Big(big) => {
            cx.budget.steps(price::value(value))?;
            big.to_string()
        }
        Value::Decimal(decimal) => {
            cx.budget.steps(price::value(value))?;
            decimal.to_string()
        }
        Value::Regex(pattern) => pattern.source.clone(),
        Value::Function(_) => {
            return Err(unsupported("`str` of a function is not supported: Clojure's answer is an address"));
        }
        Value::Seq(seq) if seq.is_lazy() => {
            return Err(unsupported(
                "`str` of a lazy sequence is not supported, as Clojure's answer does not show what is in it: use `pr-str`, `(str/join …)` or `(vec …)`",
            ));
        }
        other => printed(cx, other)?,
    })
}

struct Printer {
    text: String,
    /// How many bytes of it were paid for.
    counted: usize,
    readably: bool,
}

impl Printer {
    fn count(&mut self, cx: &mut Cx<'_>) -> R<()> {
        if self.text.len() > MAX_TEXT {
            return Err(limit("this prints as more than 1 MiB"));
        }
        cx.budget.bytes(self.text.len() - self.counted)?;
        self.counted = self.text.len();
        Ok(())
    }

    fn value(&mut self, cx: &mut Cx<'_>, value: &Value) -> R<()> {
        cx.budget.steps(1 + price::value(value))?;
        match value {
            Value::Nil => self.text.push_str("nil"),
            Value::Bool(bool) => self.text.push_str(if *bool { "true" } else { "false" }),
            Value::Long(long) => self.text.push_str(&long.to_string()),
            Value::Double(double) => {
                cx.budget.steps(price::double(*double))?;
                self.text.push_str(&symbolic(*double));
            }
            Value::Ratio(ratio) => self.text.push_str(&format!("{}/{}", ratio.numer(), ratio.denom())),
            Value::Big(_) => {
                let digits = text(cx, value)?;
                self.text.push_str(&digits);
                self.text.push('N');
            }
            Value::Decimal(_) => {
                let digits = text(cx, value)?;
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
            Value::Vector(items) => self.all(cx, ("[", "]"), &items.values)?,
            Value::Set(set) => {
                let values: Vec<_> = set.values().cloned().collect();
                self.all(cx, ("#{", "}"), &values)?;
            }
            Value::Seq(seq) => {
                self.text.push('(');
                cx.budget.enter()?;
                let mut place = 0;
                // One by one: what has no end must end at a limit.
                while let Some(item) = seq.nth(cx, place)? {
                    if place > 0 {
                        self.text.push(' ');
                    }
                    self.value(cx, &item)?;
                    place += 1;
                }
                cx.budget.leave();
                self.text.push(')');
            }
            Value::Map(map) => {
                self.text.push('{');
                cx.budget.enter()?;
                for (place, entry) in map.entries().iter().enumerate() {
                    if place > 0 {
                        self.text.push_str(", ");
                    }
                    self.value(cx, &entry.key)?;
                    self.text.push(' ');
                    self.value(cx, &entry.value)?;
                }
                cx.budget.leave();
                self.text.push('}');
            }
        }
        self.count(cx)
    }

    fn all(&mut self, cx: &mut Cx<'_>, (open, close): (&str, &str), values: &[Value]) -> R<()> {
        self.text.push_str(open);
        cx.budget.enter()?;
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                self.text.push(' ');
            }
            self.value(cx, value)?;
        }
        cx.budget.leave();
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

    /// Quotes in it are escaped, where they are not yet.
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

fn symbolic(value: f64) -> String {
    if value.is_nan() {
        "##NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "##Inf".into() } else { "##-Inf".into() }
    } else {
        double::text(value)
    }
}
