//! Attempt of tests: one that ended.

use uuid::Uuid;

use super::attempt::{Attempt, AttemptNumber, AttemptState, Completion};
use super::credentials::CredentialsVersion;
use super::failure::{ErrorKind, Failure};
use super::id::{AttemptId, LoanId, SubscriptionId, TenantId, TraceId};
use super::payload::Payload;
use super::subscription::Method;
use super::time::Timestamp;

/// A first attempt that began and ended then.
pub(crate) fn ended_attempt(at: Timestamp, result: Result<u16, ErrorKind>) -> Attempt {
    let completion = Completion {
        ended_at: at,
        response_time_ms: None,
        source_ip: None,
        result: result.map_err(|kind| Failure::new(kind, "the case says so")),
        response: None,
    };
    Attempt {
        id: AttemptId::from_uuid(Uuid::from_u128(1)),
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        trace_id: TraceId::from_uuid(Uuid::nil()),
        subscription_id: SubscriptionId::from_uuid(Uuid::nil()),
        event_title: "Core banking".into(),
        event_name: "Payment".into(),
        occurred_at: None,
        test: false,
        method: Method::Post,
        destination: "https://core.example.com/".into(),
        content_type: None,
        source: Payload { key: None, bytes: 0 },
        number: AttemptNumber::Auto(1),
        requested_by: None,
        resend_of: None,
        address_version: None,
        credentials: CredentialsVersion::Own,
        sent_at: at,
        state: AttemptState::Complete(completion),
        next_attempt_at: None,
    }
}
