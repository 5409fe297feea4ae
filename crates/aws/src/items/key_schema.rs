//! The names of everything in the table.
//!
//! One table holds all kinds of things, so every partition key begins with the kind: no tenant or loan can
//! be named so that it meets another kind, and as a tenant has no `#` in it, what follows the second `#`
//! may be anything. Names of attributes stand here once, for writers and readers alike.

use loanhook_core::model::id::{AttemptId, KeyId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::payload::PayloadKey;

/// Partition and sort key, of every item.
pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
/// What was written as JSON: what conditions and updates never look into.
pub(super) const DOC: &str = "doc";
/// When DynamoDB may delete the item, in seconds since 1970.
pub(super) const EXPIRES: &str = "expires";
/// Of payloads, in their own table: all of it.
pub(super) const BYTES: &str = "bytes";

/// Of rows: the delivery, and so the partition of the index [`BY_TRACE`], which sorts by `sk`.
pub(super) const TRACE: &str = "trace";
/// Of rows: `queued`, `sending` or `complete`.
pub(super) const STATE: &str = "state";
/// Of rows that are being sent: whose they are.
pub(super) const TOKEN: &str = "token";

/// Of deliveries, see `delivery_item`.
pub(super) const STATUS: &str = "status";
pub(super) const NEXT: &str = "next";
pub(super) const CLAIM: &str = "flight";
pub(super) const INTERRUPTIONS: &str = "interruptions";
pub(super) const NEWEST_AUTO: &str = "newestAuto";
pub(super) const NEWEST_MANUAL: &str = "newestManual";
pub(super) const RESENDS: &str = "resends";
pub(super) const RESENT: &str = "resent";
/// Of deliveries: a mark of who last moved it on or canceled it, by which they know their own write again.
pub(super) const WRITER: &str = "writer";
/// Of deliveries whose schedule ran out: the partition of the index `exhausted`, which has nothing else in it,
/// and since when.
pub(super) const EXHAUSTED: &str = "exhausted";
pub(super) const EXHAUSTED_AT: &str = "exhaustedAt";

/// Of idempotency records: until when they stand, in milliseconds since 1970.
pub(super) const UNTIL: &str = "until";
/// Of a version of a subscription that is its newest: what signs. No older one keeps any.
pub(super) const SECRETS: &str = "secrets";
/// Of a tenant's counter: changed by every change of a subscription or a key.
pub(super) const VERSION: &str = "version";
/// Of a tenant's counter: how many subscriptions there are.
pub(super) const COUNT: &str = "count";
/// Of a listed key: the hash it is found by.
pub(super) const HASH: &str = "hash";
/// Of a listed key: the beginning of the hour in which it was last used, in milliseconds since 1970.
pub(super) const USED: &str = "used";
/// Of a key or a grant that was ended.
pub(super) const DELETED: &str = "deleted";
/// Of an address: when a request last left from it, in milliseconds since 1970.
pub(super) const SEEN: &str = "seen";

/// Rows by delivery: keys only, so that completing a row writes no index.
pub(super) const BY_TRACE: &str = "by-trace";
/// How many partitions a tenant's exhausted deliveries are spread over in their index.
const EXHAUSTED_SHARDS: u8 = 8;

/// What a loan's triggers were: one item a loan, with a version that every change counts.
pub(super) fn trigger_state(tenant: &TenantId, loan: &LoanId) -> ItemKey {
    ItemKey::only(format!("M#{tenant}#{loan}"))
}

/// What became of a subscription's formulas.
pub(super) fn formula_errors(tenant: &TenantId, id: SubscriptionId) -> ItemKey {
    // A partition of its own: events write here, and every request reads the settings' counter.
    ItemKey::only(format!("F#{tenant}#{id}"))
}

/// The one item of a partition that holds one.
pub(super) const ONLY_SK: &str = "-";

/// A place in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemKey {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl ItemKey {
    fn only(pk: String) -> Self {
        Self { pk, sk: ONLY_SK.into() }
    }
}

pub(super) fn delivery(tenant: &TenantId, trace: TraceId) -> ItemKey {
    ItemKey::only(trace_pk(tenant, trace))
}

/// Also what the rows of a delivery are indexed under.
pub(super) fn trace_pk(tenant: &TenantId, trace: TraceId) -> String {
    format!("T#{tenant}#{trace}")
}

pub(super) fn exhausted_pk(tenant: &TenantId, trace: TraceId) -> String {
    format!("X#{tenant}#{}", trace.uuid().as_bytes()[0] % EXHAUSTED_SHARDS)
}

pub(super) fn row(tenant: &TenantId, loan: &LoanId, id: AttemptId) -> ItemKey {
    ItemKey { pk: loan_pk(tenant, loan), sk: id.to_string() }
}

pub(super) fn loan_pk(tenant: &TenantId, loan: &LoanId) -> String {
    format!("L#{tenant}#{loan}")
}

/// What an idempotency key is for: the same key of another kind is another key.
#[derive(Debug, Clone, Copy)]
pub(super) enum IdempotencyScope {
    Event,
    Resend,
}

pub(super) fn idempotency(tenant: &TenantId, kind: IdempotencyScope, key: &str) -> ItemKey {
    let kind = match kind {
        IdempotencyScope::Event => "event",
        IdempotencyScope::Resend => "resend",
    };
    ItemKey::only(format!("I#{tenant}#{kind}#{key}"))
}

/// Where the subscriptions of a tenant are: its counter, each as it is now, and each version there was.
pub(super) fn settings_pk(tenant: &TenantId) -> String {
    format!("S#{tenant}")
}

pub(super) fn tenant_version(tenant: &TenantId) -> ItemKey {
    ItemKey::only(settings_pk(tenant))
}

pub(super) const CURRENT_PREFIX: &str = "C#";

pub(super) fn current_subscription(tenant: &TenantId, id: SubscriptionId) -> ItemKey {
    ItemKey { pk: settings_pk(tenant), sk: format!("{CURRENT_PREFIX}{id}") }
}

pub(super) fn versions_prefix(id: SubscriptionId) -> String {
    format!("V#{id}#")
}

pub(super) fn subscription_version(tenant: &TenantId, id: SubscriptionId, version: u64) -> ItemKey {
    // Padded, so that versions sort as text.
    ItemKey { pk: settings_pk(tenant), sk: format!("{}{version:020}", versions_prefix(id)) }
}

pub(super) fn key(hash: KeyHash) -> ItemKey {
    ItemKey::only(format!("K#{}", hex(&hash.0)))
}

/// What the token of this hash lets a person see.
pub(super) fn grant(hash: KeyHash) -> ItemKey {
    ItemKey::only(format!("G#{}", hex(&hash.0)))
}

pub(super) fn listed_keys_pk(tenant: &TenantId) -> String {
    format!("A#{tenant}")
}

/// Where a key is listed.
pub(super) fn listed_key(tenant: &TenantId, id: KeyId) -> ItemKey {
    ItemKey { pk: listed_keys_pk(tenant), sk: id.to_string() }
}

/// Where the addresses are that requests leave from.
pub(super) const EGRESS_PK: &str = "E#";

/// What a payload is called, in its table and in the bucket.
pub(super) fn payload_name(tenant: &TenantId, key: PayloadKey) -> String {
    format!("{tenant}/{key}")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
