//! Ports of sending: the request that leaves, and the addresses that requests leave from.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::StoreResult;
use crate::model::attempt::{AttemptNumber, Completion};
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::secret::SigningSecret;
use crate::model::subscription::{Method, OAuth2, Tls};
use crate::model::time::Timestamp;
use crate::model::trace_context::TraceContext;

/// Where requests come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    pub addresses: Vec<IpAddr>,
    /// They will not change.
    pub fixed: bool,
}

pub trait EgressAddresses {
    fn egress(&self, now: Timestamp) -> impl Future<Output = StoreResult<Egress>> + Send;

    /// A request left from this address.
    fn record_source_address(&self, address: IpAddr, now: Timestamp);
}

/// What a token is asked for with, and which version of the subscription has it.
#[derive(Debug, Clone)]
pub struct OAuth2Credentials {
    pub version: u64,
    pub settings: OAuth2,
}

/// A request about to leave: what was frozen at intake, the credentials that its subscription has now, and what belongs to this
/// attempt alone.
#[derive(Debug, Clone)]
pub struct WebhookRequest {
    /// Whose webhook it is: what is limited by tenant counts it there.
    pub tenant: TenantId,
    /// What shares a receiver.
    pub subscription_id: SubscriptionId,
    /// It must not use a connection that was used before: the attempt before it was lost on one.
    pub fresh_connection: bool,
    /// A subscription's test sent it; the receiver is told so.
    pub test: bool,
    pub method: Method,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub content_type: Option<String>,
    /// Empty where there is no body.
    pub body: Bytes,
    pub trace_id: TraceId,
    pub attempt_id: AttemptId,
    pub number: AttemptNumber,
    pub event_name: String,
    pub loan_id: LoanId,
    /// As the event has it; none where it has none.
    pub occurred_at: Option<String>,
    /// The number of its delivery among those of its loan and subscription; none where no order is kept.
    pub sequence: Option<u64>,
    /// The span that it is, which the headers `traceparent` and `tracestate` name; none where its event came with none.
    pub trace_context: Option<TraceContext>,
    /// The request needs a token; `tokens` adds it as a header.
    pub oauth2: Option<Box<OAuth2Credentials>>,
    pub tls: Option<Arc<Tls>>,
    /// All that sign.
    pub secrets: Vec<SigningSecret>,
    pub sent_at: Timestamp,
    /// Up to the end of the answer.
    pub timeout: Duration,
}

/// What came of a request.
#[derive(Debug)]
pub struct SendOutcome {
    /// From the start of the request to the end of the answer.
    pub elapsed: Duration,
    /// The address the request left from.
    pub source_ip: Option<IpAddr>,
    /// The answer's status, or why there was none.
    pub result: Result<u16, Failure>,
    /// The answer; where it broke off, what had come of it.
    pub response: Option<ReceivedResponse>,
}

/// An answer, up to what is kept of one.
#[derive(Debug, Clone)]
pub struct ReceivedResponse {
    pub headers: Vec<(String, String)>,
    pub headers_truncated: bool,
    /// How many header lines could not be read and were left out.
    pub headers_dropped: u32,
    pub body: Bytes,
    pub truncated: bool,
}

/// No request left, because this machine lacked what it takes (file descriptors, ports, memory). Nothing
/// reached the receiver, and the receiver is not to blame: it is no attempt. A sentence for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotSent(pub String);

pub trait Sender {
    /// Sends one request, once. A failure of the receiver or of the network is what came of it, not an error.
    fn send(&self, outgoing: WebhookRequest) -> impl Future<Output = Result<SendOutcome, NotSent>> + Send;
}

/// The permit under which a request is sent. It is given back once the response has come, before that is recorded; one
/// that is dropped is given back too, and says nothing of the receiver.
pub trait SendPermit: Send {
    /// Gives it back with what came of the request.
    fn end(self, completion: &Completion);
}

/// Where nothing bounds the requests on the wire.
impl SendPermit for () {
    fn end(self, _: &Completion) {}
}

/// One sender may serve many at once.
impl<O: Sender + Send + Sync> Sender for Arc<O> {
    async fn send(&self, outgoing: WebhookRequest) -> Result<SendOutcome, NotSent> {
        (**self).send(outgoing).await
    }
}
