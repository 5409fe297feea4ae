//! The question before a key is revoked: what it is, and what ends with it.

use axum::response::Response;
use maud::html;

use super::format::time;
use super::key_list::{scopes, viewing};
use super::layout;
use crate::page::csrf_token;
use crate::page::key_revocation::Revocation;
use crate::page::resend::CSRF_FIELD;
use crate::page::tenant_request::{KEYS_PATH, TenantRequest};
use loanhook_core::model::key::{KeySource, Scope};

pub(in crate::page) fn page(of: &Revocation, request: &TenantRequest) -> Response {
    let key = &of.key;
    let content = html! {
        header.top { div { p.over { a href=(KEYS_PATH) { "API keys" } } h1 { "Revoke a key" } } }
        section.card.of-key {
            h2 { "Revoke " bdi { (key.name) } "?" }
            p { (scopes(key)) " made " (time(key.created_at)) }
            p { "This cannot be undone. With the key ends at once:" }
            ul {
                li { "Each call with it: it is answered with 401." }
                @if key.may(Scope::HistoryRead) { li { "Each session of somebody who signed in with it." } }
                @if key.may(Scope::PortalWrite) {
                    li { "Each link to a loan's page that was made with it, and each session that such a link opened." }
                }
            }
            @if of.is_own { p.notice.wait { "You signed in with this key: your own session ends, too." } }
            @if of.is_last_admin {
                p.notice.bad { "No other key of this tenant may manage keys. After this one only an operator can make a key." }
            }
            @if key.source == KeySource::Environment {
                p.notice.wait { "The environment names it (LOANHOOK_ADMIN_KEY, on AWS AdminKeyHash). It stays revoked after a start with the same key, too." }
            }
            form method="post" action={ (KEYS_PATH) "/" (key.id) "/revoke" } {
                input type="hidden" name=(CSRF_FIELD) value=(csrf_token::csrf_token(&request.grant));
                div.actions {
                    button.primary type="submit" { "Revoke the key" }
                    a.button href=(KEYS_PATH) { "Cancel" }
                }
            }
        }
    };
    layout::page_for("Revoke a key", &viewing(request), &content)
}
