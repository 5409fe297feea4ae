//! The fields of a form, from a body or a query.

use axum::body::Body;
use url::form_urlencoded;

use super::error_page::ErrorPage;
use crate::web::body_reader::{self, BodyLimit};

/// The longest form; the page to open after the sign-in is the longest of its fields.
const FORM_LIMIT: BodyLimit = BodyLimit::for_anonymous_caller(8 * 1024);

/// The fields of a form, by name.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) async fn read(body: Body) -> Result<Self, ErrorPage> {
        let bytes = body_reader::read(body, FORM_LIMIT).await?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    /// The fields of a query.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The value of a field; empty where it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}
