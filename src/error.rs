//! Why a command did not do what was asked.

use std::time::Duration;

use thiserror::Error;

/// Displays as one readable line, without the `error:` before it.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Message(String),
    /// No answer came: nothing listens there, or the connection broke.
    #[error("{0}")]
    Unreachable(String),
    /// loanhook (or something before it) refused.
    #[error("{line}")]
    Refused { status: u16, retry_after: Option<Duration>, line: String },
    /// Standard output was closed by whoever reads it.
    #[error("standard output is closed")]
    OutputClosed,
}

impl Failure {
    /// Whether the same request may well succeed a little later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => is_passing(*status),
            Self::Message(_) | Self::OutputClosed => false,
        }
    }

    /// How long the answer asked us to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

/// Too many requests, overloaded, starting, or a gateway that did not get through.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}
