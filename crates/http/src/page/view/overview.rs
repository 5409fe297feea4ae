//! The overview: what became of a tenant's webhooks, as numbers and pictures, and what somebody should look at.

use axum::response::Response;
use maud::{Markup, html};

use super::format::{counted, grouped, percent, short_time, time};
use super::site_header::{Section, Viewing};
use super::{attempt_bars, attention, lag_band, layout};
use crate::page::overview::overview_path;
use crate::page::report_file::{GROUPINGS, report_path};
use crate::page::tenant_request::{DELIVERIES_PATH, TenantRequest};
use loanhook_core::overview::{Overview, OverviewSpan};
use loanhook_core::webhook_states::AttemptTally;

pub(in crate::page) fn page(overview: &Overview, span: OverviewSpan, request: &TenantRequest) -> Response {
    let content = html! {
        header.top {
            div {
                h1 { "Overview" }
                p.lead.quiet { (said(span)) }
            }
            (report_files(span))
        }
        nav.tabs aria-label="Of which time" {
            @for of in OverviewSpan::ALL {
                a href=(overview_path(of)) aria-current=[(of == span).then_some("page")] { (title(of)) }
            }
        }
        @if let Some(since) = overview.counted_since.filter(|since| *since > overview.query.from) {
            p.notice.wait { "What was accepted or sent before " (time(since)) " is not counted here." }
        }
        (tiles(overview))
        div.pictures {
            (attempt_bars::show(overview))
            (lag_band::show(overview))
        }
        (attention::show(overview))
    };
    let viewing = Viewing { grant: &request.grant, loan: None, section: Some(Section::Overview) };
    layout::page_for("Overview", &viewing, &content)
}

/// The report of the span as files.
fn report_files(span: OverviewSpan) -> Markup {
    html! {
        div.exports role="group" aria-label="Report as CSV" {
            div.actions {
                @for (place, (_, word, words)) in GROUPINGS.into_iter().enumerate() {
                    a.button href=(report_path(span, word)) download {
                        @if place == 0 { "Report as CSV " (words) } @else { span.unseen { "Report as CSV " } (words) }
                    }
                }
            }
        }
    }
}

const fn title(span: OverviewSpan) -> &'static str {
    match span {
        OverviewSpan::Hour => "Hour",
        OverviewSpan::Day => "Day",
        OverviewSpan::Week => "Week",
    }
}

const fn said(span: OverviewSpan) -> &'static str {
    match span {
        OverviewSpan::Hour => "This hour and the one before, in UTC. Tests are left out.",
        OverviewSpan::Day => "The last 24 hours, by hours in UTC. Tests are left out.",
        OverviewSpan::Week => "The last 7 days, by days in UTC. Tests are left out.",
    }
}

/// The numbers of the whole span.
fn tiles(overview: &Overview) -> Markup {
    let total = &overview.total;
    let from = overview.query.from.to_string().replace(".000Z", "Z");
    let deliveries = |status: &str| format!("{DELIVERIES_PATH}?status={status}&from={from}");
    let tally = AttemptTally::of(total);
    let succeeded = tally.success_rate().map(|rate| format!("{} succeeded", percent(rate)));
    let lag = total.first_attempt_ms();
    let events = match overview.events_are_counted {
        true => grouped(total.events_accepted),
        false => "not kept".to_owned(),
    };
    html! {
        dl.tiles {
            (tile("Events accepted", &html! { (events) }, &unmatched(overview)))
            (tile(
                "Deliveries",
                &html! { a href={ (DELIVERIES_PATH) "?from=" (from) } { (grouped(total.deliveries_accepted)) } },
                &html! { (grouped(total.succeeded_first)) " at the first attempt" },
            ))
            (tile("Attempts", &html! { (grouped(tally.attempts)) }, &html! { @if let Some(succeeded) = succeeded { (succeeded) } }))
            (tile(
                "First attempt after",
                &html! { @match lag { Some(lag) => (short_time(lag.p50)), None => "–" } },
                &html! { @if let Some(lag) = lag { "99 % within " (short_time(lag.p99)) } },
            ))
            (tile(
                "Pending",
                &html! { a href=(deliveries("pending")) { (grouped(total.pending())) } },
                &html! { "attempts to come" },
            ))
            (tile(
                "Exhausted",
                &html! { a.bad[total.exhausted > 0] href=(deliveries("failed")) { (grouped(total.exhausted)) } },
                &html! { "no retry is left" },
            ))
        }
    }
}

/// Events without a webhook.
fn unmatched(overview: &Overview) -> Markup {
    let count = overview.total.events_unmatched;
    html! {
        @if overview.events_are_counted {
            @if count > 0 {
                a href="#unmatched" { (counted(count, "event", "events")) " without a webhook" }
            } @else {
                "each has a webhook"
            }
        }
    }
}

fn tile(name: &str, number: &Markup, beneath: &Markup) -> Markup {
    html! {
        div {
            dt { (name) }
            dd { span.number { (number) } span.quiet { (beneath) } }
        }
    }
}
