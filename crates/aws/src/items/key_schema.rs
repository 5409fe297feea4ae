//! The key schema: the partition and sort keys of all items, and the names of their attributes.
//!
//! One table holds all kinds of items, so every partition key begins with the kind. No tenant or loan can be named so that
//! it meets another kind; and as a tenant's name has no `#`, what follows the second `#` may be any text.

mod failed;
mod flow;
mod jobs;
mod ledger;
mod order;
mod receivers;
mod sealing;
mod settings;
mod sweep;
mod tokens;

pub(crate) use self::failed::{
    BY_FAILED, FAILED_PK, FAILED_SHARDS, FAILED_SK, failed_pk, failed_shard_pk, failed_sk, read_failed_sk,
};
pub(crate) use self::flow::{
    CHANGED_BY, PACED, PLACE_TIME, PROBE, PROBE_TOKEN, WAITING_TURNS_PK, flow_state, places, read_waiting_sk,
    waiting, waiting_pk, waiting_turn,
};
pub(crate) use self::jobs::{TURN, TURNS_PK, is_job, job, job_chunk, jobs_pk, read_turn_sk, turn};
pub(crate) use self::ledger::{
    ACCEPTANCE_SHARDS, ACCEPTED_DAY, AcceptanceDay, BY_ACCEPTANCE, acceptance_day_pk, acceptance_pk, event,
    events_pk,
};
pub(crate) use self::order::{
    FAILED, LAST, OPEN_TRACE, OrderedLoan, SEQUENCE, open_delivery_sk, ordered_loans_prefix,
};
pub(crate) use self::receivers::{INSTANCE_SK, SLOW_MARKS_PK, instance, permits, slow_mark};
pub(crate) use self::sealing::{
    CURRENT, DATA_KEY, DATA_KEYS, SINCE, data_keys, first_data_key_note, removed_data_key,
};
pub(crate) use self::settings::{
    CURRENT_PREFIX, VERSIONS_PREFIX, current_subscription, settings_pk, stored_list_part, stored_list_pk,
    stored_list_sk, subscription_of_version, subscription_version, tenant_version, tenant_version_copy,
    versions_prefix,
};
pub(crate) use self::sweep::{CHECKED, HANDED_OVER, SWEEP_PK, sweep_cursor};
pub(crate) use self::tokens::{
    DETAIL, ENDED, FETCH, FETCH_UNTIL, GENERATION, KIND, TOKEN_VALUE, USE_UNTIL, token,
};
pub(crate) use super::hex::hex;
use loanhook_core::model::id::{AttemptId, KeyId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::payload::PayloadKey;

/// The partition and sort key of every item.
pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
/// A JSON document, as text or packed (see `packed`): what no condition and no update reads.
pub(crate) const DOC: &str = "doc";
/// When DynamoDB may delete the item, in seconds since 1970.
pub(crate) const EXPIRES: &str = "expires";
/// Of payloads, in their own table: the bytes, either as they are or packed (see `packed`).
pub(crate) const BYTES: &str = "bytes";
pub(crate) const PACKED: &str = "packed";

/// Of rows that no delivery names in `firstAuto`: the delivery, and so the partition of the index [`BY_TRACE`], which sorts
/// by `sk`.
pub(crate) const TRACE: &str = "trace";
/// Of rows: `queued`, `sending` or `complete`.
pub(crate) const STATE: &str = "state";
/// Of rows that are being sent: the fencing token of their claim.
pub(crate) const TOKEN: &str = "token";

/// Of deliveries: see `delivery_item`.
pub(crate) const STATUS: &str = "status";
pub(crate) const NEXT: &str = "next";
/// Stored as `flight` since the first version.
pub(crate) const CLAIM: &str = "flight";
pub(crate) const INTERRUPTIONS: &str = "interruptions";
/// Of deliveries whose attempt 1 is not in the index [`BY_TRACE`]: its ID. Absent where an earlier version claimed it.
pub(crate) const FIRST_AUTO: &str = "firstAuto";
pub(crate) const NEWEST_AUTO: &str = "newestAuto";
pub(crate) const NEWEST_MANUAL: &str = "newestManual";
pub(crate) const RESENDS: &str = "resends";
pub(crate) const RESENT: &str = "resent";
/// Of deliveries whose schedule ran out, and that a resend delivered: true.
pub(crate) const DELIVERED_BY_RESEND: &str = "byResend";
/// Of deliveries: the attempt whose message was put aside, and when. See `put_aside`.
pub(crate) const PUT_ASIDE: &str = "aside";
/// Of deliveries: an ID of the write that last advanced or canceled it, by which that write recognises itself.
pub(crate) const WRITER: &str = "writer";

/// The partition of the index [`BY_DUE`]: of deliveries, the bucket of the time when the next attempt is due; of the counter of an
/// ordered loan, that of the time when the loan is looked at.
pub(crate) const DUE_BUCKET: &str = "dueBucket";

/// Of idempotency records: until when the key is remembered, in milliseconds since 1970.
pub(crate) const UNTIL: &str = "until";
/// Of the newest version of a subscription: its signing secrets. No older version keeps any.
pub(crate) const SECRETS: &str = "secrets";
/// Of a tenant's version: counts the changes of its subscriptions and keys. Of a trigger state: counts its changes. Of a
/// part of a stored list: the version of the tenant that the list shows. Of a job: counts its changes.
pub(crate) const VERSION: &str = "version";
/// Of formula errors: how many there were. Of a tenant's version: see `tenant_record`.
pub(crate) const COUNT: &str = "count";
/// Of a tenant's version: how many subscriptions there are.
pub(crate) const SUBSCRIPTIONS: &str = "subscriptions";
/// Of a tenant's version and its copies: the latest changes, and how many copies there are.
pub(crate) const CHANGES: &str = "changes";
pub(crate) const COPIES: &str = "copies";
/// Of a tenant's version and its copies: the IDs, 16 bytes each, of the subscriptions with flow settings, and of those with a flow
/// mark.
pub(crate) const FLOW_SET: &str = "flowSet";
pub(crate) const FLOW_MARKED: &str = "flowMarked";
/// Of the newest version of a subscription: its flow state counts whatever its settings say.
pub(crate) const FLOW_MARK: &str = "flowMark";
/// Of a part of a stored list: its bytes, and of how many parts it is one.
pub(crate) const DOCS: &str = "docs";
pub(crate) const PARTS: &str = "parts";
/// Of a listed key: the hash under which the key is stored.
pub(crate) const HASH: &str = "hash";
/// Of a listed key: the beginning of the hour in which it was last used, in milliseconds since 1970.
pub(crate) const USED: &str = "used";
/// Of a key that was deleted or a grant that was ended.
pub(crate) const DELETED: &str = "deleted";
/// Of the permits of a receiver: the set of those that are taken.
pub(crate) const TAKEN: &str = "taken";
/// Of an address: when a request last left from it. Of a slow mark: when its receiver was last seen to be slow. Of the turn of
/// a job: when a message of it was last taken or sent again. Of the item of readiness: when it was last written. In milliseconds
/// since 1970.
pub(crate) const SEEN: &str = "seen";

/// Of looks at tenants, in the table of reports: when, in milliseconds since 1970.
pub(crate) const DUE_AT: &str = "due";

/// Deliveries by the time when they are due: keys only, so that no other write to a delivery writes the index.
pub(crate) const BY_DUE: &str = "due";
/// Rows by delivery: keys only, so that completing a row writes no index.
pub(crate) const BY_TRACE: &str = "by-trace";

/// The trigger state of a loan: one item for each loan.
pub(crate) fn trigger_state(tenant: &TenantId, loan: &LoanId) -> ItemKey {
    ItemKey::only(format!("M#{tenant}#{loan}"))
}

/// The formula errors of a subscription.
pub(crate) fn formula_errors(tenant: &TenantId, id: SubscriptionId) -> ItemKey {
    // A partition of its own: events write here, and every request reads the partition of the settings.
    ItemKey::only(format!("F#{tenant}#{id}"))
}

/// The sort key of the only item of a partition.
pub(crate) const ONLY_SK: &str = "-";

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemKey {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl ItemKey {
    fn only(pk: String) -> Self {
        Self { pk, sk: ONLY_SK.into() }
    }
}

pub(crate) fn delivery(tenant: &TenantId, trace: TraceId) -> ItemKey {
    ItemKey::only(trace_pk(tenant, trace))
}

/// The partition of a delivery, and of its rows in the index [`BY_TRACE`].
pub(crate) fn trace_pk(tenant: &TenantId, trace: TraceId) -> String {
    format!("T#{tenant}#{trace}")
}

pub(crate) fn row(tenant: &TenantId, loan: &LoanId, id: AttemptId) -> ItemKey {
    ItemKey { pk: loan_pk(tenant, loan), sk: id.to_string() }
}

pub(crate) fn loan_pk(tenant: &TenantId, loan: &LoanId) -> String {
    format!("L#{tenant}#{loan}")
}

/// What an idempotency key is for: the same key in another scope is another key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum IdempotencyScope {
    Event,
    Resend,
    Job,
}

pub(crate) fn idempotency(tenant: &TenantId, scope: IdempotencyScope, key: &str) -> ItemKey {
    let scope = match scope {
        IdempotencyScope::Event => "event",
        IdempotencyScope::Resend => "resend",
        IdempotencyScope::Job => "job",
    };
    ItemKey::only(format!("I#{tenant}#{scope}#{key}"))
}

pub(crate) fn key(hash: KeyHash) -> ItemKey {
    ItemKey::only(format!("K#{}", hex(&hash.0)))
}

/// The grant of the token of this hash.
pub(crate) fn grant(hash: KeyHash) -> ItemKey {
    ItemKey::only(format!("G#{}", hex(&hash.0)))
}

pub(crate) fn listed_keys_pk(tenant: &TenantId) -> String {
    format!("A#{tenant}")
}

/// A key in the list of its tenant.
pub(crate) fn listed_key(tenant: &TenantId, id: KeyId) -> ItemKey {
    ItemKey { pk: listed_keys_pk(tenant), sk: id.to_string() }
}

/// The item that is written to find out whether the table takes writes.
pub(crate) fn readiness() -> ItemKey {
    ItemKey::only("R#".into())
}

/// The partition of the addresses that requests leave from.
pub(crate) const EGRESS_PK: &str = "E#";

/// The name of a payload, in its table and in the bucket.
pub(crate) fn payload_name(tenant: &TenantId, key: PayloadKey) -> String {
    format!("{tenant}/{key}")
}
