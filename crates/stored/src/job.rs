//! Stored recovery job: what was asked, and how far it has come. Its list is in chunks of their own.

use std::ops::Not;

use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::delivery::DeliveryPosition;
use loanhook_core::model::id::{JobId, TraceId};
use loanhook_core::model::job::{Job, JobCounts, JobProgress, JobRequest, Pace, Selection};
use loanhook_core::ports::JobRecord;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{StoredHash, StoredTenant, StoredTime};
use crate::words::{StoredJobKind, StoredResendTo, StoredStopReason};
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredJob {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    id: Uuid,
    tenant: StoredTenant,
    kind: StoredJobKind,
    /// Absent where deliveries were named one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<StoredFilter>,
    to: StoredResendTo,
    per_second: f64,
    /// Absent is false.
    #[serde(default, skip_serializing_if = "Not::not")]
    newest_per_loan: bool,
    /// Absent is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop_after_failures: Option<u32>,
    /// Absent is false.
    #[serde(default, skip_serializing_if = "Not::not")]
    force: bool,
    requested_by: String,
    created_at: StoredTime,
    version: u64,
    ended_at: Option<StoredTime>,
    stopped: Option<StoredStopReason>,
    /// In all, succeeded, failed, skipped, superseded.
    counts: [u32; 5],
    /// Time and trace of the position before which the list is still to be read.
    listing: Option<(StoredTime, Uuid)>,
    next: u32,
    open: Vec<u32>,
    put_off: Vec<u32>,
    failures_in_a_row: u32,
    /// In microseconds since 1970-01-01T00:00:00Z.
    due_micros: i64,
}

/// The filters, as they were given.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StoredFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loan_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

impl Document for Job {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredJob;

    fn to_stored(&self) -> StoredJob {
        let Self {
            id,
            tenant,
            request,
            requested_by,
            created_at,
            version,
            ended_at,
            stopped,
            counts,
            progress,
        } = self;
        let JobRequest { kind, selection, to, per_second, newest_per_loan, stop_after_failures, force } =
            request;
        let JobCounts { total, succeeded, failed, skipped, superseded } = *counts;
        let JobProgress { listing, next, open, put_off, failures_in_a_row, pace } = progress;
        let position = |at: DeliveryPosition| (StoredTime(at.accepted_at), at.trace.uuid());
        StoredJob {
            v: Version::NEWEST,
            id: id.uuid(),
            tenant: StoredTenant(tenant.clone()),
            kind: (*kind).into(),
            filter: match selection {
                Selection::Filter(filter) => Some(DeliveryFilterInput::clone(filter).into()),
                Selection::Traces => None,
            },
            to: (*to).into(),
            per_second: *per_second,
            newest_per_loan: *newest_per_loan,
            stop_after_failures: *stop_after_failures,
            force: *force,
            requested_by: requested_by.clone(),
            created_at: StoredTime(*created_at),
            version: *version,
            ended_at: ended_at.map(StoredTime),
            stopped: stopped.map(Into::into),
            counts: [total, succeeded, failed, skipped, superseded],
            listing: listing.map(position),
            next: *next,
            open: open.clone(),
            put_off: put_off.clone(),
            failures_in_a_row: *failures_in_a_row,
            due_micros: pace.due_micros,
        }
    }

    fn from_stored(stored: StoredJob) -> Self {
        let StoredJob {
            v: _,
            id,
            tenant,
            kind,
            filter,
            to,
            per_second,
            newest_per_loan,
            stop_after_failures,
            force,
            requested_by,
            created_at,
            version,
            ended_at,
            stopped,
            counts,
            listing,
            next,
            open,
            put_off,
            failures_in_a_row,
            due_micros,
        } = stored;
        let [total, succeeded, failed, skipped, superseded] = counts;
        let position = |(StoredTime(accepted_at), trace)| DeliveryPosition {
            accepted_at,
            trace: TraceId::from_uuid(trace),
        };
        let request = JobRequest {
            kind: kind.into(),
            selection: filter.map_or(Selection::Traces, |filter| Selection::Filter(Box::new(filter.into()))),
            to: to.into(),
            per_second,
            newest_per_loan,
            stop_after_failures,
            force,
        };
        let (listing, pace) = (listing.map(position), Pace { due_micros });
        Self {
            id: JobId::from_uuid(id),
            tenant: tenant.0,
            request,
            requested_by,
            created_at: created_at.0,
            version,
            ended_at: ended_at.map(|StoredTime(time)| time),
            stopped: stopped.map(Into::into),
            counts: JobCounts { total, succeeded, failed, skipped, superseded },
            progress: JobProgress { listing, next, open, put_off, failures_in_a_row, pace },
        }
    }
}

macro_rules! filter_conversions {
    ($($field:ident)*) => {
        impl From<DeliveryFilterInput> for StoredFilter {
            fn from(DeliveryFilterInput { $($field),* }: DeliveryFilterInput) -> Self {
                Self { $($field),* }
            }
        }

        impl From<StoredFilter> for DeliveryFilterInput {
            fn from(StoredFilter { $($field),* }: StoredFilter) -> Self {
                Self { $($field),* }
            }
        }
    };
}

filter_conversions! { status waiting subscription_id event_name loan_id response_code error test from to }

/// What is stored under the idempotency key of a call that made a job.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredJobRecord {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    job: Uuid,
    digest: StoredHash,
}

impl Document for JobRecord {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredJobRecord;

    fn to_stored(&self) -> StoredJobRecord {
        let Self { job, digest } = self;
        StoredJobRecord { v: Version::NEWEST, job: job.uuid(), digest: StoredHash(*digest) }
    }

    fn from_stored(StoredJobRecord { v: _, job, digest }: StoredJobRecord) -> Self {
        Self { job: JobId::from_uuid(job), digest: digest.0 }
    }
}
