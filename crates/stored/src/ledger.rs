//! Stored event of the ledger, with its verdicts.

use std::borrow::Cow;
use std::ops::Not;

use loanhook_core::model::id::{EventId, SubscriptionId, TraceId};
use loanhook_core::model::ledger::{Decision, DecisionKind, LedgerEvent, StoredContext, Verdict};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{StoredHash, StoredLoan, StoredTenant, StoredTime};
use crate::words::StoredDecision;
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub struct StoredLedgerEvent<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    id: Uuid,
    tenant: StoredTenant,
    loan_id: StoredLoan,
    name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    occurred_at: Option<Cow<'a, str>>,
    accepted_at: StoredTime,
    /// Absent is false.
    #[serde(default, skip_serializing_if = "Not::not")]
    test: bool,
    /// The payload, and where the context begins in it and its length, in bytes.
    context: (StoredHash, u32, u32),
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    verdicts: Vec<StoredVerdict<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredVerdict<'a> {
    subscription: Uuid,
    title: Cow<'a, str>,
    version: u64,
    verdict: StoredDecision,
    /// Of `delivered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<Uuid>,
    /// Of `formula_error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
}

impl Document for LedgerEvent {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredLedgerEvent<'a>;

    fn to_stored(&self) -> StoredLedgerEvent<'_> {
        let Self { id, tenant, loan_id, name, occurred_at, accepted_at, test, context, verdicts } = self;
        let StoredContext { payload, offset, bytes } = *context;
        StoredLedgerEvent {
            v: Version::NEWEST,
            id: id.uuid(),
            tenant: StoredTenant(tenant.clone()),
            loan_id: StoredLoan(loan_id.clone()),
            name: name.into(),
            occurred_at: occurred_at.as_deref().map(Cow::Borrowed),
            accepted_at: StoredTime(*accepted_at),
            test: *test,
            context: (StoredHash(payload), offset, bytes),
            verdicts: verdicts.iter().map(StoredVerdict::from).collect(),
        }
    }

    fn from_stored(stored: StoredLedgerEvent<'_>) -> Self {
        let StoredLedgerEvent {
            v: _,
            id,
            tenant,
            loan_id,
            name,
            occurred_at,
            accepted_at,
            test,
            context,
            verdicts,
        } = stored;
        let (payload, offset, bytes) = context;
        Self {
            id: EventId::from_uuid(id),
            tenant: tenant.0,
            loan_id: loan_id.0,
            name: name.into_owned(),
            occurred_at: occurred_at.map(Cow::into_owned),
            accepted_at: accepted_at.0,
            test,
            context: StoredContext { payload: payload.0, offset, bytes },
            verdicts: verdicts.into_iter().map(Verdict::from).collect(),
        }
    }
}

impl<'a> From<&'a Verdict> for StoredVerdict<'a> {
    fn from(verdict: &'a Verdict) -> Self {
        let Verdict { subscription_id, title, version, decision } = verdict;
        let detail = match decision {
            Decision::FormulaError(detail) => Some(detail.into()),
            _ => None,
        };
        Self {
            subscription: subscription_id.uuid(),
            title: title.into(),
            version: *version,
            verdict: decision.kind().into(),
            trace: decision.trace().map(TraceId::uuid),
            detail,
        }
    }
}

impl From<StoredVerdict<'_>> for Verdict {
    fn from(stored: StoredVerdict<'_>) -> Self {
        let StoredVerdict { subscription, title, version, verdict, trace, detail } = stored;
        let decision = match (DecisionKind::from(verdict), trace) {
            (DecisionKind::Delivered, trace) => {
                Decision::Delivered(TraceId::from_uuid(trace.unwrap_or_default()))
            }
            (DecisionKind::TriggerFalse, _) => Decision::TriggerFalse,
            (DecisionKind::AlreadyTrue, _) => Decision::AlreadyTrue,
            (DecisionKind::RestrictionFalse, _) => Decision::RestrictionFalse,
            (DecisionKind::Disabled, _) => Decision::Disabled,
            (DecisionKind::FormulaError, _) => {
                Decision::FormulaError(detail.map(Cow::into_owned).unwrap_or_default())
            }
        };
        let subscription_id = SubscriptionId::from_uuid(subscription);
        Self { subscription_id, title: title.into_owned(), version, decision }
    }
}
