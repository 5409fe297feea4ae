//! Why an attempt failed without a response code.
//!
//! A servicer who opens the history of a loan must see what went wrong, not a stack of library errors.
//! So a failure is a kind, for filters and alarms, and one sentence, for people.
//! A status outside 2xx is no [`Failure`]: it is a response, and its code says it all.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What kind of failure it was; the values of the history's `error` filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
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
    /// The sender died; what the receiver got is unknown.
    Interrupted,
}

impl ErrorKind {
    /// Every kind, in the order the documentation lists them.
    pub const ALL: [Self; 8] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Protocol,
        Self::Blocked,
        Self::Template,
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
#[error("an error kind is one of dns, connect, tls, timeout, protocol, blocked, template, interrupted")]
pub struct UnknownErrorKind;

impl FromStr for ErrorKind {
    type Err = UnknownErrorKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownErrorKind)
    }
}

/// The error of a failed attempt, as it stands in its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub kind: ErrorKind,
    /// One sentence that a servicer understands. Never a secret, a header value or the query of a URL.
    pub detail: String,
}

impl Failure {
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail }
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
    fn a_kind_reads_the_same_in_json_in_text_and_back() {
        for kind in ErrorKind::ALL {
            let text = kind.to_string();
            assert_eq!(text.parse(), Ok(kind));
            assert_eq!(serde_json::json!(kind), serde_json::json!(text));
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
    fn a_failure_is_kind_and_detail_in_json() {
        let failure = Failure::new(ErrorKind::Timeout, "no answer within 15 s");
        let json = serde_json::json!({"kind": "timeout", "detail": "no answer within 15 s"});
        assert_eq!(serde_json::json!(failure), json);
        assert_eq!(serde_json::from_value::<Failure>(json).expect("a failure"), failure);
    }
}
