//! A row and a delivery as the API shows them: fields are null, never absent.

use std::net::IpAddr;

use serde::Serialize;

use crate::api::request::caller::Caller;
use crate::api::schema::id::{AttemptId, LoanId, SubscriptionId, Timestamp, TraceId};
use crate::api::schema::values::{AttemptNumber, Failure, Method, Outcome};
use crate::web;
use loanhook_core::model::attempt::StoredResponse;
use loanhook_core::model::destination::shown;
use loanhook_core::ports::HistoryRow;

/// One attempt: a row of the history.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attempt)]
pub(in crate::api) struct AttemptView {
    id: AttemptId,
    trace_id: TraceId,
    /// Null of an operational event, which belongs to no loan.
    #[schema(required)]
    loan_id: Option<LoanId>,
    event_title: String,
    event_name: String,
    subscription_id: SubscriptionId,
    /// The version of the subscription that gave the credentials: the headers without placeholders. Null until the attempt has
    /// ended, where its sender died, and where no version had credentials for the destination's scheme, host and port.
    #[schema(required)]
    subscription_version: Option<u64>,
    method: Method,
    /// The values of its query are `***` but for a caller that may write subscriptions.
    destination: String,
    /// 1, 2, … or `manual`.
    #[schema(schema_with = AttemptNumber::schema)]
    attempt_number: AttemptNumber,
    manual: bool,
    /// Of a resend: who asked for it.
    #[schema(required)]
    requested_by: Option<String>,
    /// Of a resend: the attempt that was named, else the newest at the time.
    #[schema(required)]
    resend_of: Option<AttemptId>,
    /// How often the delivery was manually resent so far.
    resends: u32,
    #[schema(required, format = DateTime)]
    occurred_at: Option<String>,
    /// A subscription's test sent it: no event of the loan.
    test: bool,
    outcome: Outcome,
    #[schema(required)]
    response_code: Option<u16>,
    #[schema(required)]
    error: Option<Failure>,
    /// Of a queued row: when it was asked for.
    sent_at: Timestamp,
    #[schema(required)]
    response_time_ms: Option<f64>,
    #[schema(required, value_type = Option<String>)]
    source_ip: Option<IpAddr>,
    /// What was scheduled when this attempt failed.
    #[schema(required)]
    next_attempt_at: Option<Timestamp>,
    source: SourceView,
    #[schema(required)]
    response: Option<ResponseView>,
}

/// The exact bytes sent.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SourcePayload)]
struct SourceView {
    bytes: u64,
    #[schema(required)]
    content_type: Option<String>,
    /// Where they can be downloaded.
    href: String,
}

/// The exact bytes that came back, without our own secrets: from the receiver, or from the token endpoint where the error is of kind
/// `auth`.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ResponsePayload)]
struct ResponseView {
    bytes: u64,
    #[schema(required)]
    content_type: Option<String>,
    /// The answer was longer than 1 MiB, or broke off.
    truncated: bool,
    /// Where they can be downloaded.
    href: String,
    /// In the answer of a single row alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Vec<HeaderView>>,
    /// The headers were longer than 16 KiB. In the answer of a single row alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers_truncated: Option<bool>,
    /// How many header lines could not be read and were left out; the answer counts all the same.
    headers_dropped: u32,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Header)]
struct HeaderView {
    name: String,
    value: String,
}

impl AttemptView {
    /// A row of a list, which is the same for every caller.
    pub(in crate::api) fn of(row: HistoryRow) -> Self {
        Self::new(row, None)
    }

    /// A row by itself, with the headers of its answer.
    pub(in crate::api) fn with_headers(row: HistoryRow, to: &Caller) -> Self {
        Self::new(row, Some(to))
    }

    /// `by_itself` is the caller that sees the row by itself.
    fn new(row: HistoryRow, by_itself: Option<&Caller>) -> Self {
        let subscription_version = row.credentials_version();
        let HistoryRow { attempt, resends, .. } = row;
        let href = match attempt.loan_id.shown() {
            Some(loan) => format!("/v1/loans/{}/webhooks/{}", web::path_segment(loan), attempt.id),
            None => format!("/v1/webhooks/{}/attempts/{}", attempt.trace_id, attempt.id),
        };
        let outcome = attempt.outcome();
        let completion = attempt.completion().cloned();
        let result = completion.as_ref().map(|completion| completion.result.clone());
        Self {
            manual: attempt.is_manual(),
            outcome: outcome.into(),
            response_code: result.as_ref().and_then(|result| result.as_ref().ok().copied()),
            error: result.and_then(Result::err).map(Into::into),
            response_time_ms: completion.as_ref().and_then(|completion| completion.response_time_ms),
            source_ip: completion.as_ref().and_then(|completion| completion.source_ip),
            response: completion
                .and_then(|completion| completion.response)
                .map(|response| ResponseView::new(response, format!("{href}/response"), by_itself.is_some())),
            source: SourceView {
                bytes: attempt.source.bytes,
                content_type: attempt.content_type,
                href: format!("{href}/source"),
            },
            id: attempt.id.into(),
            trace_id: attempt.trace_id.into(),
            loan_id: LoanId::shown(attempt.loan_id),
            event_title: attempt.event_title,
            event_name: attempt.event_name,
            subscription_id: attempt.subscription_id.into(),
            subscription_version,
            method: attempt.method.into(),
            // A list is read, copied and exported by many: only a row by itself shows what may be a token.
            destination: shown(attempt.destination, by_itself.is_some_and(Caller::sees_whole_urls)),
            attempt_number: attempt.number.into(),
            requested_by: attempt.requested_by,
            resend_of: attempt.resend_of.map(Into::into),
            resends,
            occurred_at: attempt.occurred_at,
            test: attempt.test,
            sent_at: attempt.sent_at.into(),
            next_attempt_at: attempt.next_attempt_at.map(Into::into),
        }
    }
}

impl ResponseView {
    fn new(response: StoredResponse, href: String, headers: bool) -> Self {
        let listed = response.headers.into_iter().map(|(name, value)| HeaderView { name, value });
        Self {
            bytes: response.payload.bytes,
            content_type: response.content_type,
            truncated: response.truncated,
            href,
            headers: headers.then(|| listed.collect()),
            headers_truncated: headers.then_some(response.headers_truncated),
            headers_dropped: response.headers_dropped,
        }
    }
}
