//! The progress of a request before its response begins.
//!
//! `connector` and `exchange` note each step here. The client reads it where the timeout interrupts them: for the phase
//! in the failure, and for the addresses that did not serve.

use std::{net::SocketAddr, sync::Arc};

use crate::connection::exchange_monitor::ExchangeMonitor;
use loanhook_core::{model::failure::Phase, ports::NotSent};

/// How far a request has come.
pub(crate) struct RequestProgress {
    pub(crate) phase: Phase,
    /// The addresses that it goes to, or may go to, in the order in which they are tried.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The monitor of the connection that the request is written to.
    pub(crate) monitor: Option<Arc<ExchangeMonitor>>,
    /// What this machine lacks, while the request waits for that.
    pub(crate) missing_resource: Option<NotSent>,
}

impl Default for RequestProgress {
    fn default() -> Self {
        Self { phase: Phase::Resolve, addresses: Vec::new(), monitor: None, missing_resource: None }
    }
}

impl RequestProgress {
    /// The phase as of now: `send` becomes `wait` once the whole request is written.
    pub(crate) fn reached_phase(&self) -> Phase {
        let monitor = self.monitor.as_ref().filter(|_| self.phase == Phase::Send);
        match monitor.map(|monitor| monitor.byte_counts()) {
            Some(counts) if counts.written > 0 && !counts.write_blocked => Phase::Wait,
            _ => self.phase,
        }
    }
}
