//! Stored formula error: the last one of a subscription.

use std::borrow::Cow;

use loanhook_core::model::formula_errors::FormulaErrorRecord;
use serde::{Deserialize, Serialize};

use crate::values::{StoredLoan, StoredTime};
use crate::words::StoredWhichFormula;
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredFormulaError<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    formula: StoredWhichFormula,
    /// The subscription's, not the document's.
    version: u64,
    at: StoredTime,
    loan_id: StoredLoan,
    detail: Cow<'a, str>,
    line: u32,
    column: u32,
}

impl Document for FormulaErrorRecord {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredFormulaError<'a>;

    fn to_stored(&self) -> StoredFormulaError<'_> {
        let Self { formula, version, at, loan_id, detail, line, column } = self;
        StoredFormulaError {
            v: Version::NEWEST,
            formula: (*formula).into(),
            version: *version,
            at: StoredTime(*at),
            loan_id: StoredLoan(loan_id.clone()),
            detail: detail.into(),
            line: *line,
            column: *column,
        }
    }

    fn from_stored(stored: StoredFormulaError<'_>) -> Self {
        let StoredFormulaError { v: _, formula, version, at, loan_id, detail, line, column } = stored;
        Self {
            formula: formula.into(),
            version,
            at: at.0,
            loan_id: loan_id.0,
            detail: detail.into_owned(),
            line,
            column,
        }
    }
}
