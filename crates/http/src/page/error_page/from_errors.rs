//! Error pages for what use cases and the reading of requests refuse or fail with.

use tracing::error;

use super::ErrorPage;
use crate::web::body_reader::BodyError;
use crate::web::call_limits::RateLimited;
use crate::web::host::HostError;
use loanhook_core::keys::KeyError;
use loanhook_core::portal::PortalError;
use loanhook_core::ports::StoreError;
use loanhook_core::recovery::CreateJobError;
use loanhook_core::report::ReportError;
use loanhook_core::resend::ResendError;
use loanhook_core::subscriptions::SubscriptionError;

impl From<StoreError> for ErrorPage {
    fn from(failure: StoreError) -> Self {
        if let StoreError::Failed(_) = failure {
            error!(%failure, "page.store_failed");
        }
        Self::Unavailable
    }
}

impl From<PortalError> for ErrorPage {
    fn from(failure: PortalError) -> Self {
        match failure {
            PortalError::Store(failure) => failure.into(),
            PortalError::Randomness(failure) => {
                error!(%failure, "page.no_randomness");
                Self::Unavailable
            }
        }
    }
}

impl From<KeyError> for ErrorPage {
    fn from(failure: KeyError) -> Self {
        match failure {
            KeyError::Store(failure) => failure.into(),
            KeyError::Unknown => Self::NotFound,
            KeyError::Above => Self::MayNotManageOperatorKeys,
            KeyError::Randomness(failure) => {
                error!(%failure, "page.no_randomness");
                Self::Unavailable
            }
        }
    }
}

impl From<ResendError> for ErrorPage {
    fn from(failure: ResendError) -> Self {
        match failure {
            ResendError::Store(failure) => failure.into(),
            ResendError::Unknown => Self::NotFound,
            refused => Self::Conflict(format!("It was not sent again: {refused}.")),
        }
    }
}

impl From<CreateJobError> for ErrorPage {
    fn from(failure: CreateJobError) -> Self {
        match failure {
            CreateJobError::Store(failure) => failure.into(),
            CreateJobError::TooMany => Self::Conflict(format!("Nothing was sent: {failure}.")),
            CreateJobError::KeyReused => Self::Conflict(
                "This form was sent before, for other webhooks. Open the list again.".to_owned(),
            ),
        }
    }
}

impl From<ReportError> for ErrorPage {
    fn from(failure: ReportError) -> Self {
        match failure {
            ReportError::Store(failure) => failure.into(),
            ReportError::TooLarge(rows) => Self::ReportTooLarge(rows),
        }
    }
}

impl From<HostError> for ErrorPage {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl From<RateLimited> for ErrorPage {
    fn from(wait: RateLimited) -> Self {
        Self::RateLimited(wait)
    }
}

impl From<BodyError> for ErrorPage {
    fn from(unread: BodyError) -> Self {
        Self::Body(unread)
    }
}

impl From<SubscriptionError> for ErrorPage {
    fn from(failure: SubscriptionError) -> Self {
        match failure {
            SubscriptionError::Store(failure) => failure.into(),
            SubscriptionError::Unknown => Self::NotFound,
            refused => Self::Conflict(format!("Nothing was changed: {refused}.")),
        }
    }
}
