//! What is in the lists and objects of a context, as it was written.
//!
//! The templates of many subscriptions may each look into the same variable many times: each list and object
//! is taken apart once, when something first looks into it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The lists and objects that were taken apart, by where their text is in memory.
#[derive(Debug, Default)]
pub(super) struct Apart(Mutex<HashMap<usize, Arc<Parts>>>);

/// Where each part is in the text that it is part of.
#[derive(Debug)]
enum Parts {
    List(Vec<Range<usize>>),
    Object(HashMap<String, Range<usize>>),
    /// It has none, or holds a name that is not Unicode.
    None,
}

impl Apart {
    /// One step into a list or object: by a name, or by a place from 0.
    pub(super) fn step<'a>(&self, json: &'a str, step: &str) -> Option<&'a str> {
        let parts = {
            let mut apart = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let parts = apart.entry(json.as_ptr().addr()).or_insert_with(|| Arc::new(Parts::of(json)));
            Arc::clone(parts)
        };
        let range = match &*parts {
            Parts::List(items) => items.get(step.parse::<usize>().ok()?),
            Parts::Object(members) => members.get(step),
            Parts::None => None,
        };
        json.get(range?.clone())
    }
}

impl Parts {
    fn of(json: &str) -> Self {
        let range = |part: &RawValue| {
            let start = part.get().as_ptr().addr() - json.as_ptr().addr();
            start..start + part.get().len()
        };
        match json.as_bytes().first() {
            Some(b'[') => parsed::<Vec<&RawValue>>(json)
                .map_or(Self::None, |items| Self::List(items.into_iter().map(range).collect())),
            Some(b'{') => parsed::<HashMap<String, &RawValue>>(json).map_or(Self::None, |members| {
                Self::Object(members.into_iter().map(|(name, part)| (name, range(part))).collect())
            }),
            _ => Self::None,
        }
    }
}

fn parsed<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}
