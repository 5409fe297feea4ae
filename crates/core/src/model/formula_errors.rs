//! Formula errors: formulas that failed on an event, counted for each subscription, with the last one for its author.

use super::id::{LoanId, SubscriptionId};
use super::time::Timestamp;
use loanhook_formula::FormulaError;

/// Which formula of a subscription it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichFormula {
    Trigger,
    Restriction,
}

impl WhichFormula {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Restriction => "restriction",
        }
    }
}

/// A formula that failed on one event: it did not fire, and what was remembered of it stayed as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormulaErrorRecord {
    pub formula: WhichFormula,
    /// The version of the subscription that it failed in.
    pub version: u64,
    pub at: Timestamp,
    pub loan_id: LoanId,
    /// What is wrong: a sentence that holds no value of the event.
    pub detail: String,
    /// Where in the formula, from 1.
    pub line: u32,
    pub column: u32,
}

/// The failures of a subscription's formulas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormulaErrors {
    /// How many events a formula failed on so far.
    pub count: u64,
    pub last: FormulaErrorRecord,
}

/// A trouble, and whose it is.
#[derive(Debug, Clone)]
pub struct SubscriptionFormulaError {
    pub subscription: SubscriptionId,
    pub error: FormulaErrorRecord,
}

impl FormulaErrorRecord {
    pub fn new(
        formula: WhichFormula,
        version: u64,
        loan_id: LoanId,
        error: FormulaError,
        at: Timestamp,
    ) -> Self {
        Self {
            formula,
            version,
            at,
            loan_id,
            detail: error.detail,
            line: error.position.line,
            column: error.position.column,
        }
    }
}
