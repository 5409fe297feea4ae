//! Formulas that failed on events, as the author of their subscription is told of them.

use serde::Serialize;

use super::enums_of_model;
use super::id::{LoanId, Timestamp};
use loanhook_core::model::formula_errors as model;

enums_of_model! {
    /// Which formula of a subscription it was.
    #[serde(rename_all = "lowercase")]
    WhichFormula from model::WhichFormula {
        Trigger,
        Restriction,
    }
}

/// A formula that failed on one event: it did not fire, and what was remembered of it stayed as it was.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Trouble)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct FormulaErrorRecord {
    formula: WhichFormula,
    /// The version of the subscription that it failed in.
    version: u64,
    at: Timestamp,
    /// Null of an operational event, which belongs to no loan.
    #[schema(required, value_type = Option<String>)]
    loan_id: Option<LoanId>,
    /// What is wrong: a sentence that holds no value of the event.
    detail: String,
    /// Where in the formula, from 1.
    line: u32,
    column: u32,
}

/// The failures of a subscription's formulas.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::api) struct FormulaErrors {
    /// How many events a formula failed on so far.
    count: u64,
    last: FormulaErrorRecord,
}

impl From<model::FormulaErrors> for FormulaErrors {
    fn from(errors: model::FormulaErrors) -> Self {
        let model::FormulaErrors { count, last } = errors;
        let model::FormulaErrorRecord { formula, version, at, loan_id, detail, line, column } = last;
        let (formula, at, loan_id) = (formula.into(), at.into(), LoanId::shown(loan_id));
        Self { count, last: FormulaErrorRecord { formula, version, at, loan_id, detail, line, column } }
    }
}
