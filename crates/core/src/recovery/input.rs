//! What may be asked of a job.

use crate::delivery_list::DeliveryFilterInput;
use crate::model::attempt::ResendTo;
use crate::model::id::TraceId;
use crate::model::job::{JobKind, JobRequest, Selection};
use crate::model::validation::{ValidationError, ValidationErrors};

/// Where nothing else is asked for, so many deliveries a second are taken.
const DEFAULT_PER_SECOND: f64 = 10.0;
const MIN_PER_SECOND: f64 = 0.1;
const MAX_PER_SECOND: f64 = 1000.0;
/// How many deliveries can be named one by one.
const MAX_TRACES: usize = 1000;

/// A job as a caller asks for it.
#[derive(Debug, Clone)]
pub struct JobInput {
    pub kind: JobKind,
    /// The filters of the list across loans.
    pub filter: DeliveryFilterInput,
    /// In place of all filters: the deliveries by their traces.
    pub trace_ids: Option<Vec<String>>,
    /// original or current.
    pub to: Option<String>,
    pub per_second: Option<f64>,
    pub newest_per_loan: bool,
    pub stop_after_failures: Option<u32>,
    pub force: bool,
}

/// A job that may be made or planned.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub(super) request: JobRequest,
    /// The deliveries that were named, in whatever order.
    pub(super) traces: Vec<TraceId>,
}

impl JobInput {
    /// The job.
    ///
    /// # Errors
    ///
    /// What is wrong, each with its JSON pointer in the body.
    pub fn check(self) -> Result<NewJob, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        let per_second = self.per_second.unwrap_or(DEFAULT_PER_SECOND);
        if !(MIN_PER_SECOND..=MAX_PER_SECOND).contains(&per_second) {
            errors.add("/perSecond", "must be from 0.1 to 1000");
        }
        if self.stop_after_failures == Some(0) {
            errors.add("/stopAfterFailures", "must be at least 1");
        }
        let to = match self.to.as_deref() {
            None | Some("original") => ResendTo::Original,
            Some("current") => ResendTo::Current,
            Some(_) => {
                errors.add("/to", "must be original or current");
                ResendTo::Original
            }
        };
        let (selection, traces) = selection(self.kind, self.filter, self.trace_ids, &mut errors);
        let request = JobRequest {
            kind: self.kind,
            selection,
            to,
            per_second,
            newest_per_loan: self.newest_per_loan,
            stop_after_failures: self.stop_after_failures,
            force: self.force,
        };
        errors.ok_or_errors(NewJob { request, traces })
    }
}

/// Which deliveries are asked for, and those that are named.
fn selection(
    kind: JobKind,
    mut filter: DeliveryFilterInput,
    trace_ids: Option<Vec<String>>,
    errors: &mut ValidationErrors,
) -> (Selection, Vec<TraceId>) {
    let is_empty = filter == DeliveryFilterInput::default();
    if let Some(named) = trace_ids {
        if !is_empty {
            errors
                .add("/filter/traceIds", "cannot be combined with other filters: name the deliveries alone");
        }
        return (Selection::Traces, traces(&named, errors));
    }
    if is_empty {
        errors.add(
            "/filter",
            "must say which deliveries: give at least one filter, such as subscriptionId or from",
        );
    }
    if kind == JobKind::Cancel {
        // Nothing else has automatic attempts to cancel.
        let status = filter.status.get_or_insert_with(|| "pending".to_owned());
        if status != "pending" {
            errors.add("/filter/status", "must be pending, or left out: only these can be canceled");
        }
    }
    let mut wrong = ValidationErrors::default();
    let _ = filter.clone().check(&mut wrong);
    errors.0.extend(wrong.0.into_iter().map(|error| {
        let pointer = format!("/filter/{}", error.pointer);
        ValidationError { pointer, ..error }
    }));
    (Selection::Filter(Box::new(filter)), Vec::new())
}

fn traces(named: &[String], errors: &mut ValidationErrors) -> Vec<TraceId> {
    if !(1..=MAX_TRACES).contains(&named.len()) {
        errors.add("/filter/traceIds", format!("must have 1 to {MAX_TRACES} trace IDs, has {}", named.len()));
        return Vec::new();
    }
    let mut traces = Vec::with_capacity(named.len());
    for (index, text) in named.iter().enumerate() {
        match text.parse() {
            Ok(trace) => traces.push(trace),
            Err(_) => errors.add(format!("/filter/traceIds/{index}"), "must be a UUID"),
        }
    }
    traces.sort_unstable();
    traces.dedup();
    traces
}
