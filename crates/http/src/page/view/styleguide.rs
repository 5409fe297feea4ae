//! The page of samples: every token and component of the style, by name. Of debug builds only.

use axum::response::Response;
use maud::{Markup, html};

use super::format::time;
use super::layout::{self, symbol};
use super::webhook_form::field::Shown;
use super::webhook_form::summary;
use super::{attempt_bars, criteria, delivery_table, filters, lag_band, line_diff, sparkline};
use crate::page::form::Form;
use crate::page::webhook_form::Faults;
use crate::page::webhook_form::fields::{BASIC, RETRY, RETRY_KINDS, TIMEOUT};
use crate::page::webhook_form::rows::Rows;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::key::Scope;
use loanhook_core::model::progress::Status;
use loanhook_core::model::report::{AttemptClass, Counts};
use loanhook_core::model::time::Timestamp;
use loanhook_core::overview::{Overview, OverviewSpan};
use loanhook_core::webhook_states::AttemptTally;

const COLOURS: [&str; 22] = [
    "paper",
    "card",
    "ink",
    "quiet",
    "line",
    "hover",
    "accent",
    "on-accent",
    "field",
    "ok",
    "ok-soft",
    "bad",
    "bad-soft",
    "wait",
    "wait-soft",
    "manual",
    "manual-soft",
    "succeeded",
    "other-code",
    "receiver-failed",
    "no-answer",
    "band",
];

pub(in crate::page) fn page() -> Response {
    let content = html! {
        header.top { div { h1 { "Samples" } p.lead.quiet { "Every component of the pages, by the name of its class." } } }
        (sample("Colours: --name", &colours()))
        (sample("Text: h1, h2, p, .quiet, code", &html! {
            h2 { "A heading of a section" }
            p { "A paragraph with " code { "code" } " and " a href="#text" { "a link" } "." }
            p.quiet { "What is less important. " (time(Timestamp::from_millis(0))) }
        }))
        (sample("Buttons: button, .button, .primary", &html! {
            div.actions {
                button.primary type="button" { "Primary" }
                button type="button" { "Button" }
                button type="button" disabled { "Disabled" }
                a.button href="#buttons" { "Link" }
            }
        }))
        (sample("Labels: .code, .test, .manual", &html! {
            p { @for status in Status::ALL { (delivery_table::status_label(status)) " " } }
            p { span.test { "test" } " " span.manual { "manual" } " " span.count { "3 set" } }
        }))
        (sample("Notices: .notice", &html! {
            p.notice.ok { "What went well." }
            p.notice.wait { "What one should know." }
            p.notice.bad { "What went wrong." }
        }))
        (sample("Fields: .field", &html! {
            div.filters {
                form action="#fields" {
                    (filters::choice_field("a", "A choice", "Any", filters::STATUSES, ""))
                    (filters::text_field("b", "A text", "", "Any"))
                    (filters::time_field("c", "A time", ""))
                }
            }
        }))
        (sample("Forms: .form-field, .alternatives, .rows, .faults, .fault, .hint", &form()))
        (sample("Numbers: .tiles", &html! {
            dl.tiles {
                @for (name, number) in [("Deliveries", "12,345"), ("Attempts", "13,001"), ("Exhausted", "7")] {
                    div { dt { (name) } dd { span.number { (number) } span.quiet { "beneath it" } } }
                }
            }
        }))
        div.pictures {
            (attempt_bars::show(&overview()))
            (lag_band::show(&overview()))
        }
        (sample("Days: .sparkline", &sparkline::show(&week())))
        (sample("Boxes to choose: .boxes, .box", &html! {
            fieldset.boxes {
                legend { "What it may do" }
                @for scope in Scope::ALL { label.box { input type="checkbox" checked[scope == Scope::HistoryRead]; span { code { (scope) } } } }
            }
        }))
        (sample("What is shown once: .secret", &html! { p.secret { code { "lh_0123456789abcdef" } } }))
        (sample("Filters in words: .criteria", &html! { ul.criteria { li { (criteria::criterion("status", "failed", None)) } li { (criteria::criterion("loanId", "727", None)) } } }))
        (sample("Lines that changed: .diff", &line_diff::show("the sample", "{\n  \"a\": 1\n}", "{\n  \"a\": 2\n}")))
        (sample("Nothing to show: .card.empty, .calm", &html! {
            p.quiet.calm { (symbol("yes")) "All is well." }
        }))
    };
    layout::page("Samples", &content)
}

fn sample(name: &str, shown: &Markup) -> Markup {
    html! { section.card.group { h2 { (name) } (shown) } }
}

/// Fields of the form of a webhook, two of them wrong.
fn form() -> Markup {
    let fields =
        [("retry", "delays"), ("delays", "5 weeks"), ("header-name-0", "Host"), ("header-kept-0", "Host")];
    let form: Form = fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let faults = Faults::of_texts([("delays", "“5 weeks” is no time"), ("header-name-0", "cannot be set")]);
    let shown = Shown { form: &form, faults: &faults, is_stored: &|_| true };
    html! {
        (summary(&faults, "Something is wrong, and nothing was saved"))
        (shown.fields(TIMEOUT))
        (shown.fields(BASIC))
        (shown.rows(Rows::Headers, "Values are secrets."))
        (shown.alternatives(RETRY, RETRY_KINDS, &|_| html! {}))
    }
}

fn colours() -> Markup {
    html! {
        ul.legend {
            @for name in COLOURS {
                li {
                    svg width="24" height="24" aria-hidden="true" {
                        rect width="24" height="24" rx="5" fill={ "var(--" (name) ")" } stroke="var(--field)" {}
                    }
                    (name)
                }
            }
        }
    }
}

/// Numbers that show every part of the pictures.
fn overview() -> Overview {
    let query = OverviewSpan::Day.query(Timestamp::from_millis(1_795_428_000_000));
    let periods: Vec<_> =
        query.periods().zip(1_u64..).map(|(period, number)| (period, counts(number))).collect();
    let mut total = Counts::default();
    periods.iter().for_each(|(_, counts)| total.add(counts));
    let (unmatched, needing_attention) = (Vec::new(), Vec::new());
    Overview {
        query,
        periods,
        total,
        counted_since: None,
        events_are_counted: true,
        unmatched,
        needing_attention,
    }
}

fn counts(number: u64) -> Counts {
    let mut counts = Counts::default();
    let classes = [
        (AttemptClass::Status(2), 20 + number * 7 % 40),
        (AttemptClass::Status(4), number * 5 % 7),
        (AttemptClass::Status(5), number * 3 % 11),
        (AttemptClass::Error(ErrorKind::Timeout), number % 5),
    ];
    for (class, count) in classes {
        (0..count).for_each(|_| counts.count_attempt(class));
    }
    (0..100).for_each(|place| counts.first_attempt.record(2 + place * place * number % 900));
    counts
}

fn week() -> Vec<(Timestamp, AttemptTally)> {
    let days = OverviewSpan::Week.query(Timestamp::from_millis(1_795_428_000_000)).periods();
    let tallies = [(0, 0), (10, 10), (10, 9), (10, 4), (10, 0), (3, 3), (100, 99)];
    days.zip(tallies)
        .map(|(day, (attempts, succeeded))| (day, AttemptTally { attempts, succeeded }))
        .collect()
}
