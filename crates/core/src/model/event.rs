//! Event: one change to a loan. Its context is kept byte for byte.

use std::sync::OnceLock;

use bytes::Bytes;
use chrono::DateTime;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::context_names::lone_surrogate;
use super::id::LoanId;
use super::ledger::StoredContext;
use super::operational;
use super::payload::{Payload, PayloadKey};
use super::trace_context::TraceContext;
use super::validation::{ValidationErrors, name_error};

/// The largest event, in bytes of its JSON.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// How deep a context may nest, itself counted.
pub const MAX_DEPTH: usize = 32;
const LONE_SURROGATE: &str = "is a name with a lone surrogate, which is half of a character: send both halves, or \
                              give the variable another name";

/// One change to a loan as its sender gave it, before any rule was checked.
#[derive(Debug)]
pub struct EventInput {
    pub event_name: String,
    pub loan_id: String,
    /// Valid JSON of any kind.
    pub context: Box<RawValue>,
    pub occurred_at: Option<String>,
}

/// One change to a loan. Its context is kept byte for byte: key order and number spelling survive.
#[derive(Debug, Clone)]
pub struct Event {
    pub name: String,
    pub loan_id: LoanId,
    /// A JSON object.
    pub context: Box<RawValue>,
    /// RFC 3339, as it was told.
    pub occurred_at: Option<String>,
    /// Of the request that it came with, or of its intake; no part of what is the same event.
    pub trace_context: Option<TraceContext>,
    /// Made once, however many subscriptions send it.
    envelope: OnceLock<Envelope>,
}

/// The bytes of an event that are sent without a template, and those that the ledger keeps.
#[derive(Debug, Clone)]
struct Envelope {
    sent: Bytes,
    payload: Payload,
    kept: Bytes,
    context: StoredContext,
}

impl EventInput {
    /// The event, if it keeps every rule.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, each with the JSON pointer of its field.
    pub fn check(self) -> Result<Event, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        if let Some(fault) = name_error(&self.event_name) {
            errors.add("/eventName", fault);
        }
        if !self.context.get().trim_start().starts_with('{') {
            errors.add("/context", "must be a JSON object");
        } else if depth(self.context.get()) > MAX_DEPTH {
            errors.add("/context", format!("must nest at most {MAX_DEPTH} deep"));
        } else if let Some(place) = lone_surrogate(self.context.get()) {
            errors.add(format!("/context{place}"), LONE_SURROGATE);
        }
        if self.occurred_at.as_deref().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_err()) {
            errors.add("/occurredAt", "must be a time by RFC 3339, such as 2026-11-23T10:00:00Z");
        }
        let loan_id = LoanId::try_from(self.loan_id).map_err(|fault| errors.add("/loanId", fault));
        match loan_id {
            Ok(loan_id) => errors.ok_or_errors(Event {
                name: self.event_name,
                loan_id,
                context: self.context,
                occurred_at: self.occurred_at,
                trace_context: None,
                envelope: OnceLock::new(),
            }),
            Err(()) => Err(errors),
        }
    }
}

impl Event {
    /// An operational event, which belongs to no loan. Its context is a JSON object.
    pub(crate) fn operational(name: String, context: Box<RawValue>, occurred_at: Option<String>) -> Self {
        let loan_id = LoanId::operational();
        Self { name, loan_id, context, occurred_at, trace_context: None, envelope: OnceLock::new() }
    }

    /// Whether it is an operational event.
    pub fn is_operational(&self) -> bool {
        self.loan_id.is_operational()
    }

    /// What tells this event from another under the same idempotency key: the same however it came in,
    /// alone or in a batch. The context counts byte for byte.
    pub fn digest(&self) -> PayloadKey {
        let occurred_at = self.occurred_at.as_deref().unwrap_or_default();
        let parts = [&*self.name, self.loan_id.as_str(), occurred_at, self.context.get()];
        // Lengths keep the parts apart.
        let hash = parts.iter().fold(Sha256::new(), |hash, part| {
            hash.chain_update(part.len().to_be_bytes()).chain_update(part.as_bytes())
        });
        PayloadKey::from_bytes(hash.finalize().into())
    }

    /// The payload of a subscription that has no template: the event's name and its context; of an operational event its facts.
    pub fn envelope(&self) -> (Bytes, Payload) {
        let made = self.made_envelope();
        (made.sent.clone(), made.payload)
    }

    /// The payload that the ledger keeps, of which the context is a part: the envelope, but for an operational event.
    pub fn ledger_payload(&self) -> Bytes {
        self.made_envelope().kept.clone()
    }

    /// Where the context is in the payload that the ledger keeps.
    pub fn stored_context(&self) -> StoredContext {
        self.made_envelope().context
    }

    fn made_envelope(&self) -> &Envelope {
        self.envelope.get_or_init(|| {
            if self.is_operational() { self.operational_envelope() } else { self.loan_envelope() }
        })
    }

    fn loan_envelope(&self) -> Envelope {
        let name = serde_json::Value::from(self.name.as_str()).to_string();
        let mut json = format!("{{\"eventName\":{name},\"context\":");
        let (offset, bytes) = (length(json.len()), length(self.context.get().len()));
        json.push_str(self.context.get());
        json.push('}');
        let key = PayloadKey::of(json.as_bytes());
        let payload = Payload { key: Some(key), bytes: json.len() as u64 };
        let sent = Bytes::from(json);
        let context = StoredContext { payload: key, offset, bytes };
        Envelope { kept: sent.clone(), sent, payload, context }
    }

    fn operational_envelope(&self) -> Envelope {
        let sent = Bytes::from(operational::body(self.context.get()));
        let kept = Bytes::copy_from_slice(self.context.get().as_bytes());
        let context = StoredContext { payload: PayloadKey::of(&kept), offset: 0, bytes: length(kept.len()) };
        Envelope { payload: Payload::of(&sent), sent, kept, context }
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// How deep valid JSON nests: 1 for `{}`.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'{' | b'[' if !text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !text => depth -= 1,
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(context: &str) -> EventInput {
        EventInput {
            event_name: "Payment \"Posted\"".into(),
            loan_id: "727".into(),
            context: RawValue::from_string(context.into()).expect("JSON"),
            occurred_at: None,
        }
    }

    #[test]
    fn the_envelope_keeps_order_and_spelling() {
        let event = input(r#"{"b": 250.00, "a": 1e2}"#).check().expect("a good event");
        assert_eq!(
            event.envelope().0,
            r#"{"eventName":"Payment \"Posted\"","context":{"b": 250.00, "a": 1e2}}"#
        );
        let StoredContext { payload, offset, bytes } = event.stored_context();
        assert_eq!(event.envelope().1.key, Some(payload));
        let (from, length) = (offset as usize, bytes as usize);
        assert_eq!(event.envelope().0[from..from + length], *event.context.get().as_bytes());
    }

    #[test]
    fn depth_by_table() {
        for (json, deep) in [("{}", 1), (r#"{"a":[1,{"b":[]}]}"#, 4), (r#"{"[[\"{":"\\{"}"#, 1)] {
            assert_eq!(depth(json), deep, "{json}");
        }
        let nested = |deep: usize| format!("{{\"a\":{}{}}}", "[".repeat(deep - 1), "]".repeat(deep - 1));
        assert!(input(&nested(32)).check().is_ok());
        assert!(input(&nested(33)).check().is_err());
    }

    #[test]
    fn a_lone_surrogate_is_refused_in_a_name_and_taken_in_a_value() {
        let errors =
            input(r#"{"d": 40, "of": [{"k\ud800": 1}]}"#).check().expect_err("a name of half a character");
        assert_eq!(errors, ValidationErrors::one(r"/context/of/0/k\ud800", LONE_SURROGATE));
        let event = input(r#"{"d": "\ud800"}"#).check().expect("a value is kept as it is");
        assert_eq!(event.context.get(), r#"{"d": "\ud800"}"#);
    }

    #[test]
    fn every_fault_is_told() {
        let errors = EventInput {
            event_name: String::new(),
            loan_id: "a/b".into(),
            context: RawValue::from_string("[]".into()).expect("JSON"),
            occurred_at: Some("yesterday".into()),
        }
        .check()
        .expect_err("all wrong");
        let pointers: Vec<_> = errors.0.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/eventName", "/context", "/occurredAt", "/loanId"]);
    }
}
