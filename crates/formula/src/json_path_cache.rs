//! JSON path cache: where the members of an event's lists and objects stand in its text.
//!
//! The templates of many subscriptions may each look into the same variable many times. A list or object is parsed
//! once, when something first looks into it; after that a member is found by its index or name. The cache is a tree
//! for each variable, found by the variable's name, and holds ranges of the text, not copies of it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The trees, by the name of the variable. A variable's JSON never changes while its context lives.
#[derive(Debug, Default)]
pub(crate) struct JsonPathCache(Mutex<HashMap<String, Arc<CachedJson>>>);

/// The members of one JSON value, once something looked into it.
#[derive(Debug, Default)]
struct CachedJson(OnceLock<Box<Members>>);

#[derive(Debug)]
enum Members {
    List(Vec<Member>),
    Object(HashMap<String, Member>),
    /// The value is no list or object, or holds a name that is not Unicode.
    None,
}

#[derive(Debug)]
struct Member {
    /// Its bytes in the JSON of the list or object around it.
    range: Range<usize>,
    cached: CachedJson,
}

impl JsonPathCache {
    /// The JSON at a path into the `json` of a variable. Each step is the name of an object's member, or the index of
    /// a list's item from 0. None where the path leads nowhere.
    pub(crate) fn find<'a, 'p>(
        &self,
        variable: &str,
        json: &'a str,
        path: impl IntoIterator<Item = &'p str>,
    ) -> Option<&'a str> {
        let root = self.root(variable);
        let (mut json, mut cached) = (json, &*root);
        for step in path {
            let member = cached.members(json).get(step)?;
            json = json.get(member.range.clone())?;
            cached = &member.cached;
        }
        Some(json)
    }

    fn root(&self, variable: &str) -> Arc<CachedJson> {
        let mut roots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = roots.get(variable) {
            return Arc::clone(root);
        }
        Arc::clone(roots.entry(variable.to_owned()).or_default())
    }
}

impl CachedJson {
    fn members(&self, json: &str) -> &Members {
        self.0.get_or_init(|| Box::new(Members::parse(json)))
    }
}

impl Members {
    fn parse(json: &str) -> Self {
        let member =
            |part: &RawValue| Member { range: range_within(json, part), cached: CachedJson::default() };
        match json.as_bytes().first() {
            Some(b'[') => parsed::<Vec<&RawValue>>(json)
                .map_or(Self::None, |items| Self::List(items.into_iter().map(member).collect())),
            Some(b'{') => parsed::<HashMap<String, &RawValue>>(json).map_or(Self::None, |members| {
                Self::Object(members.into_iter().map(|(name, part)| (name, member(part))).collect())
            }),
            _ => Self::None,
        }
    }

    fn get(&self, step: &str) -> Option<&Member> {
        match self {
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            Self::Object(members) => members.get(step),
            Self::None => None,
        }
    }
}

fn parsed<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// The bytes of `part` in the `json` that it was parsed from: `part` borrows from `json`, so the distance between
/// their beginnings is its offset.
fn range_within(json: &str, part: &RawValue) -> Range<usize> {
    let start = part.get().as_ptr().addr() - json.as_ptr().addr();
    start..start + part.get().len()
}

#[cfg(test)]
mod tests {
    use super::JsonPathCache;

    const JSON: &str = r#"{"items": [{"amount": 250.00}, [1, 2]], "a.b": null}"#;

    #[test]
    fn a_path_leads_to_the_json_as_it_was_written() {
        let cache = JsonPathCache::default();
        for (path, expected) in [
            (vec![], Some(JSON)),
            (vec!["items", "0", "amount"], Some("250.00")),
            (vec!["items", "1", "1"], Some("2")),
            (vec!["a.b"], Some("null")),
            (vec!["a.b", "c"], None),
            (vec!["items", "2"], None),
            (vec!["items", "first"], None),
            (vec!["other"], None),
        ] {
            for _ in 0..2 {
                assert_eq!(cache.find("v", JSON, path.iter().copied()), expected, "{path:?}");
            }
        }
    }

    #[test]
    fn each_variable_has_a_tree_of_its_own() {
        let cache = JsonPathCache::default();
        assert_eq!(cache.find("a", "[1]", ["0"]), Some("1"));
        assert_eq!(cache.find("b", r#"[  "two"]"#, ["0"]), Some(r#""two""#));
    }

    #[test]
    fn a_name_that_is_not_unicode_hides_all_members_of_its_object() {
        let cache = JsonPathCache::default();
        assert_eq!(cache.find("v", r#"{"\ud800": 1, "a": 2}"#, ["a"]), None);
    }
}
