//! Ledger: every accepted event of a loan, with what each subscription decided about it.
//!
//! An event is stored with its verdicts in the step that accepts it, and never changes after that. What became of its
//! deliveries is read from them. Its context is not stored apart: it is a part of the payload that a subscription without a
//! template sends, which is kept once however many send it.

mod scope;

use std::str::FromStr;

pub use self::scope::LedgerScope;
use super::event::Event;
use super::id::{EventId, LoanId, SubscriptionId, TenantId, TraceId};
use super::payload::PayloadKey;
use super::progress::Status;
use super::time::Timestamp;

/// One accepted event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEvent {
    pub id: EventId,
    pub tenant: TenantId,
    pub loan_id: LoanId,
    pub name: String,
    /// RFC 3339, as it was told.
    pub occurred_at: Option<String>,
    pub accepted_at: Timestamp,
    /// Whether a subscription's test sent it.
    pub test: bool,
    pub context: StoredContext,
    /// By subscription ID. A subscription that asks for events of other names has none.
    pub verdicts: Vec<Verdict>,
}

/// Where the bytes of a context are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredContext {
    /// The payload that they are a part of.
    pub payload: PayloadKey,
    /// Where they begin in it, in bytes.
    pub offset: u32,
    /// Their length in bytes.
    pub bytes: u32,
}

/// What one subscription decided about one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub subscription_id: SubscriptionId,
    /// Its title then.
    pub title: String,
    /// The version that decided.
    pub version: u64,
    pub decision: Decision,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The event is sent, by the delivery of this trace.
    Delivered(TraceId),
    TriggerFalse,
    /// The trigger is true, and was so at the event of the loan before.
    AlreadyTrue,
    RestrictionFalse,
    Disabled,
    /// A formula failed: a sentence that holds no value of the event.
    FormulaError(String),
}

/// A decision without its details, by the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecisionKind {
    Delivered,
    TriggerFalse,
    AlreadyTrue,
    RestrictionFalse,
    Disabled,
    FormulaError,
}

impl DecisionKind {
    pub const ALL: [Self; 6] = [
        Self::Delivered,
        Self::TriggerFalse,
        Self::AlreadyTrue,
        Self::RestrictionFalse,
        Self::Disabled,
        Self::FormulaError,
    ];

    /// Its word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::TriggerFalse => "trigger_false",
            Self::AlreadyTrue => "already_true",
            Self::RestrictionFalse => "restriction_false",
            Self::Disabled => "disabled",
            Self::FormulaError => "formula_error",
        }
    }
}

/// So many characters of the detail of a formula error are kept. With it the verdicts of 200 subscriptions are less than the
/// 400 KB that an item of DynamoDB may have, whatever their titles are.
const MAX_DETAIL_CHARS: usize = 150;

impl Decision {
    /// A formula failed for this reason, of which the beginning is kept where it is long.
    pub fn formula_error(detail: &str) -> Self {
        Self::FormulaError(match detail.char_indices().nth(MAX_DETAIL_CHARS) {
            Some((end, _)) => format!("{}…", &detail[..end]),
            None => detail.into(),
        })
    }

    pub const fn kind(&self) -> DecisionKind {
        match self {
            Self::Delivered(_) => DecisionKind::Delivered,
            Self::TriggerFalse => DecisionKind::TriggerFalse,
            Self::AlreadyTrue => DecisionKind::AlreadyTrue,
            Self::RestrictionFalse => DecisionKind::RestrictionFalse,
            Self::Disabled => DecisionKind::Disabled,
            Self::FormulaError(_) => DecisionKind::FormulaError,
        }
    }

    pub const fn trace(&self) -> Option<TraceId> {
        match self {
            Self::Delivered(trace) => Some(*trace),
            _ => None,
        }
    }
}

impl LedgerEvent {
    /// An event as it is stored, with these verdicts.
    pub fn new(
        event: &Event,
        tenant: &TenantId,
        (id, accepted_at): (EventId, Timestamp),
        mut verdicts: Vec<Verdict>,
    ) -> Self {
        verdicts.sort_by_key(|verdict| verdict.subscription_id);
        Self {
            id,
            tenant: tenant.clone(),
            loan_id: event.loan_id.clone(),
            name: event.name.clone(),
            occurred_at: event.occurred_at.clone(),
            accepted_at,
            test: false,
            context: event.stored_context(),
            verdicts,
        }
    }

    /// Adds verdicts that were not known before.
    pub fn add_verdicts(&mut self, verdicts: impl IntoIterator<Item = Verdict>) {
        self.verdicts.extend(verdicts);
        self.verdicts.sort_by_key(|verdict| verdict.subscription_id);
    }

    /// The traces of its deliveries.
    pub fn traces(&self) -> impl Iterator<Item = TraceId> {
        self.verdicts.iter().filter_map(|verdict| verdict.decision.trace())
    }
}

/// What became of an event, by the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventResult {
    /// It has no delivery.
    Unmatched,
    /// A delivery failed or was canceled.
    Failed,
    /// None failed, and one is pending.
    Pending,
    Delivered,
}

impl EventResult {
    pub const ALL: [Self; 4] = [Self::Unmatched, Self::Failed, Self::Pending, Self::Delivered];

    /// Its word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unmatched => "unmatched",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Delivered => "delivered",
        }
    }

    /// The result of an event whose deliveries have these statuses.
    pub fn of(statuses: impl IntoIterator<Item = Status>) -> Self {
        let worst = |result: Self, status| match (result, status) {
            (Self::Failed, _) | (_, Status::Failed | Status::Canceled) => Self::Failed,
            (Self::Pending, _) | (_, Status::Pending) => Self::Pending,
            (Self::Unmatched | Self::Delivered, Status::Succeeded) => Self::Delivered,
        };
        statuses.into_iter().fold(Self::Unmatched, worst)
    }
}

/// What is no word of a result.
#[derive(Debug)]
pub struct UnknownEventResult;

impl FromStr for EventResult {
    type Err = UnknownEventResult;

    fn from_str(text: &str) -> Result<Self, UnknownEventResult> {
        Self::ALL.into_iter().find(|result| result.as_str() == text).ok_or(UnknownEventResult)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_of_an_event_by_table() {
        use Status::{Canceled, Failed, Pending, Succeeded};
        let table: [(&[Status], EventResult); 7] = [
            (&[], EventResult::Unmatched),
            (&[Succeeded], EventResult::Delivered),
            (&[Succeeded, Pending], EventResult::Pending),
            (&[Pending, Succeeded], EventResult::Pending),
            (&[Pending, Failed, Succeeded], EventResult::Failed),
            (&[Failed, Pending], EventResult::Failed),
            (&[Succeeded, Canceled], EventResult::Failed),
        ];
        for (statuses, result) in table {
            assert_eq!(EventResult::of(statuses.iter().copied()), result, "{statuses:?}");
        }
    }

    #[test]
    fn a_long_detail_is_cut() {
        let kept = |detail: &str| match Decision::formula_error(detail) {
            Decision::FormulaError(kept) => kept,
            other => panic!("{other:?}"),
        };
        assert_eq!(kept("a number is wanted here"), "a number is wanted here");
        assert_eq!(kept(&"ü".repeat(150)), "ü".repeat(150));
        assert_eq!(kept(&"ü".repeat(151)), format!("{}…", "ü".repeat(150)));
    }
}
