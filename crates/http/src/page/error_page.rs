//! Every answer that is not what was asked for: a page that says why, or the way to sign in.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use maud::html;
use tracing::error;
use url::form_urlencoded;

use super::view::layout;
use crate::web::SIGN_IN_PATH;
use crate::web::body_reader::BodyError;
use crate::web::call_limits::RateLimited;
use crate::web::host::HostError;
use loanhook_core::portal::PortalError;
use loanhook_core::ports::StoreError;
use loanhook_core::resend::ResendError;

/// Why there is no session.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why {
    NoSession,
    /// There was one, and it is over.
    Ended,
    /// One began with the request before this, and the browser did not keep its cookie.
    NoCookies,
}

impl Why {
    /// The parameter by which the way to sign in knows.
    pub(super) const fn parameter(self) -> Option<&'static str> {
        match self {
            Self::NoSession => None,
            Self::Ended => Some("ended"),
            Self::NoCookies => Some("cookieless"),
        }
    }
}

#[derive(Debug)]
pub(super) enum Refused {
    /// There is no session for this; `next` is where to go on after signing in.
    SignIn {
        next: String,
        why: Why,
    },
    /// The same for what is not there and for what the session is not for.
    NoPage,
    /// A portal link that is over, or never was one.
    NoLink,
    /// A form that did not come from a page that this viewer sees.
    ForeignForm,
    MayNotResend,
    /// Not as things stand.
    Conflict(String),
    WrongMethod,
    NotRead(BodyError),
    /// The request does not say, or not well, under which host it reached us.
    NoHost(HostError),
    TooMany(RateLimited),
    Unavailable,
}

impl Refused {
    fn says(&self) -> (StatusCode, &'static str, String) {
        let (status, title, text) = match self {
            Self::SignIn { .. } => (StatusCode::SEE_OTHER, "Sign in", ""),
            Self::NoPage => (
                StatusCode::NOT_FOUND,
                "There is no such page",
                "What you opened is not there, or is not for you to see. Open the loan again from your servicing system.",
            ),
            Self::NoLink => (
                StatusCode::NOT_FOUND,
                "This link is over",
                "Links to a loan's webhooks live for a short time. Open the loan again from your servicing system.",
            ),
            Self::ForeignForm => (
                StatusCode::FORBIDDEN,
                "That did not come from this page",
                "Nothing was done. Open the loan's page again and repeat what you wanted there.",
            ),
            Self::MayNotResend => (
                StatusCode::FORBIDDEN,
                "You may look, but not resend",
                "Nothing was sent. Ask whoever gave you access for the right to resend.",
            ),
            Self::Conflict(text) => return (StatusCode::CONFLICT, "Nothing was sent", text.clone()),
            Self::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This cannot be done here",
                "Open the loan's page again and repeat what you wanted there.",
            ),
            Self::NotRead(BodyError::TooLarge) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "That was too much",
                "What was sent is longer than any form here.",
            ),
            Self::NotRead(BodyError::Stalled) => (
                StatusCode::REQUEST_TIMEOUT,
                "That did not arrive",
                "The form stopped coming. Send it again.",
            ),
            Self::NotRead(BodyError::Broken) => (
                StatusCode::BAD_REQUEST,
                "That did not arrive",
                "The form did not arrive whole. Send it again.",
            ),
            Self::NoHost(fault) => {
                let text = format!("Open the page with a browser: {}.", fault.detail());
                return (StatusCode::BAD_REQUEST, "The address is missing or wrong", text);
            }
            Self::TooMany(wait) => {
                let text = format!("Nothing was done. Try again in {} s.", wait.retry_after_seconds());
                return (StatusCode::TOO_MANY_REQUESTS, "That was too often", text);
            }
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available now",
                "loanhook could not read or keep what this needs. Try again in a moment.",
            ),
        };
        (status, title, text.to_owned())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if let Self::SignIn { next, why } = &self {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("next", next);
            if let Some(parameter) = why.parameter() {
                query.append_pair(parameter, "1");
            }
            return Redirect::to(&format!("{SIGN_IN_PATH}?{}", query.finish())).into_response();
        }
        let (status, title, text) = self.says();
        let content = html! {
            section.card.narrow {
                h1 { (title) }
                p { (text) }
                @if status == StatusCode::NOT_FOUND {
                    p { a href="/login" { "Sign in with an API key" } }
                }
            }
        };
        let mut response = (status, layout::page(title, &content)).into_response();
        let wait = match &self {
            Self::Unavailable => Some(1),
            Self::TooMany(wait) => Some(wait.retry_after_seconds()),
            _ => None,
        };
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

impl From<StoreError> for Refused {
    fn from(failure: StoreError) -> Self {
        if let StoreError::Failed(_) = failure {
            error!(%failure, "page.store_failed");
        }
        Self::Unavailable
    }
}

impl From<PortalError> for Refused {
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

impl From<ResendError> for Refused {
    fn from(failure: ResendError) -> Self {
        match failure {
            ResendError::Store(failure) => failure.into(),
            ResendError::Unknown => Self::NoPage,
            refused => Self::Conflict(format!("It was not sent again: {refused}.")),
        }
    }
}

impl From<HostError> for Refused {
    fn from(fault: HostError) -> Self {
        Self::NoHost(fault)
    }
}

impl From<RateLimited> for Refused {
    fn from(wait: RateLimited) -> Self {
        Self::TooMany(wait)
    }
}

impl From<BodyError> for Refused {
    fn from(unread: BodyError) -> Self {
        Self::NotRead(unread)
    }
}

pub(super) async fn no_page() -> Refused {
    Refused::NoPage
}

pub(super) async fn wrong_method() -> Refused {
    Refused::WrongMethod
}
