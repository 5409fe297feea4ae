//! The page of the versions of a webhook: when each was made, by whom, and which settings it changed.

use axum::response::Response;
use maud::{Markup, html};

use super::format::time;
use super::layout;
use super::site_header::{Section, Viewing};
use super::version_comparison::label;
use crate::page::links;
use crate::page::subscription_versions::{AFTER, BEFORE, FROM, VersionList};
use crate::page::tenant_request::TenantRequest;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::subscription_versions::{ListedVersion, VersionChange};

const COLUMN_HEADS: [&str; 4] = ["Version", "What changed", "Made", "By"];

pub(in crate::page) fn page(list: &VersionList, request: &TenantRequest) -> Response {
    let path = links::versions(list.current.id);
    let versions = &list.page.versions;
    let content = html! {
        (header(&list.current, "Versions"))
        @if list.current.version > 1 && !versions.is_empty() { (compare_form(versions, list.current.version, &path)) }
        @if versions.is_empty() {
            section.card.empty { h2 { "Nothing older is kept" } p { a.button href=(path) { "Show the newest" } } }
        } @else {
            table.list #versions role="table" {
                (layout::column_heads(&COLUMN_HEADS))
                tbody role="rowgroup" { @for listed in versions { (row(listed, list.current.version, &path)) } }
            }
        }
        @if list.page.next.is_none() && versions.last().is_some_and(|last| last.change == VersionChange::Unknown) {
            p.quiet.early { "Earlier versions are not kept any more." }
        }
        @if !list.is_first || list.page.next.is_some() {
            nav.pages aria-label="Pages" {
                @if !list.is_first { a.button href=(path) { "Newest" } }
                @if let Some(next) = list.page.next { a.button rel="next" href={ (path) "?" (BEFORE) "=" (next) } { "Older" } }
            }
        }
    };
    let viewing = Viewing { grant: &request.grant, loan: None, section: Some(Section::Webhooks) };
    layout::page_for(&format!("Versions of {}", list.current.settings.title), &viewing, &content)
}

/// The webhook, above what the page says of it.
pub(super) fn header(of: &Subscription, title: &str) -> Markup {
    html! {
        header.top {
            div {
                p.over { a href=(links::webhook(of.id)) { bdi { (of.settings.title) } } }
                h1 { (title) }
            }
        }
    }
}

/// Two versions to be compared: at first the newest of the page, and the one before it.
fn compare_form(versions: &[ListedVersion], newest: u64, path: &str) -> Markup {
    // Each of them, whichever page of the list it is on.
    let field = |name: &str, words: &str, place: usize| {
        let number = versions.get(place).map(|listed| listed.version.version);
        html! {
            div.field {
                label for={ "f-" (name) } { (words) }
                input id={ "f-" (name) } name=(name) type="number" min="1" max=(newest) required value=[number];
            }
        }
    };
    html! {
        div.filters {
            form method="get" action=(path) {
                (field(FROM, "From version", 1))
                (field(AFTER, "To version", 0))
                div.actions { button type="submit" { "Compare" } }
            }
        }
    }
}

fn row(listed: &ListedVersion, newest: u64, path: &str) -> Markup {
    let version = &listed.version;
    let number = version.version;
    html! {
        tr id={ "v-" (number) } role="row" {
            td.title role="cell" data-head="Version" {
                "Version " (number)
                @if number == newest { " " span.code.ok { span { "in use" } } }
            }
            td.break role="cell" data-head="What changed" {
                (told(&listed.change))
                @if let VersionChange::Settings(_) = listed.change {
                    " " a.next-line href={ (path) "?" (FROM) "=" (number - 1) "&" (AFTER) "=" (number) } {
                        "Show it" span.unseen { " for version " (number) }
                    }
                }
            }
            td role="cell" data-head="Made" { (time(version.updated_at)) }
            td role="cell" data-head="By" { (maker(version)) }
        }
    }
}

/// Who made a version.
pub(super) fn maker(version: &Subscription) -> Markup {
    html! {
        @match &version.updated_by {
            Some(name) => bdi { (name) },
            None => span.quiet { "not kept" },
        }
    }
}

/// What a version changed, in the names of the settings.
fn told(change: &VersionChange) -> Markup {
    html! {
        @match change {
            VersionChange::Created => { "The webhook was made" }
            VersionChange::SigningSecret => { "The signing secret was rotated" }
            VersionChange::Unknown => span.quiet { "Not known: the version before is not kept" },
            VersionChange::Settings(changed) => {
                @for (place, change) in changed.iter().enumerate() {
                    @if place > 0 { ", " }
                    (label(change))
                }
            }
        }
    }
}
