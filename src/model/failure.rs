//! Why an attempt failed where no response code says it.

use serde::{Deserialize, Serialize};

/// The kinds of error an attempt can end with, by the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    Dns,
    Connect,
    Tls,
    Timeout,
    Protocol,
    Blocked,
    Template,
    Interrupted,
}

/// A failure without an answer: its kind, and a sentence that says what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Failure {
    pub kind: ErrorKind,
    pub detail: String,
}
