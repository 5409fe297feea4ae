//! Operational event: what happened, with the facts that are sent.

use serde_json::value::RawValue;
use uuid::Uuid;

use super::facts::{self, Facts};
use super::{OperationalKind, Subject};
use crate::model::event::Event;
use crate::model::id::TenantId;
use crate::model::time::Timestamp;

/// Names an operational event: a UUIDv5 of what happened. The same happening has the same one, whoever sees it and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationalEventId(Uuid);

impl OperationalEventId {
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The ID of what happened to this (a subscription, a job); `parts` tell one happening of a kind from another.
    pub(super) fn of(to: Uuid, kind: OperationalKind, parts: &[&str]) -> Self {
        let name = parts.iter().fold(kind.as_str().to_owned(), |name, part| name + "#" + part);
        Self(Uuid::new_v5(&to, name.as_bytes()))
    }
}

/// One operational event, as it waits in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationalEvent {
    pub id: OperationalEventId,
    pub tenant: TenantId,
    pub kind: OperationalKind,
    pub occurred_at: Timestamp,
    /// Its variables, as a JSON object.
    pub context: String,
}

impl OperationalEvent {
    /// What happened to a subscription; `parts` tell it from what happened to it before.
    pub(super) fn of_subject(
        kind: OperationalKind,
        subject: &Subject,
        occurred_at: Timestamp,
        parts: &[&str],
        facts: Facts,
    ) -> Self {
        Self {
            id: OperationalEventId::of(subject.subscription.uuid(), kind, parts),
            tenant: subject.tenant.clone(),
            kind,
            occurred_at,
            context: facts.into_json(),
        }
    }

    /// The idempotency key under which it is taken in. No caller can send such a key: theirs are of ASCII.
    pub fn idempotency_key(&self) -> String {
        format!("operational·{}", self.id.uuid())
    }

    /// The names of its variables, in their order.
    pub fn variables(&self) -> Vec<String> {
        facts::read(&self.context).unwrap_or_default().into_iter().map(|(name, _)| name).collect()
    }

    /// It as an event that can be matched and rendered; none where its context is no JSON, which none of these lacks.
    pub fn to_event(&self) -> Option<Event> {
        let context = RawValue::from_string(self.context.clone()).ok()?;
        Some(Event::operational(self.kind.as_str().to_owned(), context, Some(self.occurred_at.to_string())))
    }
}

impl Facts {
    /// The facts that every operational event has.
    pub(super) fn of_kind(kind: OperationalKind, subject: Option<&Subject>, occurred_at: Timestamp) -> Self {
        Self::new()
            .with("event-name", kind.as_str())
            .with("subscription-id", subject.map(|subject| subject.subscription.to_string()))
            .with("title", subject.map(|subject| &subject.title))
            .with("occurred-at", occurred_at.to_string())
    }
}
