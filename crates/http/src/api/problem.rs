//! Every error the API answers: `application/problem+json` (RFC 9457), from one place.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tracing::error;

use loanhook_core::intake::IntakeError;
use loanhook_core::keys::KeyError;
use loanhook_core::model::key::Scope;
use loanhook_core::model::validation::{self, ValidationErrors};
use loanhook_core::portal::PortalError;
use loanhook_core::ports::StoreError;
use loanhook_core::resend::{CancelError, ResendError};
use loanhook_core::subscriptions::SubscriptionError;

/// What went wrong, for a program (`type`) and a person (`detail`).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Problem {
    /// Stable: what a program tells problems apart by.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/problems/not-found")]
    kind: String,
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What a person can do about it.
    detail: String,
    /// Of a validation: each fault and where it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<ValidationError>,
    /// When the same request may go well, in seconds: the header `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// One fault of a body: where (an RFC 6901 JSON pointer, or a query parameter's or header's name) and what.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ValidationError {
    pointer: String,
    detail: String,
    /// Of a formula or template: where in its text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

impl From<validation::ValidationError> for ValidationError {
    fn from(error: validation::ValidationError) -> Self {
        let validation::ValidationError { pointer, detail, line, column, unsupported: _ } = error;
        Self { pointer, detail, line, column }
    }
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        name: &str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let kind = format!("/problems/{name}");
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        Self { kind, title, status: status.as_u16(), detail: detail.into(), errors: Vec::new(), retry_after }
    }

    /// The same, to be sent again after so many seconds.
    pub(super) fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(super) fn not_json(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "not-json", "The body is not JSON", detail)
    }

    pub(super) fn stalled() -> Self {
        let detail = "the body came too slowly, or stopped coming: send it again";
        Self::new(StatusCode::REQUEST_TIMEOUT, "stalled", "The body did not arrive", detail)
    }

    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "No valid key", detail)
    }

    pub(super) fn forbidden(needed: &[Scope]) -> Self {
        let names: Vec<_> = needed.iter().map(|scope| scope.name()).collect();
        Self::refused(format!("this key lacks the scope {}: use one that has it", names.join(" or ")))
    }

    /// What this key may not do, and what to do about it.
    pub(super) fn refused(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The key may not do this", detail)
    }

    /// The same for what does not exist and for what is another tenant's.
    pub(super) fn not_found(what: &str) -> Self {
        let detail = format!("there is no such {what} for this key's tenant");
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    pub(super) fn conflict(name: &str, detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, name, "Not as things stand", detail)
    }

    pub(super) fn too_large(limit: &str) -> Self {
        let detail = format!("the limit is {limit}: send less at once");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail)
    }

    pub(super) fn unavailable() -> Self {
        let detail = "loanhook could not store or read what this needs: send it again shortly";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now", detail)
    }

    pub(super) fn internal() -> Self {
        let detail = "loanhook failed; the same request can be sent again";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "loanhook failed", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<ValidationErrors> for Problem {
    fn from(errors: ValidationErrors) -> Self {
        let first =
            errors.0.first().map(|fault| format!("{} {}", fault.pointer, fault.detail).trim().to_owned());
        let detail = first.unwrap_or_else(|| "the request is wrong".into());
        let unsupported = !errors.0.is_empty() && errors.0.iter().all(|fault| fault.unsupported);
        let (name, title) = if unsupported {
            ("formula-unsupported", "Outside of the subset of Clojure that formulas have")
        } else {
            ("invalid", "Well-formed but wrong")
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, name, title, detail);
        problem.errors = errors.0.into_iter().map(Into::into).collect();
        problem
    }
}

impl From<StoreError> for Problem {
    fn from(failure: StoreError) -> Self {
        match failure {
            StoreError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Too much at once",
                "there is no room for it now: send it again shortly",
            ),
            StoreError::Failed(_) => {
                error!(%failure, "api.store_failed");
                Self::unavailable()
            }
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(failure: IntakeError) -> Self {
        match failure {
            IntakeError::KeyReused => Self::conflict(
                "idempotency-key-reused",
                "this idempotency key was used in the last 24 h with another body: use a new key",
            ),
            IntakeError::Store(failure) => failure.into(),
        }
    }
}

impl From<ResendError> for Problem {
    fn from(failure: ResendError) -> Self {
        match failure {
            ResendError::Unknown => Self::not_found("delivery or attempt"),
            ResendError::NotAttempted => Self::conflict(
                "not-attempted-yet",
                "only what was attempted can be resent, and this delivery has no attempt yet: wait for the first",
            ),
            ResendError::NothingToSend => Self::conflict(
                "nothing-to-send",
                "a template of the subscription did not render for this event, so there is no request to send again: mend the template, and send the event again",
            ),
            ResendError::KeyReused => Self::conflict(
                "idempotency-key-reused",
                "this idempotency key was used in the last 24 h for another delivery: use a new key",
            ),
            ResendError::Store(failure) => failure.into(),
        }
    }
}

impl From<CancelError> for Problem {
    fn from(failure: CancelError) -> Self {
        match failure {
            CancelError::Unknown => Self::not_found("delivery"),
            CancelError::NotPending => {
                Self::conflict("not-pending", "this delivery has no automatic attempts left to cancel")
            }
            CancelError::Store(failure) => failure.into(),
        }
    }
}

impl From<SubscriptionError> for Problem {
    fn from(failure: SubscriptionError) -> Self {
        match failure {
            SubscriptionError::Unknown => Self::not_found("subscription"),
            SubscriptionError::Invalid(errors) => errors.into(),
            SubscriptionError::TooMany => Self::conflict(
                "too-many-subscriptions",
                "a tenant can have 200 subscriptions: delete one that is no longer used",
            ),
            SubscriptionError::Changed => Self::conflict(
                "changed-meanwhile",
                "another change came at the same time: read the subscription again, then send this again",
            ),
            SubscriptionError::Randomness(failure) => {
                error!(%failure, "api.no_randomness");
                Self::internal()
            }
            SubscriptionError::Store(failure) => failure.into(),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(failure: KeyError) -> Self {
        match failure {
            KeyError::Randomness(failure) => {
                error!(%failure, "api.no_randomness");
                Self::internal()
            }
            KeyError::Unknown => Self::not_found("key"),
            KeyError::Above => Self::refused(
                "the key to be deleted has the scope operator, and this key has not: a key of an operator is \
                 deleted by an operator",
            ),
            KeyError::Store(failure) => failure.into(),
        }
    }
}

impl From<PortalError> for Problem {
    fn from(failure: PortalError) -> Self {
        match failure {
            PortalError::Randomness(failure) => {
                error!(%failure, "api.no_randomness");
                Self::internal()
            }
            PortalError::Store(failure) => failure.into(),
        }
    }
}
