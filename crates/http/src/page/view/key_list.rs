//! The page of API keys: the name of each, what it may do, when it ends and when it was last used. No key itself.

use axum::response::Response;
use maud::{Markup, html};

use super::format::time;
use super::layout;
use super::site_header::{Section, Viewing};
use crate::page::key_list::{AFTER, KeyList};
use crate::page::tenant_request::{KEYS_PATH, TenantRequest};
use loanhook_core::model::key::{Key, KeySource};
use loanhook_core::ports::ListedKey;

const COLUMN_HEADS: [&str; 6] = ["Key", "Scopes", "Made", "Ends", "Last used", "Revoke"];

pub(in crate::page) fn page(list: &KeyList, request: &TenantRequest) -> Response {
    let content = html! {
        header.top {
            div {
                h1 { "API keys" }
                p.lead.quiet { "Programs call with a key, and people sign in with one. A key itself is shown once, when it is made." }
            }
            a.button.primary href={ (KEYS_PATH) "/new" } { "Make a key" }
        }
        @if list.keys.is_empty() {
            section.card.empty { h2 { "There is no key here" } p { a.button href=(KEYS_PATH) { "Show the oldest" } } }
        } @else {
            table.list #keys role="table" {
                (layout::column_heads(&COLUMN_HEADS))
                tbody role="rowgroup" { @for listed in &list.keys { (row(listed, list, request)) } }
            }
        }
        @if !list.is_first || list.next.is_some() {
            nav.pages aria-label="Pages" {
                @if !list.is_first { a.button href=(KEYS_PATH) { "Oldest" } }
                @if let Some(next) = list.next { a.button rel="next" href={ (KEYS_PATH) "?" (AFTER) "=" (next) } { "Newer" } }
            }
        }
    };
    layout::page_for("API keys", &viewing(request), &content)
}

/// Who looks at a page of keys.
pub(super) fn viewing(request: &TenantRequest) -> Viewing<'_> {
    Viewing { grant: &request.grant, loan: None, section: Some(Section::Keys) }
}

fn row(listed: &ListedKey, list: &KeyList, request: &TenantRequest) -> Markup {
    let key = &listed.key;
    html! {
        tr role="row" {
            td.title role="cell" data-head="Key" {
                bdi { (key.name) }
                @if list.own == Some(key.id) { " " span.test { "yours" } }
                @if let Some(words) = source(key.source) { " " span.next-line { (words) } }
            }
            td role="cell" data-head="Scopes" { (scopes(key)) }
            td role="cell" data-head="Made" { (time(key.created_at)) }
            td role="cell" data-head="Ends" {
                @match key.expires_at {
                    None => span.quiet { "not by itself" },
                    Some(end) if key.is_valid_at(list.now) => (time(end)),
                    Some(end) => { span.code.none { span { "over" } } " " span.next-line { "since " (time(end)) } }
                }
            }
            td role="cell" data-head="Last used" {
                @match listed.last_used_at {
                    // It is kept to the hour.
                    Some(used) => { "in the hour from " (time(used)) }
                    None => span.quiet { "never" },
                }
            }
            td role="cell" data-head="Revoke" {
                @if request.grant.may_manage(&key.scopes) {
                    a href={ (KEYS_PATH) "/" (key.id) "/revoke" } { "Revoke" span.unseen { " " (key.name) } }
                } @else {
                    span.quiet { "by an operator" }
                }
            }
        }
    }
}

/// Where a key came from, where the API or a page did not make it.
const fn source(source: KeySource) -> Option<&'static str> {
    match source {
        KeySource::Api => None,
        KeySource::FirstStart => Some("made by the first start"),
        KeySource::Environment => Some("named by the environment"),
    }
}

/// What a key may do.
pub(super) fn scopes(key: &Key) -> Markup {
    html! { span.labels { @for scope in &key.scopes { code { (scope) } " " } } }
}
