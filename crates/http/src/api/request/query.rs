//! Queries: the filters of a history, and the cursor and length of a page.

use axum::extract::{FromRequestParts, Query};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::problem::Problem;
use loanhook_core::model::filter::HistoryFilter;
use loanhook_core::model::filter_input::{FilterInput, checked, checked_limit};
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::validation::ValidationErrors;

/// A query that was read into `T`; an unknown parameter is a 422.
pub(in crate::api) struct CheckedQuery<T>(pub(in crate::api) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for CheckedQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(ValidationErrors::one("query", "must be percent-encoded UTF-8").into());
        }
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let text = rejection.body_text();
                let error = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                Err(ValidationErrors::one("query", error).into())
            }
        }
    }
}

/// The filters of a history; a row must pass all.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct HistoryQuery {
    event_title: Option<String>,
    event_name: Option<String>,
    #[param(format = "uuid")]
    subscription_id: Option<String>,
    #[param(format = "uuid")]
    trace_id: Option<String>,
    /// GET, POST, PUT, PATCH or DELETE.
    #[param(pattern = "^(GET|POST|PUT|PATCH|DELETE)$")]
    method: Option<String>,
    /// queued, sending, succeeded or failed.
    #[param(pattern = "^(queued|sending|succeeded|failed)$")]
    outcome: Option<String>,
    /// A code (404) or a class of them (4xx), from 100 to 999.
    #[param(pattern = "^[1-9]([0-9]{2}|xx)$")]
    response_code: Option<String>,
    /// A kind of error.
    #[param(pattern = "^(dns|connect|tls|timeout|protocol|blocked|template|interrupted)$")]
    error: Option<String>,
    /// auto, manual, or an attempt's number.
    #[param(pattern = "^(auto|manual|[1-9][0-9]{0,8})$")]
    attempt: Option<String>,
    /// The first moment of `sentAt`.
    #[param(format = DateTime)]
    from: Option<String>,
    /// The moment before which `sentAt` must be.
    #[param(format = DateTime)]
    to: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "cursor")]
    cursor: Option<String>,
}

/// A page of a short list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct PageQuery {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "cursor")]
    cursor: Option<String>,
}

/// The filter, the ID that the page begins before, and the number of its rows.
pub(in crate::api) type RequestedHistory = (HistoryFilter, Option<AttemptId>, usize);

impl HistoryQuery {
    pub(in crate::api) const fn has_limit(&self) -> bool {
        self.limit.is_some()
    }

    pub(in crate::api) fn check(self) -> Result<RequestedHistory, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        let filter = FilterInput {
            event_title: self.event_title,
            event_name: self.event_name,
            subscription_id: self.subscription_id,
            trace_id: self.trace_id,
            method: self.method,
            outcome: self.outcome,
            response_code: self.response_code,
            error: self.error,
            attempt: self.attempt,
            from: self.from,
            to: self.to,
        };
        let filter = filter.check(&mut errors);
        let (before, limit) = page(&mut errors, self.cursor, self.limit);
        errors.ok_or_errors((filter, before.map(AttemptId::from_uuid), limit))
    }
}

impl PageQuery {
    pub(in crate::api) fn check(self) -> Result<(Option<Uuid>, usize), ValidationErrors> {
        check_page(self.cursor, self.limit)
    }

    /// The same, with a length of the page where the query gives none.
    pub(in crate::api) fn check_with_default_limit(
        self,
        length: usize,
    ) -> Result<(Option<Uuid>, usize), ValidationErrors> {
        check_page(self.cursor, self.limit.or_else(|| Some(length.to_string())))
    }
}

/// The ID that a page of a short list begins after, and the number of its items.
pub(in crate::api) fn check_page(
    cursor: Option<String>,
    limit: Option<String>,
) -> Result<(Option<Uuid>, usize), ValidationErrors> {
    let mut errors = ValidationErrors::default();
    let page = page(&mut errors, cursor, limit);
    errors.ok_or_errors(page)
}

/// The cursor of the page after the item of this ID.
pub(in crate::api) fn cursor(last: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(last.as_bytes())
}

/// The ID that a page begins at, and the number of its items; what is wrong is added to the errors.
pub(super) fn page(
    errors: &mut ValidationErrors,
    cursor: Option<String>,
    limit: Option<String>,
) -> (Option<Uuid>, usize) {
    let decode = |text: &str| Uuid::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    let position =
        checked(errors, "cursor", cursor, decode, "must be the next of the page before, as it was given");
    (position, checked_limit(errors, limit))
}
