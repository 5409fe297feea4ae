//! Facts of an operational event: the variables that formulas and templates see, as one JSON object in a set order.
//!
//! Variables are named as those of loans are, `failures-in-a-row`; what is sent without a template has the same facts, in the
//! same order, under names as the API has them, `failuresInARow`.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A JSON object that is written fact by fact.
pub(super) struct Facts(String);

impl Facts {
    pub(super) fn new() -> Self {
        Self("{".into())
    }

    /// The same, with one more.
    pub(super) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        // Texts, numbers and lists of them all have a JSON.
        self.0.push_str(&serde_json::to_string(&value).unwrap_or_else(|_| "null".into()));
        self
    }

    pub(super) fn into_json(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// The facts of a JSON object in their order; none where it is no object.
pub(super) fn read(json: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    serde_json::from_str::<Ordered>(json).ok().map(|Ordered(facts)| facts)
}

/// What is sent of these facts without a template: the same with the names of the API.
pub(in crate::model) fn body(json: &str) -> String {
    let facts = read(json).unwrap_or_default();
    let renamed =
        facts.into_iter().fold(Facts::new(), |body, (name, value)| body.with(&api_name(&name), value));
    renamed.into_json()
}

/// `failuresInARow`, of `failures-in-a-row`.
fn api_name(variable: &str) -> String {
    let mut name = String::with_capacity(variable.len());
    let mut begins = false;
    for letter in variable.chars() {
        match letter {
            '-' => begins = true,
            letter if begins => {
                name.extend(letter.to_uppercase());
                begins = false;
            }
            letter => name.push(letter),
        }
    }
    name
}

/// An object whose members keep their order.
struct Ordered(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
