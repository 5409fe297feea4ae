//! Expressions: a formula as it is written, for those who explain its trace.

use std::ops::Range;

use crate::error::Position;
use crate::form::{Form, FormKind};
use crate::reader::SourceRanges;

/// A formula, or a part of it, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Where it begins.
    pub position: Position,
    /// Its bytes in the text of the formula.
    pub source: Range<usize>,
    /// What it is.
    pub kind: ExpressionKind,
    /// The expressions in it, in their order: of a list first what is called, of a map keys and values in turn.
    pub parts: Vec<Expression>,
}

/// What an [`Expression`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionKind {
    /// A number, string, keyword or another value that is written as it is; quoted forms are such values, too.
    Literal,
    /// A name: of a variable, a function, or a value that the formula binds.
    Name,
    /// A list: a call of a function, or of a macro such as `and`.
    List,
    /// A vector, map or set.
    Collection,
    /// `#(…)`.
    Function,
}

impl Expression {
    pub(super) fn new(form: &Form, ranges: &SourceRanges) -> Self {
        let (kind, forms): (_, &[Form]) = match &form.kind {
            FormKind::Literal(_) | FormKind::Quote(_) => (ExpressionKind::Literal, &[]),
            FormKind::Symbol(_) => (ExpressionKind::Name, &[]),
            FormKind::List(forms) => (ExpressionKind::List, forms),
            FormKind::Vector(forms) | FormKind::Map(forms) | FormKind::Set(forms) => {
                (ExpressionKind::Collection, forms)
            }
            FormKind::FunctionShorthand(forms) => (ExpressionKind::Function, forms),
        };
        let source = ranges.get(&form.position).cloned().unwrap_or_default();
        let parts = forms.iter().map(|form| Self::new(form, ranges)).collect();
        Self { position: form.position, source, kind, parts }
    }
}
