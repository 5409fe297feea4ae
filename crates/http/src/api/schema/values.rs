//! What stands in the rows of a history: outcomes, errors, methods, the number of an attempt.

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};

use super::enums_of_model;
use loanhook_core::model::{attempt, failure, flow, progress, subscription};

enums_of_model! {
    /// The outcome of a row, by the words of the API.
    #[serde(rename_all = "lowercase")]
    Outcome from attempt::Outcome {
        Queued,
        Sending,
        Succeeded,
        Failed,
    }

    /// The state of the automatic schedule, by the words of the API.
    #[serde(rename_all = "lowercase")]
    Status from progress::Status {
        Pending,
        Succeeded,
        Failed,
        Canceled,
    }

    /// Why a delivery waits although its attempt is due.
    #[serde(rename_all = "lowercase")]
    WaitingReason from flow::WaitingReason {
        Limit,
        Order,
        Hold,
    }

    /// What kind of failure it was; the values of the history's `error` filter.
    #[serde(rename_all = "lowercase")]
    ErrorKind from failure::ErrorKind {
        Dns,
        Connect,
        Tls,
        Timeout,
        Protocol,
        Blocked,
        Template,
        Auth,
        Interrupted,
    }

    /// How far the request had come. Up to `tls`, nothing of it was sent.
    #[serde(rename_all = "lowercase")]
    Phase from failure::Phase {
        Prepare,
        Resolve,
        Connect,
        Tls,
        Send,
        Wait,
        Read,
    }

    /// The methods of a webhook.
    #[serde(rename_all = "UPPERCASE")]
    #[derive(Deserialize)]
    Method from subscription::Method {
        Get,
        Post,
        Put,
        Patch,
        Delete,
    }
}

impl From<Method> for subscription::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::Get,
            Method::Post => Self::Post,
            Method::Put => Self::Put,
            Method::Patch => Self::Patch,
            Method::Delete => Self::Delete,
        }
    }
}

/// The error of a failed attempt, as it stands in its row.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Failure {
    kind: ErrorKind,
    /// How far the request had come; null where nobody knows (a sender that died, a row of an older version).
    #[schema(required)]
    phase: Option<Phase>,
    /// One sentence that a servicer understands. Never a secret, a header value or the query of a URL.
    detail: String,
}

impl From<failure::Failure> for Failure {
    fn from(failure: failure::Failure) -> Self {
        let failure::Failure { kind, phase, detail } = failure;
        Self { kind: kind.into(), phase: phase.map(Into::into), detail }
    }
}

/// Which attempt of its delivery this is: 1, 2, … for automatic ones, `manual` for a resend.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum AttemptNumber {
    Manual,
    #[serde(untagged)]
    Auto(u32),
}

impl AttemptNumber {
    pub(in crate::api) fn schema() -> Schema {
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        let manual = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["manual"]));
        OneOfBuilder::new().item(number).item(manual).into()
    }
}

impl From<attempt::AttemptNumber> for AttemptNumber {
    fn from(number: attempt::AttemptNumber) -> Self {
        match number {
            attempt::AttemptNumber::Manual => Self::Manual,
            attempt::AttemptNumber::Auto(number) => Self::Auto(number),
        }
    }
}

impl From<AttemptNumber> for attempt::AttemptNumber {
    fn from(number: AttemptNumber) -> Self {
        match number {
            AttemptNumber::Manual => Self::Manual,
            AttemptNumber::Auto(number) => Self::Auto(number),
        }
    }
}
