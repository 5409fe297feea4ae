//! The exchange on a connection, up to the beginning of the response: the request is written once.
//!
//! The client calls this for a reused connection and for a new one. A reused connection may have ended already: as long
//! as no byte of the request was written, the client may take another connection. Once a byte was written, the request
//! is never written again.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::{
    connection::{exchange_monitor::ByteCounts, http_connection::HttpConnection},
    destination::Destination,
    failures::{connection_failures, error_chain::innermost_error, response_failures},
    http_outcome::NoResponse,
    prepared_request::PreparedRequest,
    request_progress::RequestProgress,
    resource_exhaustion,
};
use loanhook_core::model::failure::Phase;

/// For how long a reused connection may take to accept a request.
const READY_TIMEOUT: Duration = Duration::from_millis(100);

/// A response whose head has arrived, and the connection that it comes over.
pub(crate) type StartedResponse = (Response<Incoming>, HttpConnection);

/// Writes the request to a connection that was used before, and waits for its response to begin. None if nothing was
/// written, since the connection had ended or does not accept a request.
pub(crate) async fn send_over_reused(
    mut connection: HttpConnection,
    prepared: &mut PreparedRequest,
    progress: &mut RequestProgress,
) -> Option<Result<StartedResponse, NoResponse>> {
    begin_exchange(&mut connection, progress, true);
    // It is idle, so it is ready unless it has ended.
    if !matches!(timeout(READY_TIMEOUT, connection.hyper_sender.ready()).await, Ok(Ok(()))) {
        return None;
    }
    let unanswered = match write_request(connection, prepared.http_request(true)).await {
        Ok(started) => return Some(Ok(started)),
        Err(unanswered) => unanswered,
    };
    if let Some(not_sent) = unanswered.not_sent() {
        return Some(Err(not_sent));
    }
    if !unanswered.request_begun {
        return None;
    }
    let destination = &prepared.destination;
    Some(Err(if unanswered.byte_counts.read == 0 {
        connection_failures::interrupted(unanswered.byte_counts, destination).into()
    } else {
        unanswered.no_response(destination)
    }))
}

/// Writes the request to a new connection, and waits for its response to begin.
pub(crate) async fn send_over_new(
    mut connection: HttpConnection,
    prepared: &mut PreparedRequest,
    progress: &mut RequestProgress,
) -> Result<StartedResponse, NoResponse> {
    begin_exchange(&mut connection, progress, false);
    let request = prepared.http_request(false);
    write_request(connection, request).await.map_err(|unanswered| {
        unanswered.not_sent().unwrap_or_else(|| unanswered.no_response(&prepared.destination))
    })
}

fn begin_exchange(connection: &mut HttpConnection, progress: &mut RequestProgress, reused: bool) {
    connection.request_count += 1;
    connection.monitor.begin_exchange(reused);
    progress.phase = Phase::Send;
    progress.addresses = vec![connection.remote_address];
    progress.monitor = Some(Arc::clone(&connection.monitor));
}

async fn write_request(
    mut connection: HttpConnection,
    request: Request<Full<Bytes>>,
) -> Result<StartedResponse, Unanswered> {
    let error = match connection.hyper_sender.try_send_request(request).await {
        Ok(response) => return Ok((response, connection)),
        Err(error) => error,
    };
    let byte_counts = connection.monitor.byte_counts();
    // hyper gives the message back where it has not begun to write it.
    let request_begun = error.message().is_none() && byte_counts.written > 0;
    Err(Unanswered { connection, error: error.into_error(), byte_counts, request_begun })
}

/// A request to which no response began.
struct Unanswered {
    connection: HttpConnection,
    error: hyper::Error,
    byte_counts: ByteCounts,
    /// Whether a byte of the request was written.
    request_begun: bool,
}

impl Unanswered {
    /// That nothing was written because this machine lacked something.
    fn not_sent(&self) -> Option<NoResponse> {
        if self.request_begun {
            return None;
        }
        let error = innermost_error::<io::Error>(&self.error)?;
        resource_exhaustion::not_sent(error).map(NoResponse::NotSent)
    }

    fn no_response(&self, destination: &Destination) -> NoResponse {
        let failure = self.connection.monitor.inspect_head(|raw_head| {
            response_failures::no_response(&self.error, raw_head, self.byte_counts, destination)
        });
        failure.into()
    }
}
