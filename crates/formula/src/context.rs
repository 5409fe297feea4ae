//! Context of one event: the JSON of its variables, and its time.
//!
//! Formulas read it through [`Formula::evaluate`](crate::Formula::evaluate); what else needs a variable's JSON as it
//! was written, such as a template, reads it here. A context may be shared between threads.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json_path_cache::JsonPathCache;

/// The variables that a formula reads, and the time that `(now)` gives.
#[derive(Debug)]
pub struct Context<'a> {
    variables: HashMap<Cow<'a, str>, &'a RawValue>,
    now: DateTime<Utc>,
    paths: JsonPathCache,
}

impl<'a> Context<'a> {
    /// A context of the members of `json`; where a name is in it twice, the last counts. `now` is what `(now)` gives.
    ///
    /// # Errors
    ///
    /// Where `json` is no object, or a name in it is not Unicode.
    pub fn new(json: &'a RawValue, now: DateTime<Utc>) -> Result<Self, serde_json::Error> {
        let Members(members) = serde_json::from_str(json.get())?;
        Ok(Self { variables: members.into_iter().collect(), now, paths: JsonPathCache::default() })
    }

    /// The JSON of a variable, as it was written. None where there is no variable of this name.
    pub fn variable(&self, name: &str) -> Option<&'a RawValue> {
        self.variables.get(name).copied()
    }

    /// The JSON at a path into a variable, as it was written. Each step of the path is the name of an object's member,
    /// or the index of a list's item from 0. None where the path leads nowhere.
    pub fn json_at<'p>(&self, variable: &str, path: impl IntoIterator<Item = &'p str>) -> Option<&'a str> {
        self.paths.find(variable, self.variable(variable)?.get(), path)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }
}

/// A JSON string, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The members of a JSON object, in their order and with duplicates.
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
