//! How the pages look: HTML, and nothing that is asked of anybody.

pub(super) mod details;
mod filters;
pub(super) mod layout;
mod life;
pub(super) mod list;
pub(super) mod login;
mod payload;
mod resend;
mod rows;
mod words;

use axum::response::{IntoResponse, Response};
use http::header;
use maud::Markup;

/// HTML by itself.
pub(super) fn fragment(content: Markup) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], content.into_string()).into_response()
}
