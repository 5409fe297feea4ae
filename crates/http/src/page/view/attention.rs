//! Webhooks and events that somebody should look at: webhooks that are held or fail, and events that no webhook was sent for.

use maud::{Markup, html};

use super::format::{counted, grouped, time};
use super::layout::{label, symbol};
use crate::page::links;
use crate::page::tenant_request::DELIVERIES_PATH;
use loanhook_core::holds::ShownHold;
use loanhook_core::model::flow::HeldBy;
use loanhook_core::overview::Overview;
use loanhook_core::webhook_states::WebhookState;

pub(super) fn show(overview: &Overview) -> Markup {
    html! {
        div.attention {
            section.card {
                h2 { "Webhooks to look at" }
                @if overview.needing_attention.is_empty() {
                    p.quiet.calm { (symbol("yes")) "No webhook is held, and none fails." }
                } @else {
                    ul.looks { @for state in &overview.needing_attention { (webhook(state)) } }
                }
            }
            @if overview.events_are_counted {
                section.card #unmatched {
                    h2 { "Events without a webhook" }
                    (unmatched(overview))
                }
            }
        }
    }
}

fn webhook(state: &WebhookState) -> Markup {
    let id = state.subscription.id;
    html! {
        li {
            a.title href=(links::deliveries_of(id)) { bdi { (state.subscription.settings.title) } }
            " " (state_labels(state))
            @if let Some(hold) = &state.hold { p.quiet { (held(hold)) } }
            @if state.is_failing() {
                p.quiet {
                    (grouped(state.recent.failed())) " of " (counted(state.recent.attempts, "attempt", "attempts"))
                    " of this hour and the one before failed. "
                    a href={ (links::deliveries_of(id)) "&status=failed" } { "Deliveries that failed" }
                }
            }
        }
    }
}

/// The state of a webhook in labels.
pub(super) fn state_labels(state: &WebhookState) -> Markup {
    html! {
        span.labels {
            @if state.hold.is_some() { (label("wait", "wait", "Held")) " " }
            @if state.is_failing() { (label("bad", "no", "Failing")) " " }
            @if !state.subscription.settings.enabled {
                (label("none", "no", "Disabled"))
            } @else if state.hold.is_none() && !state.is_failing() {
                (label("ok", "yes", "Enabled"))
            }
        }
    }
}

/// Whose hold it is, since when, and how much waits.
pub(super) fn held(ShownHold { hold, waiting }: &ShownHold) -> Markup {
    html! {
        @match &hold.by {
            HeldBy::Failures(_) => { "Held by its failures since " }
            HeldBy::Operator(name) => { "Held by " bdi { (name) } " since " }
        }
        (time(hold.since)) ", "
        (counted(i64::try_from(*waiting).unwrap_or(i64::MAX), "delivery waits", "deliveries wait")) "."
    }
}

fn unmatched(overview: &Overview) -> Markup {
    if overview.unmatched.is_empty() {
        return html! { p.quiet.calm { (symbol("yes")) "Each event of this time was sent as a webhook." } };
    }
    html! {
        p.quiet { "They came in, and no webhook wanted them: no criteria name them, or a formula was false." }
        table.plain-table {
            thead { tr { th scope="col" { "Event" } th scope="col" { "Without a webhook" } th scope="col" { "Accepted" } } }
            tbody {
                @for of in &overview.unmatched {
                    tr {
                        th scope="row" {
                            @if of.unmatched < of.accepted {
                                a href={ (DELIVERIES_PATH) "?" (query(&of.event_name)) } { bdi { (of.event_name) } }
                            } @else {
                                bdi { (of.event_name) }
                            }
                        }
                        td { (grouped(of.unmatched)) }
                        td { (grouped(of.accepted)) }
                    }
                }
            }
        }
    }
}

/// The filter by the name of an event.
fn query(event_name: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("eventName", event_name).finish()
}
