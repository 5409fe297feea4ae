//! Errors of a command: why it did not do what was asked, in one line.

use std::time::Duration;

use thiserror::Error;

/// The result of a command or of a part of it.
pub(crate) type CommandResult<T = ()> = Result<T, CommandError>;

/// Displays as one readable line, without `error:` before it.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    #[error("{0}")]
    Message(String),
    /// No response came: nothing listens there, or the connection broke.
    #[error("{0}")]
    Unreachable(String),
    /// loanhook, or a gateway in front of it, answered with a status that is no success.
    #[error("{line}")]
    Refused { status: u16, retry_after: Option<Duration>, line: String },
    /// The command has said everything; it ends with this code.
    #[error("it ends with exit code {0}")]
    ExitCode(u8),
    /// The reader of standard output has closed it.
    #[error("standard output is closed")]
    OutputClosed,
}

impl CommandError {
    /// Whether the same request may succeed if it is sent again a little later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => is_transient(*status),
            Self::Message(_) | Self::OutputClosed | Self::ExitCode(_) => false,
        }
    }

    /// The wait that the response's `Retry-After` asks for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<String> for CommandError {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

/// Whether a status of HTTP says that the same request may succeed later: too many requests, overloaded, starting, or a
/// gateway that reached nobody.
pub(crate) fn is_transient(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}
