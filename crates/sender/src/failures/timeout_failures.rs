//! The failures of a request whose timeout has ended: the detail says how far the request had come.

use std::time::Duration;

use crate::{
    destination::Destination, failures::response_failures::received_so_far,
    request_progress::RequestProgress, response::response_reader::ResponseProgress,
};
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};

/// The timeout ended before a response began.
pub(crate) fn before_response(
    progress: &RequestProgress,
    timeout: Duration,
    destination: &Destination,
) -> Failure {
    let (timeout, host_and_port, phase) =
        (shown_duration(timeout), destination.shown_host_and_port(), progress.reached_phase());
    let detail = match phase {
        Phase::Prepare | Phase::Resolve => format!(
            "the name {} was not resolved within {timeout}; nothing was sent. Check the name servers of its domain",
            destination.shown_host()
        ),
        Phase::Connect => format!(
            "no connection to {host_and_port} came about within {timeout}: it did not answer; nothing was sent. Check that it \
             is up and that its firewall lets our addresses in"
        ),
        Phase::Tls => format!(
            "the TLS handshake with {host_and_port} was not done within {timeout}; nothing of the request was sent"
        ),
        Phase::Send => {
            format!(
                "{host_and_port} did not take the whole request within {timeout}; it can have seen a part of it at most"
            )
        }
        Phase::Wait | Phase::Read => {
            format!("no answer within {timeout}: the request was sent, and the receiver may have acted on it")
        }
    };
    Failure::at(phase, ErrorKind::Timeout, detail)
}

/// The timeout ended before the response was complete.
pub(crate) fn within_response(timeout: Duration, progress: ResponseProgress) -> Failure {
    let (timeout, so_far) = (shown_duration(timeout), received_so_far(progress));
    let detail = format!(
        "the answer was not complete within {timeout}: it stopped after {so_far}; the receiver has seen the request"
    );
    Failure::at(Phase::Read, ErrorKind::Timeout, detail)
}

fn shown_duration(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{} s", duration.as_secs()),
        _ => format!("{} ms", duration.as_millis()),
    }
}
