//! Claims: what a provider says of a person, as the JSON that it signed or answered.

use serde_json::{Map, Value};

use loanhook_core::model::validation::name_error;

/// Where the name of a person is looked for, in order.
const NAMES: [&str; 4] = ["name", "preferred_username", "email", "sub"];

/// The claims of a person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    pub(crate) const fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// The claim of this name, or at this JSON pointer where it begins with a slash.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        if !name.starts_with('/') {
            return self.0.get(name);
        }
        let mut segments = name[1..].split('/').map(|segment| segment.replace("~1", "/").replace("~0", "~"));
        let first = self.0.get(&segments.next()?)?;
        segments.try_fold(first, |value, segment| value.get(&segment))
    }

    /// The text of a claim.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Whether a claim is this text, or a list with it.
    pub(crate) fn has(&self, name: &str, wanted: &str) -> bool {
        match self.get(name) {
            Some(Value::String(text)) => text == wanted,
            Some(Value::Array(values)) => values.iter().any(|value| value.as_str() == Some(wanted)),
            _ => false,
        }
    }

    /// What the person is called: the first of the usual claims that can be shown.
    pub(crate) fn display_name(&self) -> Option<&str> {
        let shown = NAMES.into_iter().filter_map(|name| self.text(name)).map(str::trim);
        shown.into_iter().find(|name| name_error(name).is_none())
    }

    /// Adds the claims of these that are not here: what was signed stays.
    pub(crate) fn add_missing(&mut self, others: Self) {
        for (name, value) in others.0 {
            self.0.entry(name).or_insert(value);
        }
    }
}
