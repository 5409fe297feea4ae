//! The fields of a form, from a body or a query.

use axum::body::Body;
use http::HeaderMap;
use url::form_urlencoded;

use super::error_page::ErrorPage;
use super::page_request::check_csrf_token;
use super::resend::CSRF_FIELD;
use crate::web::Origin;
use crate::web::body_reader::{self, BodyLimit};
use loanhook_core::model::grant::Grant;

/// The longest form; the page to open after the sign-in is the longest of its fields.
const FORM_LIMIT: BodyLimit = BodyLimit::for_anonymous_caller(8 * 1024);

/// The fields of a form, by name.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) async fn read(body: Body) -> Result<Self, ErrorPage> {
        let bytes = body_reader::read(body, FORM_LIMIT).await?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    /// The fields of a form, if it comes from a page that was made for the viewer of this grant.
    pub(super) async fn of_viewer(
        body: Body,
        headers: &HeaderMap,
        (grant, origin): (&Grant, &Origin),
    ) -> Result<Self, ErrorPage> {
        let form = Self::read(body).await?;
        check_csrf_token(grant, origin, headers, form.get(CSRF_FIELD))?;
        Ok(form)
    }

    /// The fields of a query.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The values of a field that may be sent several times.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field; empty where it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}
