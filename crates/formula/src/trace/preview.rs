//! Previews: values as text, cut where they are long.
//!
//! The text is that of [`printing`], but for what is cut. Nothing is computed for it: of a lazy
//! sequence it shows the items that the evaluation has computed.

use serde_json::value::RawValue;

use super::{MAX_PRINTED_CHARS, TracedValue};
use crate::context::Context;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::sequence::Sequence;
use crate::{json_output, printing};

/// What stands for what is left out.
const CUT_MARK: char = '…';

pub(super) struct Previews<'a> {
    pub(super) context: &'a Context<'a>,
    /// Whether the evaluation failed. The end of a lazy sequence may then not be known.
    pub(super) has_failed: bool,
}

impl Previews<'_> {
    pub(super) fn of(&self, value: &Value) -> TracedValue {
        let mut text =
            PreviewText { previews: self, text: String::new(), room: MAX_PRINTED_CHARS, is_cut: false };
        if text.value(value).is_none() {
            text.is_cut = true;
            text.text.pop();
            text.text.push(CUT_MARK);
        }
        let PreviewText { text: printed, is_cut, .. } = text;
        // What is not cut is short, and all of it is there: its JSON is short, too.
        let json = if is_cut { None } else { json_output::to_json(&mut self.printing_context(), value).ok() };
        TracedValue { is_true: value.is_true(), json: json.unwrap_or_else(null), printed, is_cut }
    }

    fn printing_context(&self) -> EvaluationContext<'_> {
        EvaluationContext::new(self.context)
    }
}

fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// A text that takes so many characters. What writes to it gives none once it is full.
struct PreviewText<'p> {
    previews: &'p Previews<'p>,
    text: String,
    /// How many characters it still takes.
    room: usize,
    is_cut: bool,
}

impl PreviewText<'_> {
    fn push(&mut self, text: &str) -> Option<()> {
        for char in text.chars() {
            self.room = self.room.checked_sub(1)?;
            self.text.push(char);
        }
        Some(())
    }

    fn value(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::Vector(items) => self.items(("[", "]"), items.values.iter()),
            Value::Set(set) => self.items(("#{", "}"), set.values()),
            Value::Sequence(sequence) => self.sequence(sequence),
            Value::Map(map) => {
                self.push("{")?;
                for (index, entry) in map.entries().iter().enumerate() {
                    if index > 0 {
                        self.push(", ")?;
                    }
                    self.value(&entry.key)?;
                    self.push(" ")?;
                    self.value(&entry.value)?;
                }
                self.push("}")
            }
            Value::Str(text) => self.scalar(&Value::Str(beginning(text).into())),
            Value::Keyword(text) => self.scalar(&Value::Keyword(beginning(text).into())),
            Value::Symbol(text) => self.scalar(&Value::Symbol(beginning(text).into())),
            scalar => self.scalar(scalar),
        }
    }

    fn scalar(&mut self, value: &Value) -> Option<()> {
        // It holds no others and was made within the limits: they suffice for printing it.
        let printed = printing::pr_str(&mut self.previews.printing_context(), value).ok()?;
        self.push(&printed)
    }

    fn items<'v>(
        &mut self,
        (open, close): (&str, &str),
        items: impl Iterator<Item = &'v Value>,
    ) -> Option<()> {
        self.push(open)?;
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.push(" ")?;
            }
            self.value(item)?;
        }
        self.push(close)
    }

    fn sequence(&mut self, sequence: &Sequence) -> Option<()> {
        let (items, may_have_more) = sequence.computed_items(MAX_PRINTED_CHARS);
        let is_open = may_have_more || (self.previews.has_failed && !sequence.is_fixed());
        if !is_open {
            return self.items(("(", ")"), items.iter());
        }
        self.is_cut = true;
        self.items(("(", if items.is_empty() { "…)" } else { " …)" }), items.iter())
    }
}

/// As much of a text as a preview may show, and a little more.
fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_PRINTED_CHARS).map_or(text.len(), |(index, _)| index);
    &text[..end]
}
