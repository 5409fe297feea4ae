//! The variables of a loan, as Clojure sees them.
//!
//! Whole numbers are longs, or big integers where they do not fit; other numbers are doubles; `null` is nil;
//! a list is a vector, an object a map with keywords for keys. A variable becomes a value when a formula
//! first asks for it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use num_bigint::BigInt;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::budget::{Budget, MAX_BITS};
use super::cx::Cx;
use super::error::{R, limit, wrong};
use super::map::Map;
use super::parts::Apart;
use super::price;
use super::value::Value;

/// The context of one event: the JSON of each of its variables, and when it is.
#[derive(Debug)]
pub struct Context<'a> {
    variables: HashMap<Cow<'a, str>, &'a RawValue>,
    now: DateTime<Utc>,
    apart: Apart,
}

impl<'a> Context<'a> {
    /// `json` is a JSON object; where a name is in it twice, the last counts. `now` is what `(now)` gives.
    pub fn new(json: &'a RawValue, now: DateTime<Utc>) -> Result<Self, serde_json::Error> {
        let Pairs(pairs) = serde_json::from_str(json.get())?;
        Ok(Self { variables: pairs.into_iter().collect(), now, apart: Apart::default() })
    }

    /// A variable as it was written.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.variables.get(name).copied()
    }

    /// What a name, or a place from 0, leads to in a list or object that a variable is or holds.
    pub fn step(&self, into: &'a str, step: &str) -> Option<&'a str> {
        self.apart.step(into, step)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }
}

impl Cx<'_> {
    /// A variable's value; nil where there is none.
    pub(super) fn variable(&mut self, name: &str) -> R<Value> {
        self.budget.steps(1)?;
        match self.context.raw(name) {
            Some(json) => value(self, json),
            None => Ok(Value::Nil),
        }
    }
}

fn value(cx: &mut Cx<'_>, json: &RawValue) -> R<Value> {
    let text = json.get();
    match text.as_bytes() {
        [b'n', ..] => Ok(Value::Nil),
        [b't', ..] => Ok(Value::Bool(true)),
        [b'f', ..] => Ok(Value::Bool(false)),
        [b'"', ..] => {
            let text: Cow<'_, str> = parsed::<Text<'_>>(cx, text)?.0;
            Value::text(&mut cx.budget, &*text)
        }
        [b'[', ..] => {
            let items: Vec<&RawValue> = parsed(cx, text)?;
            cx.budget.enter()?;
            let values = items.into_iter().map(|item| value(cx, item)).collect::<R<_>>()?;
            cx.budget.leave();
            Value::vector(&mut cx.budget, values)
        }
        [b'{', ..] => {
            let Pairs(pairs) = parsed(cx, text)?;
            cx.budget.enter()?;
            let mut map = Map::default();
            for (name, json) in pairs {
                let value = value(cx, json)?;
                map.put(cx, Value::Keyword(name.into()), value)?;
            }
            cx.budget.leave();
            Ok(Value::Map(Rc::new(map)))
        }
        _ => number(&mut cx.budget, text),
    }
}

fn parsed<'a, T: Deserialize<'a>>(cx: &mut Cx<'_>, text: &'a str) -> R<T> {
    cx.budget.bytes(text.len())?;
    cx.budget.steps(price::text(text.len()))?;
    serde_json::from_str(text).map_err(|_| wrong("a variable holds text that is not Unicode"))
}

fn number(budget: &mut Budget, text: &str) -> R<Value> {
    if text.bytes().any(|byte| byte != b'-' && !byte.is_ascii_digit()) {
        return Ok(Value::Double(text.parse().unwrap_or(f64::NAN)));
    }
    if let Ok(long) = text.parse() {
        return Ok(Value::Long(long));
    }
    if text.len() as u64 * 3 > MAX_BITS {
        return Err(limit("a number of the context has too many digits"));
    }
    budget.steps(text.len() + price::bits(text.len() as u64 * 4))?;
    super::number::made_big(budget, BigInt::parse_bytes(text.as_bytes(), 10).unwrap_or_default())
}

#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The names and values of an object, in order.
struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    pairs.push((name, value));
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Each)
    }
}
