//! Timeouts: how far a request had come when its time was over, and the failure that this is.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    connection::monitored_stream::ExchangeMonitor, failures::response_failures::received_so_far,
    prepared_request::Destination, response::response_reader::ResponseProgress,
};
use loanhook_core::{
    model::failure::{ErrorKind, Failure, Phase},
    ports::NotSent,
};

/// How far a request has come before its answer began.
pub(crate) struct RequestProgress {
    pub(crate) phase: Phase,
    /// The addresses that it goes to, or may go to, in order.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Of the connection that the request is written to.
    pub(crate) monitor: Option<Arc<ExchangeMonitor>>,
    /// What this machine lacks, while that is waited for.
    pub(crate) exhausted: Option<NotSent>,
}

impl Default for RequestProgress {
    fn default() -> Self {
        Self { phase: Phase::Resolve, addresses: Vec::new(), monitor: None, exhausted: None }
    }
}

impl RequestProgress {
    /// Whether the request is still being written, or was.
    fn reached_phase(&self) -> Phase {
        let bytes =
            self.monitor.as_ref().filter(|_| self.phase == Phase::Send).map(|watch| watch.byte_counts());
        match bytes {
            Some(bytes) if bytes.written > 0 && !bytes.write_blocked => Phase::Wait,
            _ => self.phase,
        }
    }
}

/// That no answer had begun when the time was over.
pub(crate) fn before_response(track: &RequestProgress, timeout: Duration, to: &Destination) -> Failure {
    let (within, place, phase) = (seconds(timeout), to.shown_host_and_port(), track.reached_phase());
    let detail = match phase {
        Phase::Prepare | Phase::Resolve => format!(
            "the name {} was not resolved within {within}; nothing was sent. Check the name servers of its domain",
            to.shown_host()
        ),
        Phase::Connect => format!(
            "no connection to {place} came about within {within}: it did not answer; nothing was sent. Check that it \
             is up and that its firewall lets our addresses in"
        ),
        Phase::Tls => format!(
            "the TLS handshake with {place} was not done within {within}; nothing of the request was sent"
        ),
        Phase::Send => {
            format!(
                "{place} did not take the whole request within {within}; it can have seen a part of it at most"
            )
        }
        Phase::Wait | Phase::Read => {
            format!("no answer within {within}: the request was sent, and the receiver may have acted on it")
        }
    };
    Failure::at(phase, ErrorKind::Timeout, detail)
}

/// That an answer was not complete when the time was over.
pub(crate) fn within_response(timeout: Duration, progress: ResponseProgress) -> Failure {
    let (seconds, so_far) = (seconds(timeout), received_so_far(progress));
    let detail = format!(
        "the answer was not complete within {seconds}: it stopped after {so_far}; the receiver has seen the request"
    );
    Failure::at(Phase::Read, ErrorKind::Timeout, detail)
}

fn seconds(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}
