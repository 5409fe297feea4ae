//! Batches of events, and the result of each event.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::client::{ApiClient, Call, Problem, decode};
use crate::error::{CommandError, CommandResult, is_transient};

/// The limits of one batch.
const MAX_EVENTS: usize = 100;
const MAX_BYTES: usize = 4 * 1024 * 1024;
const BATCH_PREFIX: &str = "{\"events\":[";
const BATCH_SUFFIX: &str = "]}";
/// The waits before the retries of events that could not be stored.
const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// The text of an event with an idempotency key.
pub(crate) struct KeyedEvent(String);

impl KeyedEvent {
    /// Adds the idempotency key `run-index` at the end of the event, unless it has one.
    pub(crate) fn new(raw: &str, run: &str, index: usize) -> Self {
        let members: Option<HashMap<Cow<'_, str>, IgnoredAny>> = serde_json::from_str(raw).ok();
        let (Some(members), Some(open)) = (members, raw.strip_suffix('}')) else {
            // Not an object: the server says what is wrong with it.
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

/// The result of one event, as it came.
pub(crate) struct EventResult {
    raw: Box<RawValue>,
    status: u16,
    deliveries: usize,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct EventStatus {
    status: u16,
    #[serde(default)]
    deliveries: Vec<IgnoredAny>,
}

impl EventResult {
    fn new(raw: Box<RawValue>) -> CommandResult<Self> {
        let EventStatus { status, deliveries } = decode(raw.get().as_bytes())?;
        Ok(Self { raw, status, deliveries: deliveries.len() })
    }

    /// The number of deliveries that the event causes, if it was accepted.
    pub(crate) fn deliveries(&self) -> Option<usize> {
        (200..300).contains(&self.status).then_some(self.deliveries)
    }

    /// Why the event was not accepted, if it was not.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let is_accepted = self.deliveries().is_some();
        (!is_accepted).then(|| Problem::new(self.status, self.raw.get().as_bytes()))
    }

    pub(crate) fn raw(&self) -> &str {
        self.raw.get()
    }
}

/// The events in order, in batches as large as the limits allow.
pub(super) fn batches(mut events: &[KeyedEvent]) -> impl Iterator<Item = &[KeyedEvent]> {
    std::iter::from_fn(move || {
        let mut bytes = BATCH_PREFIX.len() + BATCH_SUFFIX.len();
        let fitting = events.iter().take(MAX_EVENTS).take_while(|event| {
            bytes += event.0.len() + 1;
            bytes <= MAX_BYTES
        });
        // An event that is too large for any batch is sent alone, so that only it is refused.
        let length = fitting.count().max(1).min(events.len());
        let (batch, rest) = events.split_at(length);
        events = rest;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Sends one batch, and its events that could not be stored again; the result of each event, in order.
pub(crate) async fn post(client: &ApiClient, batch: &[KeyedEvent]) -> CommandResult<Vec<EventResult>> {
    let mut results = post_once(client, batch.iter()).await?;
    for delay in RETRY_DELAYS {
        let not_stored: Vec<_> =
            (0..batch.len()).filter(|index| is_transient(results[*index].status)).collect();
        if not_stored.is_empty() {
            break;
        }
        tokio::time::sleep(delay).await;
        let again = post_once(client, not_stored.iter().map(|index| &batch[*index])).await?;
        for (index, result) in not_stored.into_iter().zip(again) {
            results[index] = result;
        }
    }
    Ok(results)
}

async fn post_once(
    client: &ApiClient,
    batch: impl ExactSizeIterator<Item = &KeyedEvent>,
) -> CommandResult<Vec<EventResult>> {
    let events = batch.len();
    let body =
        [BATCH_PREFIX, &batch.map(|event| event.0.as_str()).collect::<Vec<_>>().join(","), BATCH_SUFFIX]
            .concat();
    let call = Call::post(&["v1", "events", "batch"]).body(body);
    let Results { results } = decode(&client.send_with_retries(&call).await?)?;
    if results.len() != events {
        return Err(CommandError::Message(format!("loanhook answered {} of {events} events", results.len())));
    }
    results.into_iter().map(EventResult::new).collect()
}

#[cfg(test)]
mod tests {
    use super::{KeyedEvent, MAX_BYTES, batches};

    #[test]
    fn an_idempotency_key_is_added_at_the_end_and_changes_nothing_else() {
        let keyed = |raw: &str| KeyedEvent::new(raw, "run", 7).0;
        assert_eq!(
            keyed("{\"b\": 250.00,\n \"a\": {}}"),
            "{\"b\": 250.00,\n \"a\": {},\"idempotencyKey\":\"run-7\"}"
        );
        assert_eq!(keyed("{ }"), "{ \"idempotencyKey\":\"run-7\"}");
        assert_eq!(KeyedEvent::new("{}", "a\"b", 0).0, "{\"idempotencyKey\":\"a\\\"b-0\"}");
    }

    #[test]
    fn an_event_with_an_idempotency_key_keeps_it() {
        for raw in [
            "{\"idempotencyKey\":\"mine\"}",
            "{\"idempotencyKey\": null}",
            "{\"idempotency\\u004bey\":\"mine\"}",
        ] {
            assert_eq!(KeyedEvent::new(raw, "run", 7).0, raw);
        }
    }

    #[test]
    fn a_batch_keeps_the_limits_of_events_and_bytes() {
        let lengths = |events: &[KeyedEvent]| batches(events).map(<[KeyedEvent]>::len).collect::<Vec<_>>();
        let events = |count: usize, bytes: usize| {
            (0..count).map(|_| KeyedEvent("x".repeat(bytes))).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&events(250, 10)), [100, 100, 50]);
        assert_eq!(lengths(&events(5, MAX_BYTES / 2 - 10)), [2, 2, 1]);
        assert_eq!(lengths(&events(2, MAX_BYTES)), [1, 1]);
        assert_eq!(lengths(&[]), Vec::<usize>::new());
    }
}
