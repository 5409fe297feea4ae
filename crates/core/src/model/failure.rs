//! Failure of an attempt without a response code: a kind for filters and alarms, the phase in which it happened, and one
//! sentence for people.
//!
//! A servicer who opens the history of a loan must see what went wrong, not a stack of library errors. A status outside 2xx is no
//! [`Failure`]: it is a response, and its code says it all.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// What kind of failure it was; the values of the history's `error` filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The host's name does not resolve.
    Dns,
    /// No connection could be made.
    Connect,
    /// The connection could not be secured; most often a certificate that is not trusted.
    Tls,
    /// The whole answer did not come within the subscription's timeout.
    Timeout,
    /// What came back was not a whole HTTP response.
    Protocol,
    /// The destination is not allowed; nothing was sent.
    Blocked,
    /// The request could not be rendered for this event; nothing was sent.
    Template,
    /// No token could be had; nothing was sent to the receiver.
    Auth,
    /// The sender died; what the receiver got is unknown.
    Interrupted,
}

impl ErrorKind {
    /// Every kind, in the order the documentation lists them.
    pub const ALL: [Self; 9] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Protocol,
        Self::Blocked,
        Self::Template,
        Self::Auth,
        Self::Interrupted,
    ];

    /// The kind as it is written everywhere: in rows, filters and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Blocked => "blocked",
            Self::Template => "template",
            Self::Auth => "auth",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is none of [`ErrorKind::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an error kind is one of dns, connect, tls, timeout, protocol, blocked, template, auth, interrupted")]
pub struct UnknownErrorKind;

impl FromStr for ErrorKind {
    type Err = UnknownErrorKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownErrorKind)
    }
}

/// How far the request had come. Up to `tls`, nothing of it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The request was put together and its destination judged.
    Prepare,
    /// The host's name was looked up.
    Resolve,
    /// A connection was made.
    Connect,
    /// The connection was secured.
    Tls,
    /// The request was written.
    Send,
    /// The request was written; no answer had begun.
    Wait,
    /// The answer had begun.
    Read,
}

impl Phase {
    /// The phase as it is written everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Send => "send",
            Self::Wait => "wait",
            Self::Read => "read",
        }
    }
}

/// How long a detail may be, in characters; what is longer is cut.
pub const MAX_DETAIL_CHARS: usize = 300;

/// The error of a failed attempt, as it stands in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: ErrorKind,
    /// How far the request had come; null where nobody knows (a sender that died, a row of an older version).
    pub phase: Option<Phase>,
    /// One sentence that a servicer understands. Never a secret, a header value or the query of a URL.
    pub detail: String,
}

impl Failure {
    /// A failure in a phase that nobody knows.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((cut, _)) = detail.char_indices().nth(MAX_DETAIL_CHARS - 1)
            && detail[cut..].chars().nth(1).is_some()
        {
            detail.truncate(cut);
            detail.push('…');
        }
        Self { kind, phase: None, detail }
    }

    /// A failure in this phase.
    pub fn at(phase: Phase, kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { phase: Some(phase), ..Self::new(kind, detail) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_back_from_its_text() {
        for kind in ErrorKind::ALL {
            let text = kind.to_string();
            assert_eq!(text.parse(), Ok(kind));
        }
        assert_eq!("DNS".parse::<ErrorKind>(), Err(UnknownErrorKind));
        assert_eq!("".parse::<ErrorKind>(), Err(UnknownErrorKind));
    }

    #[test]
    fn the_list_in_the_message_is_the_list_of_kinds() {
        let kinds = ErrorKind::ALL.map(ErrorKind::as_str).join(", ");
        assert!(UnknownErrorKind.to_string().ends_with(&kinds));
    }

    #[test]
    fn a_detail_is_cut_at_its_limit() {
        let exact = "ë".repeat(MAX_DETAIL_CHARS);
        assert_eq!(Failure::new(ErrorKind::Dns, exact.clone()).detail, exact);
        let cut = Failure::new(ErrorKind::Dns, exact + "x").detail;
        assert_eq!(cut.chars().count(), MAX_DETAIL_CHARS);
        assert!(cut.ends_with("ë…"));
    }
}
