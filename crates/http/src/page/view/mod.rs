//! The HTML of the pages, made of values that the handlers have read; nothing here calls a port.

pub(super) mod attempt_details;
pub(super) mod bulk_resend;
pub(super) mod event_list;
mod filters;
mod format;
pub(super) mod layout;
mod loan_header;
mod payload;
mod resend;
pub(super) mod sign_in;
mod timeline;
mod verdicts;
pub(super) mod webhook_list;
mod webhook_table;

use axum::response::{IntoResponse, Response};
use http::header;
use maud::Markup;

/// A response of HTML, a whole page or a part of one.
pub(super) fn fragment(content: Markup) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], content.into_string()).into_response()
}
