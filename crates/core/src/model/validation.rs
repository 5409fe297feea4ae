//! Validation errors of an input: where it is wrong, and what is to be done, in a sentence.

use loanhook_formula::{FormulaError, FormulaErrorKind, Position};

/// One fault of a body: where (an RFC 6901 JSON pointer, or a query parameter's or header's name) and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    pub pointer: String,
    pub detail: String,
    /// Of a formula or template: where in its text, from 1.
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// A formula that may be right, but is outside of the subset.
    pub unsupported: bool,
}

/// The faults of one input, at least one where it stands in an `Err`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidationErrors(pub Vec<ValidationError>);

impl ValidationErrors {
    pub fn one(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(pointer, detail);
        errors
    }

    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        let (pointer, detail) = (pointer.into(), detail.into());
        self.0.push(ValidationError { pointer, detail, line: None, column: None, unsupported: false });
    }

    /// The same, at a place in a text.
    pub fn add_at(&mut self, pointer: impl Into<String>, detail: impl Into<String>, at: Position) {
        let (pointer, detail) = (pointer.into(), detail.into());
        let (line, column) = (Some(at.line), Some(at.column));
        self.0.push(ValidationError { pointer, detail, line, column, unsupported: false });
    }

    pub fn add_formula(&mut self, pointer: impl Into<String>, error: &FormulaError) {
        self.add_at(pointer, error.to_string(), error.position);
        if let Some(fault) = self.0.last_mut() {
            fault.unsupported = error.kind == FormulaErrorKind::Unsupported;
        }
    }

    /// `value`, if nothing was found wrong.
    pub fn ok_or_errors<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// The longest name, in characters.
pub const MAX_NAME: usize = 256;

/// What is wrong with a name (an event's, a loan's, a title): 1 to 256 characters, none of them a control.
pub fn name_error(text: &str) -> Option<String> {
    let length = text.chars().count();
    if !(1..=MAX_NAME).contains(&length) {
        return Some(format!("must have 1 to {MAX_NAME} characters, has {length}"));
    }
    text.chars().any(char::is_control).then(|| "must have no control characters".into())
}

/// What is wrong with an idempotency key.
pub fn idempotency_key_error(key: &str) -> Option<&'static str> {
    let allowed = (1..=255).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (!allowed).then_some("must be one of 1 to 255 visible ASCII characters")
}

/// One segment of a JSON pointer, escaped (RFC 6901).
pub fn pointer_segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
