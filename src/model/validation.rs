//! What is wrong with an input, said so that its author can mend it.

use serde::Serialize;

/// One fault of a body: where (an RFC 6901 JSON pointer, or a query parameter's or header's name) and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    pub pointer: String,
    pub detail: String,
}

/// The faults of one input, at least one where it stands in an `Err`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    pub fn one(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut faults = Self::default();
        faults.add(pointer, detail);
        faults
    }

    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Fault { pointer: pointer.into(), detail: detail.into() });
    }

    /// `value`, if nothing was found wrong.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// What is wrong with a name (an event's, a loan's, a title): 1 to 256 characters, none of them a control.
pub fn name_fault(text: &str) -> Option<String> {
    let length = text.chars().count();
    if !(1..=256).contains(&length) {
        return Some(format!("must have 1 to 256 characters, has {length}"));
    }
    text.chars().any(char::is_control).then(|| "must have no control characters".into())
}

/// One segment of a JSON pointer, escaped (RFC 6901).
pub fn pointer_segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
