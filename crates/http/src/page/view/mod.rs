//! How the pages look: HTML, and nothing that is asked of anybody.

pub(super) mod attempt_details;
mod filters;
mod format;
pub(super) mod layout;
mod payload;
mod resend;
pub(super) mod sign_in;
mod timeline;
pub(super) mod webhook_list;
mod webhook_table;

use axum::response::{IntoResponse, Response};
use http::header;
use maud::Markup;

/// HTML by itself.
pub(super) fn fragment(content: Markup) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], content.into_string()).into_response()
}
