//! The HTML of the pages, made of values that the handlers have read; nothing here calls a port.

mod attempt_bars;
pub(super) mod attempt_details;
mod attention;
pub(super) mod bulk_resend;
mod chart;
pub(super) mod criteria;
mod delivery_filters;
pub(super) mod delivery_list;
mod delivery_table;
pub(super) mod event_list;
mod filters;
mod format;
pub(super) mod job;
mod job_items;
pub(super) mod job_list;
pub(super) mod key_list;
pub(super) mod key_revocation;
mod lag_band;
pub(super) mod layout;
mod line_diff;
mod loan_header;
pub(super) mod new_key;
pub(super) mod oidc;
pub(super) mod overview;
mod payload;
mod resend;
pub(super) mod search;
pub(super) mod sign_in;
pub(super) mod site_header;
mod sparkline;
#[cfg(debug_assertions)]
pub(super) mod styleguide;
pub(super) mod subscription_list;
mod timeline;
mod verdicts;
pub(super) mod version_comparison;
pub(super) mod version_list;
mod webhook_actions;
pub(super) mod webhook_form;
pub(super) mod webhook_list;
pub(super) mod webhook_page;
mod webhook_table;

use axum::response::{IntoResponse, Response};
use http::header;
use maud::Markup;

/// A response of HTML, a whole page or a part of one.
pub(super) fn fragment(content: Markup) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], content.into_string()).into_response()
}
