//! Scope of the ledger: which events it keeps. An engine asks it before it stores one.

use std::str::FromStr;

use super::LedgerEvent;

/// Which events the ledger keeps: the operator's choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LedgerScope {
    #[default]
    All,
    /// Those with a delivery.
    Matched,
    None,
}

impl LedgerScope {
    /// Whether an event with these verdicts is kept.
    pub fn keeps(self, event: &LedgerEvent) -> bool {
        match self {
            Self::All => true,
            Self::Matched => event.traces().next().is_some(),
            Self::None => false,
        }
    }
}

impl FromStr for LedgerScope {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            "matched" => Ok(Self::Matched),
            "none" => Ok(Self::None),
            _ => Err("must be all, matched or none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Decision, StoredContext, Verdict};
    use super::*;
    use crate::model::id::{EventId, LoanId, SubscriptionId, TenantId, TraceId};
    use crate::model::payload::PayloadKey;
    use crate::model::time::Timestamp;

    #[test]
    fn what_a_scope_keeps_by_table() {
        let delivered = Decision::Delivered(TraceId::from_uuid(uuid::Uuid::nil()));
        let table: [(&[Decision], [bool; 3]); 3] = [
            (&[], [true, false, false]),
            (&[Decision::TriggerFalse, Decision::Disabled], [true, false, false]),
            (&[Decision::TriggerFalse, delivered], [true, true, false]),
        ];
        for (decisions, kept) in table {
            let event = event(decisions);
            let scopes = ["all", "matched", "none"].map(|word| word.parse::<LedgerScope>().expect(word));
            assert_eq!(scopes.map(|scope| scope.keeps(&event)), kept, "{decisions:?}");
        }
        assert!("some".parse::<LedgerScope>().is_err());
    }

    fn event(decisions: &[Decision]) -> LedgerEvent {
        let accepted_at = Timestamp::from_millis(1_795_428_000_123);
        let verdict = |decision: &Decision| Verdict {
            subscription_id: SubscriptionId::at(accepted_at),
            title: "Any".into(),
            version: 1,
            decision: decision.clone(),
        };
        LedgerEvent {
            id: EventId::at(accepted_at),
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
            name: "Payment".into(),
            occurred_at: None,
            accepted_at,
            test: false,
            context: StoredContext { payload: PayloadKey::of(b"{}"), offset: 0, bytes: 2 },
            verdicts: decisions.iter().map(verdict).collect(),
        }
    }
}
