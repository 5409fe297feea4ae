//! The page of what changed between two versions of a webhook: setting by setting, with the old value and the new one.

use axum::response::Response;
use maud::{Markup, html};

use super::format::time;
use super::site_header::{Section, Viewing};
use super::version_list::{header, maker};
use super::{layout, line_diff};
use crate::page::links;
use crate::page::tenant_request::TenantRequest;
use loanhook_core::model::destination::shown;
use loanhook_core::model::key::Scope;
use loanhook_core::model::subscription::{Setting, SettingChange, SettingValue, Subscription};
use loanhook_core::subscription_versions::{Comparison, MAX_BETWEEN};

pub(in crate::page) fn page(of: &Comparison, current: &Subscription, request: &TenantRequest) -> Response {
    let (before, after) = (&of.before, &of.after);
    let heads =
        ["Setting".to_owned(), format!("Version {}", before.version), format!("Version {}", after.version)];
    let whole = request.grant.may(Scope::SubscriptionsWrite);
    let content = html! {
        (header(current, "What changed"))
        p.lead {
            "From version " (before.version) " (" (time(before.updated_at)) ", by " (maker(before)) ") to version "
            (after.version) " (" (time(after.updated_at)) ", by " (maker(after)) ")."
        }
        p { a.button href=(links::versions(current.id)) { "All versions" } }
        @if of.changes.is_empty() && of.secret_rotated != Some(true) {
            section.card.empty { h2 { "No setting differs" } p.quiet { "What was changed between them was changed back." } }
        } @else {
            table.list #changes role="table" {
                (layout::column_heads(&heads))
                tbody role="rowgroup" {
                    @for change in &of.changes { (row(change, &heads, whole)) }
                    @if of.secret_rotated == Some(true) { (hidden_row(&html! { "Signing secret" }, "It was rotated. It is shown to nobody.")) }
                }
            }
        }
        @if of.secret_rotated.is_none() {
            p.quiet {
                "Whether the signing secret was rotated is not known: more than " (MAX_BETWEEN) " versions lie between them, or some are not kept."
            }
        }
    };
    let viewing = Viewing { grant: &request.grant, loan: None, section: Some(Section::Webhooks) };
    let title = format!("Versions {} and {} of {}", before.version, after.version, current.settings.title);
    layout::page_for(&title, &viewing, &content)
}

fn row(change: &SettingChange, heads: &[String; 3], whole: bool) -> Markup {
    let name = label(change);
    match (&change.before, &change.after) {
        (Some(SettingValue::Hidden), Some(_)) => hidden_row(&name, "It changed. Its value is not shown."),
        (None, Some(SettingValue::Hidden)) => hidden_row(&name, "It is new. Its value is not shown."),
        (Some(SettingValue::Hidden), None) => hidden_row(&name, "It was taken out."),
        (Some(SettingValue::Url(before)), Some(SettingValue::Url(after)))
            if !whole && shown(before.clone(), false) == shown(after.clone(), false) =>
        {
            hidden_row(
                &name,
                "It changed in the values of its query, which are shown to whoever may change webhooks.",
            )
        }
        (before, after) => {
            if let Some(lines) = lines(change) {
                return wide_row(&name, &lines);
            }
            html! {
                tr role="row" {
                    td.title role="cell" data-head=(heads[0]) { (name) }
                    td.break role="cell" data-head=(heads[1]) { (value(before.as_ref(), whole)) }
                    td.break role="cell" data-head=(heads[2]) { (value(after.as_ref(), whole)) }
                }
            }
        }
    }
}

/// The lines that changed, of a formula or a template.
fn lines(change: &SettingChange) -> Option<Markup> {
    let text = |value: &Option<SettingValue>| match value {
        Some(SettingValue::Lines(text)) => Some(text.clone()),
        None => Some(String::new()),
        Some(_) => None,
    };
    let (before, after) = (text(&change.before)?, text(&change.after)?);
    Some(line_diff::show(words(change.setting), &before, &after))
}

/// A row that says in a sentence what changed.
fn hidden_row(name: &Markup, says: &str) -> Markup {
    wide_row(name, &html! { span.quiet { (says) } })
}

fn wide_row(name: &Markup, content: &Markup) -> Markup {
    html! {
        tr role="row" {
            td.title role="cell" { (name) }
            td role="cell" colspan="2" { (content) }
        }
    }
}

fn value(value: Option<&SettingValue>, whole: bool) -> Markup {
    html! {
        @match value {
            None => span.quiet { "not set" },
            Some(SettingValue::Text(text) | SettingValue::Lines(text)) => bdi { (line_diff::visible(text)) },
            Some(SettingValue::Url(url)) => bdi { (line_diff::visible(&shown(url.clone(), whole))) },
            Some(SettingValue::Hidden) => span.quiet { "not shown" },
        }
    }
}

/// The name of a setting, with that of its header or parameter.
pub(super) fn label(change: &SettingChange) -> Markup {
    html! {
        (words(change.setting))
        @if !change.member.is_empty() { " " bdi { (line_diff::visible(&change.member)) } }
    }
}

/// A setting in words.
const fn words(setting: Setting) -> &'static str {
    match setting {
        Setting::Title => "Title",
        Setting::Description => "Description",
        Setting::Enabled => "Enabled",
        Setting::Events => "Events",
        Setting::Trigger => "Trigger",
        Setting::Fire => "When the trigger fires",
        Setting::OperationalEvents => "Operational events",
        Setting::Restriction => "Restriction",
        Setting::Method => "Method",
        Setting::Url => "URL",
        Setting::Header => "Header",
        Setting::ContentType => "Content type",
        Setting::Payload => "Payload",
        Setting::AuthKind => "Authentication",
        Setting::Username => "User name",
        Setting::Password => "Password",
        Setting::TokenUrl => "Token URL",
        Setting::ClientId => "Client ID",
        Setting::ClientSecret => "Client secret",
        Setting::TokenScopes => "Scopes of the token",
        Setting::ClientStyle => "How the client says who it is",
        Setting::TokenParameter => "Parameter of the token request",
        Setting::ClientCertificate => "Client certificate",
        Setting::ClientKey => "Key of the client certificate",
        Setting::Authorities => "Authorities",
        Setting::Retry => "Retries",
        Setting::Timeout => "Timeout",
        Setting::MaxInFlight => "Requests at once at most",
        Setting::MaxPerSecond => "Requests a second at most",
        Setting::Order => "Order",
        Setting::StepAside => "Step aside after",
        Setting::HoldAfterFailures => "Hold after failures in a row",
    }
}
