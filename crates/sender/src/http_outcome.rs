//! The outcome of an HTTP request: a response, or why there is none.

use std::{net::IpAddr, time::Duration};

use crate::{
    address_guard::{AddressRefusal, Scheme},
    response::http_response::HttpResponse,
};
use loanhook_core::{
    model::failure::{ErrorKind, Failure, Phase},
    ports::NotSent,
};

/// What a tenant reads of a destination that the guard refuses: neither its address nor its network is named.
const NOT_PUBLIC_DETAIL: &str = "the destination is not allowed: its address is not a public one; nothing was sent. The \
                                 operator can allow its network with --allow-network";
const PLAIN_HTTP_DETAIL: &str = "the destination is not allowed: http:// is sent only to networks that the operator \
                                 allows with --allow-network; nothing was sent. Use https://";

/// What came of a request.
#[derive(Debug)]
pub(crate) struct HttpOutcome {
    /// From the call to the end of the response, or to the failure.
    pub(crate) elapsed: Duration,
    /// Our address on the connection that the response came over; none without a response.
    pub(crate) source_ip: Option<IpAddr>,
    /// A whole response, of whatever status, or why there is none.
    pub(crate) result: Result<HttpResponse, Failure>,
    /// With a failure: what had arrived of a response that broke off or was not complete in time.
    pub(crate) partial_response: Option<HttpResponse>,
    /// The address that the guard refused, and why. For the operator alone.
    pub(crate) refusal: Option<AddressRefusal>,
}

impl HttpOutcome {
    pub(crate) fn failed(failure: Failure) -> Self {
        Self {
            elapsed: Duration::ZERO,
            source_ip: None,
            result: Err(failure),
            partial_response: None,
            refusal: None,
        }
    }

    /// The outcome of a request to an address that the guard refuses.
    pub(crate) fn refused(phase: Phase, scheme: Scheme, refusal: AddressRefusal) -> Self {
        let detail = match scheme {
            Scheme::Http => PLAIN_HTTP_DETAIL,
            Scheme::Https => NOT_PUBLIC_DETAIL,
        };
        let failed = Self::failed(Failure::at(phase, ErrorKind::Blocked, detail));
        Self { refusal: Some(refusal), ..failed }
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.result.as_ref().is_err_and(|failure| failure.kind == ErrorKind::Interrupted)
    }
}

/// How a request ended before its response began.
pub(crate) enum NoResponse {
    Failed(Box<HttpOutcome>),
    NotSent(NotSent),
}

impl From<HttpOutcome> for NoResponse {
    fn from(outcome: HttpOutcome) -> Self {
        Self::Failed(Box::new(outcome))
    }
}

impl From<Failure> for NoResponse {
    fn from(failure: Failure) -> Self {
        HttpOutcome::failed(failure).into()
    }
}
