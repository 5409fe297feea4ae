//! Conversions of errors into problems: those of validation, of stores and of use cases.

use http::StatusCode;
use tracing::error;

use super::{Problem, ValidationError};
use crate::api::response::entity_tag;
use loanhook_core::current_address::NoAddress;
use loanhook_core::intake::IntakeError;
use loanhook_core::keys::KeyError;
use loanhook_core::model::validation::{self, ValidationErrors};
use loanhook_core::portal::PortalError;
use loanhook_core::ports::StoreError;
use loanhook_core::recovery::CreateJobError;
use loanhook_core::report::{MAX_ROWS, ReportError};
use loanhook_core::resend::{CancelError, ResendError};
use loanhook_core::stored_event::ExplainError;
use loanhook_core::subscriptions::SubscriptionError;

impl From<validation::ValidationError> for ValidationError {
    fn from(error: validation::ValidationError) -> Self {
        let validation::ValidationError { pointer, detail, line, column, unsupported: _ } = error;
        Self { pointer, detail, line, column }
    }
}

impl From<ValidationErrors> for Problem {
    fn from(errors: ValidationErrors) -> Self {
        let first =
            errors.0.first().map(|error| format!("{} {}", error.pointer, error.detail).trim().to_owned());
        let detail = first.unwrap_or_else(|| "the request is wrong".into());
        let unsupported = !errors.0.is_empty() && errors.0.iter().all(|error| error.unsupported);
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

impl From<ReportError> for Problem {
    fn from(failure: ReportError) -> Self {
        match failure {
            ReportError::TooLarge(rows) => {
                let rule = format!(
                    "would make a report of {rows} rows, and at most {MAX_ROWS} can be: ask for a shorter span, by=day or another group"
                );
                ValidationErrors::one("from", rule).into()
            }
            ReportError::Store(failure) => failure.into(),
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
            ResendError::NoAddress(reason) => reason.into(),
            ResendError::KeyReused => Self::conflict(
                "idempotency-key-reused",
                "this idempotency key was used in the last 24 h for another delivery, or with another `to`: use a new key",
            ),
            ResendError::Store(failure) => failure.into(),
        }
    }
}

impl From<NoAddress> for Problem {
    fn from(reason: NoAddress) -> Self {
        match reason {
            NoAddress::SubscriptionDeleted => Self::conflict(
                "subscription-deleted",
                "the subscription is deleted and has no current URL: resend to the original URL, or leave it",
            ),
            NoAddress::EventGone => Self::conflict(
                "event-gone",
                "the ledger does not have the event any more, for which the current URL would be rendered: resend to the \
                 original URL",
            ),
            NoAddress::Unrenderable(reason) => Self::conflict(
                "url-not-rendered",
                &format!("the subscription's current URL cannot be made for the event: {reason}"),
            ),
        }
    }
}

impl From<CreateJobError> for Problem {
    fn from(failure: CreateJobError) -> Self {
        match failure {
            CreateJobError::KeyReused => Self::conflict(
                "idempotency-key-reused",
                "this idempotency key was used in the last 24 h with another body: use a new key",
            ),
            CreateJobError::TooMany => Self::conflict("too-many-jobs", &failure.to_string()),
            CreateJobError::Store(failure) => failure.into(),
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

impl From<ExplainError> for Problem {
    fn from(failure: ExplainError) -> Self {
        match failure {
            ExplainError::UnknownSubscription => Self::not_found("subscription"),
            ExplainError::NoVerdict => Self::missing(
                "this subscription decided nothing about the event: it asks for events of other names, or is newer than the \
                 event; version=now explains how it would decide now",
            ),
            ExplainError::Store(failure) => failure.into(),
        }
    }
}

impl From<SubscriptionError> for Problem {
    fn from(failure: SubscriptionError) -> Self {
        match failure {
            SubscriptionError::Unknown => Self::not_found("subscription"),
            SubscriptionError::Invalid(errors) => errors.into(),
            SubscriptionError::OtherVersion(version) => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "other-version",
                "The subscription is at another version",
                format!(
                    "the subscription is at version {version}, which If-Match does not name: read it again, and send the \
                     change that it still needs with If-Match: {}",
                    entity_tag(version)
                ),
            ),
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
            KeyError::Above => Self::not_allowed(
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
