//! Batches of events, and what loanhook says to each event of one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::Outcome;
use crate::client::{Call, Client, Problem};
use crate::error::{Failure, is_passing};

/// What loanhook takes at once.
const MOST_EVENTS: usize = 100;
const MOST_BYTES: usize = 4 * 1024 * 1024;
const HEAD: &str = "{\"events\":[";
const TAIL: &str = "]}";
/// The waits before the events that could not be stored are sent again.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// An event's text with an idempotency key.
pub(crate) struct Keyed(String);

impl Keyed {
    /// Adds the key `run-index` at the event's end, unless it has one of its own.
    pub(crate) fn new(raw: &str, run: &str, index: usize) -> Self {
        let members: Option<HashMap<Cow<'_, str>, IgnoredAny>> = serde_json::from_str(raw).ok();
        let (Some(members), Some(open)) = (members, raw.strip_suffix('}')) else {
            // Not an object; loanhook says what is wrong with it.
            return Self(raw.to_owned());
        };
        if members.contains_key("idempotencyKey") {
            return Self(raw.to_owned());
        }
        let comma = if members.is_empty() { "" } else { "," };
        let key = serde_json::json!(format!("{run}-{index}"));
        Self(format!("{open}{comma}\"idempotencyKey\":{key}}}"))
    }
}

/// What loanhook said to one event.
pub(crate) struct Answer {
    raw: Box<RawValue>,
    status: u16,
    deliveries: usize,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct EventResult {
    status: u16,
    #[serde(default)]
    deliveries: Vec<IgnoredAny>,
}

impl Answer {
    fn new(raw: Box<RawValue>) -> Outcome<Self> {
        let EventResult { status, deliveries } = crate::client::decode(raw.get().as_bytes())?;
        Ok(Self { raw, status, deliveries: deliveries.len() })
    }

    /// How many deliveries the event causes, if it was accepted.
    pub(crate) fn deliveries(&self) -> Option<usize> {
        (200..300).contains(&self.status).then_some(self.deliveries)
    }

    /// Why it was not accepted.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let is_accepted = self.deliveries().is_some();
        (!is_accepted).then(|| Problem::of(self.status, self.raw.get().as_bytes()))
    }

    pub(crate) fn raw(&self) -> &str {
        self.raw.get()
    }
}

/// The events in order, in as few batches as loanhook takes.
pub(super) fn batches(mut events: &[Keyed]) -> impl Iterator<Item = &[Keyed]> {
    std::iter::from_fn(move || {
        let mut bytes = HEAD.len() + TAIL.len();
        let fitting = events.iter().take(MOST_EVENTS).take_while(|event| {
            bytes += event.0.len() + 1;
            bytes <= MOST_BYTES
        });
        // One too large for any batch goes alone, and is refused alone.
        let length = fitting.count().max(1).min(events.len());
        let (batch, rest) = events.split_at(length);
        events = rest;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Sends one batch, and again those of its events that could not be stored; an answer for each.
pub(crate) async fn post(client: &Client, batch: &[Keyed]) -> Outcome<Vec<Answer>> {
    let mut answers = post_once(client, batch.iter()).await?;
    for pause in PAUSES {
        let open: Vec<_> = (0..batch.len()).filter(|index| is_passing(answers[*index].status)).collect();
        if open.is_empty() {
            break;
        }
        tokio::time::sleep(pause).await;
        let again = post_once(client, open.iter().map(|index| &batch[*index])).await?;
        for (index, answer) in open.into_iter().zip(again) {
            answers[index] = answer;
        }
    }
    Ok(answers)
}

async fn post_once(client: &Client, batch: impl ExactSizeIterator<Item = &Keyed>) -> Outcome<Vec<Answer>> {
    let events = batch.len();
    let body = [HEAD, &batch.map(|event| event.0.as_str()).collect::<Vec<_>>().join(","), TAIL].concat();
    let answer = Call::post(&["v1", "events", "batch"]).body(body).patiently(client).await?;
    let Results { results } = crate::client::decode(&answer)?;
    if results.len() != events {
        return Err(Failure::Message(format!("loanhook answered {} of {events} events", results.len())));
    }
    results.into_iter().map(Answer::new).collect()
}

#[cfg(test)]
mod tests {
    use super::{Keyed, MOST_BYTES, batches};

    #[test]
    fn a_key_goes_to_the_end_and_leaves_the_rest_alone() {
        let keyed = |raw: &str| Keyed::new(raw, "run", 7).0;
        assert_eq!(
            keyed("{\"b\": 250.00,\n \"a\": {}}"),
            "{\"b\": 250.00,\n \"a\": {},\"idempotencyKey\":\"run-7\"}"
        );
        assert_eq!(keyed("{ }"), "{ \"idempotencyKey\":\"run-7\"}");
        assert_eq!(Keyed::new("{}", "a\"b", 0).0, "{\"idempotencyKey\":\"a\\\"b-0\"}");
    }

    #[test]
    fn an_event_with_a_key_keeps_it() {
        for raw in [
            "{\"idempotencyKey\":\"mine\"}",
            "{\"idempotencyKey\": null}",
            "{\"idempotency\\u004bey\":\"mine\"}",
        ] {
            assert_eq!(Keyed::new(raw, "run", 7).0, raw);
        }
    }

    #[test]
    fn batches_stay_within_both_limits() {
        let lengths = |events: &[Keyed]| batches(events).map(<[Keyed]>::len).collect::<Vec<_>>();
        let events =
            |count: usize, bytes: usize| (0..count).map(|_| Keyed("x".repeat(bytes))).collect::<Vec<_>>();
        assert_eq!(lengths(&events(250, 10)), [100, 100, 50]);
        assert_eq!(lengths(&events(5, MOST_BYTES / 2 - 10)), [2, 2, 1]);
        assert_eq!(lengths(&events(2, MOST_BYTES)), [1, 1]);
        assert_eq!(lengths(&[]), Vec::<usize>::new());
    }
}
