//! The fields of a form, from a body or a query.

use axum::body::Body;
use http::HeaderMap;
use url::form_urlencoded;

use super::csrf_token;
use super::error_page::ErrorPage;
use super::page_request::{check_csrf_token, check_same_origin, is_csrf_token};
use super::resend::{CSRF_FIELD, VERSION_FIELD};
use crate::web::Origin;
use crate::web::body_reader::{self, BodyLimit};
use loanhook_core::model::grant::Grant;

/// The longest form; the page to open after the sign-in is the longest of its fields.
const FORM_LIMIT: BodyLimit = BodyLimit::for_anonymous_caller(8 * 1024);

/// The longest form of settings. Written as a form does, a character takes up to three times as many bytes as in JSON.
const SETTINGS_FORM_LIMIT: BodyLimit = BodyLimit::for_authenticated_caller(768 * 1024);

/// The field of a form that says whose it is: see [`csrf_token::author_tag`].
pub(super) const AUTHOR_FIELD: &str = "author";

/// For whom the page was made that has a form. One that was not made for the viewer does nothing, but is shown again, so that nothing
/// that was typed is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MadeFor {
    Viewer,
    /// The viewer, before they signed in again.
    EarlierSession,
    /// Another person or key, or another tenant.
    Another,
}

impl MadeFor {
    /// Why a form does nothing that was not made for the viewer of this grant.
    pub(super) fn why(self, grant: &Grant) -> String {
        match self {
            Self::Viewer | Self::EarlierSession => {
                "You signed in again since this form was opened, so nothing was done. Look through it, and press the button again".to_owned()
            }
            Self::Another => format!(
                "This form was opened by somebody else, or in another tenant, so nothing was done. Here it is for the tenant {}, without its \
                 secrets: look through it, and press the button again",
                grant.tenant
            ),
        }
    }
}

/// The fields of a form, by name.
#[derive(Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl FromIterator<(String, String)> for Form {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl Form {
    pub(super) async fn read(body: Body) -> Result<Self, ErrorPage> {
        Self::read_up_to(body, FORM_LIMIT).await
    }

    async fn read_up_to(body: Body, limit: BodyLimit) -> Result<Self, ErrorPage> {
        let bytes = body_reader::read(body, limit).await?;
        Ok(form_urlencoded::parse(&bytes).into_owned().collect())
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

    /// The fields of a form that somebody takes time to fill in, from a page of ours, and for whom the page was made.
    pub(super) async fn typed(
        body: Body,
        headers: &HeaderMap,
        (grant, origin): (&Grant, &Origin),
    ) -> Result<(Self, MadeFor), ErrorPage> {
        let form = Self::read_up_to(body, SETTINGS_FORM_LIMIT).await?;
        check_same_origin(headers, origin)?;
        let made_for = if is_csrf_token(grant, form.get(CSRF_FIELD)) {
            MadeFor::Viewer
        } else if form.get(AUTHOR_FIELD) == csrf_token::author_tag(grant) {
            MadeFor::EarlierSession
        } else {
            MadeFor::Another
        };
        Ok((form, made_for))
    }

    /// The fields of a query.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
    }

    /// The value of a field; empty where it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The version of what the page showed that has the form; 0, which nothing has, where it names none.
    pub(super) fn version(&self) -> u64 {
        self.get(VERSION_FIELD).parse().unwrap_or_default()
    }

    /// Each value of a field, in the order of the form.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Whether a field was sent.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Gives a field one value, instead of those that it has.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value));
    }

    /// Adds values to a field.
    pub(super) fn add_all(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        self.0.extend(values.into_iter().map(|value| (name.to_owned(), value)));
    }
}
