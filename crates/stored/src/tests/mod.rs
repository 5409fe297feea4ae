//! Tests of all documents: what earlier versions wrote is read, and written the same way.

mod counts;
mod fixtures;
mod golden;
mod older;

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::model::flow::FlowState;
use loanhook_core::model::formula_errors::FormulaErrorRecord;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::{AttemptId, TraceId};
use loanhook_core::model::job::{Job, JobChunk};
use loanhook_core::model::key::Key;
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::operational::{OperationalEvent, OperationalState};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{IdempotencyRecord, JobRecord, QueueMessage};

use crate::{Document, ReadError, Sealed, read, write};

/// Reads a document and writes it again.
type Rewrite = fn(&str) -> Result<String, ReadError>;

fn rewrite<D: Document>(json: &str) -> Result<String, ReadError> {
    let document: D = read(json)?;
    write(&document).map_err(ReadError::Json)
}

/// Every kind of document.
const KINDS: [(&str, Rewrite); 18] = [
    ("attempt", rewrite::<Attempt>),
    ("event-record", rewrite::<IdempotencyRecord>),
    ("flow-state", rewrite::<FlowState>),
    ("formula-error", rewrite::<FormulaErrorRecord>),
    ("grant", rewrite::<Grant>),
    ("job", rewrite::<Job>),
    ("job-chunk", rewrite::<JobChunk>),
    ("job-record", rewrite::<JobRecord>),
    ("key", rewrite::<Key>),
    ("ledger-event", rewrite::<LedgerEvent>),
    ("message", rewrite::<QueueMessage>),
    ("operational-event", rewrite::<OperationalEvent>),
    ("operational-state", rewrite::<OperationalState>),
    ("resend-record", rewrite::<(TraceId, AttemptId)>),
    ("secrets", rewrite::<Sealed<Secrets>>),
    ("snapshot", rewrite::<DeliverySnapshot>),
    ("subscription", rewrite::<Sealed<Subscription>>),
    ("trigger-state", rewrite::<TriggerState>),
];

fn rewrite_of(kind: &str) -> Rewrite {
    let found = KINDS.iter().find(|(name, _)| *name == kind);
    found.unwrap_or_else(|| panic!("there are no documents of the kind {kind}")).1
}
