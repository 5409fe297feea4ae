//! Rules: what must hold during a run and at its end.
//!
//! To add a check: name its rule here, and call it where what it looks at happens: at a change of the state ([`observe`]),
//! at a request ([`requests`]), at an answer ([`answers`]), or at the end ([`end`]).

pub(crate) mod answers;
pub(crate) mod counts;
pub(crate) mod end;
pub(crate) mod flow;
pub(crate) mod history;
pub(crate) mod jobs;
pub(crate) mod observe;
pub(crate) mod order;
pub(crate) mod requests;
pub(crate) mod rows;
pub(crate) mod schedule;
pub(crate) mod triggers;

use std::fmt;

use loanhook_core::model::time::Timestamp;

use crate::trace::elapsed;

/// A rule of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// What was answered is attempted, and comes to an end.
    PromiseKept,
    /// What is answered is stored before.
    AnsweredIsCommitted,
    /// A request leaves only while its row is `sending`.
    RowBeforeRequest,
    /// Every request of a delivery is what was frozen at intake.
    FrozenBytes,
    /// A credential goes to no host that it was not given for.
    OwnCredentials,
    /// A resend moves no schedule.
    IndependentResend,
    /// One attempt for each number, in order, without a gap.
    OneAttemptPerNumber,
    /// An attempt is due when the retry policy says, and never leaves before.
    ScheduleTimes,
    /// A row says what came of its request.
    RowIsTrue,
    /// An attempt is interrupted only when the lease of its worker is over.
    LeaseIsKept,
    /// A canceled delivery is attempted no more.
    CanceledIsFinal,
    /// A repeated call under a key makes nothing new.
    DuplicateMakesNothing,
    /// A resend names a row of its delivery, and only what was attempted is resent.
    ResendNamesARow,
    /// A trigger with a rising edge fires once.
    TriggerFiresOnce,
    /// What happened is counted once.
    CountedOnce,
    /// A recovery job resends each delivery once, those of a loan one after the other.
    JobOnce,
    /// A first attempt is claimed after every earlier delivery of its loan, where the subscription keeps an order.
    OrderIsKept,
    /// No limit of a subscription is exceeded.
    LimitsAreKept,
    /// What is held waits, but for a probe at a time; what waited leaves slowly at first.
    HoldIsKept,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PromiseKept => "promise kept",
            Self::AnsweredIsCommitted => "answered is committed",
            Self::RowBeforeRequest => "row before request",
            Self::FrozenBytes => "frozen bytes",
            Self::OwnCredentials => "own credentials",
            Self::IndependentResend => "independent resend",
            Self::OneAttemptPerNumber => "one attempt per number",
            Self::ScheduleTimes => "schedule times",
            Self::RowIsTrue => "a row is true",
            Self::LeaseIsKept => "a lease is kept",
            Self::CanceledIsFinal => "canceled is final",
            Self::DuplicateMakesNothing => "a duplicate makes nothing",
            Self::ResendNamesARow => "a resend names a row",
            Self::TriggerFiresOnce => "a trigger fires once",
            Self::CountedOnce => "counted once",
            Self::JobOnce => "a job resends once",
            Self::OrderIsKept => "an order is kept",
            Self::LimitsAreKept => "limits are kept",
            Self::HoldIsKept => "a hold is kept",
        })
    }
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    pub detail: String,
    /// When it was seen.
    pub at: Timestamp,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.rule, elapsed(self.at), self.detail)
    }
}
