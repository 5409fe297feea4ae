//! The form of filters, and those that are set.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::format::{kind, short};
use crate::page::page_parameters::LIMIT;
use crate::page::webhook_list::List;
use loanhook_core::model::failure::ErrorKind;

/// Values of a choice, each with its words.
type Choices = &'static [(&'static str, &'static str)];

const OUTCOMES: Choices =
    &[("succeeded", "Succeeded"), ("failed", "Failed"), ("sending", "Sending"), ("queued", "Queued")];
const CODES: Choices = &[
    ("1xx", "1xx (informational)"),
    ("2xx", "2xx (success)"),
    ("3xx", "3xx (redirect)"),
    ("4xx", "4xx (refused)"),
    ("5xx", "5xx (receiver failed)"),
    ("6xx", "6xx (not standard)"),
    ("7xx", "7xx (not standard)"),
    ("8xx", "8xx (not standard)"),
    ("9xx", "9xx (not standard)"),
];
const ATTEMPTS: Choices = &[("auto", "Automatic"), ("manual", "Manual")];
const LIMITS: Choices = &[("50", "50"), ("100", "100"), ("200", "200")];

pub(super) fn show(list: &List, path: &str) -> Markup {
    let asked = &list.asked;
    let set = asked.filters().count();
    let kinds = ErrorKind::ALL.map(|of| (of.as_str(), kind(of)));
    html! {
        // Chips say what is set; what is wrong is mended here.
        details.filters open[!list.wanted.faults.0.is_empty()] {
            summary { "Filters" @if set > 0 { " " span.count { (set) " set" } } }
            form #filters method="get" action=(path) {
                (title(asked.get("eventTitle"), &list.page.titles))
                (choice("outcome", "Outcome", "Any", OUTCOMES, asked.get("outcome")))
                (choice("responseCode", "Response code", "Any", CODES, asked.get("responseCode")))
                (choice("error", "Error", "Any", &kinds, asked.get("error")))
                (choice("attempt", "Attempt", "Any", ATTEMPTS, asked.get("attempt")))
                (text("traceId", "Trace ID", asked.get("traceId")))
                (moment("from", "From", asked.get("from")))
                (moment("to", "To", asked.get("to")))
                (choice(LIMIT, "Rows a page", "50", &LIMITS[1..], asked.get(LIMIT)))
                @for (name, value) in asked.filters().filter(|(name, _)| HIDDEN.contains(name)) {
                    input type="hidden" name=(name) value=(value);
                }
                div.actions {
                    button.primary type="submit" { "Apply" }
                    @if set > 0 { a.button href=(path) { "Clear all" } }
                }
            }
        }
        @if set > 0 {
            ul.chips aria-label="Filters that are set" {
                @for (name, value) in asked.filters() {
                    li { a href={ (path) (asked.first_page().without(&[name]).query()) } title="Remove this filter" {
                        span.quiet { (words_of(name)) } " " bdi { (shown(name, value)) }
                        span aria-hidden="true" { " ×" } span.unseen { ", remove this filter" }
                    } }
                }
            }
        }
    }
}

/// Filters of the API that an address may have and the form does not ask for.
const HIDDEN: [&str; 3] = ["eventName", "subscriptionId", "method"];

/// A parameter, as the form names it.
pub(super) fn words_of(name: &str) -> &str {
    match name {
        "eventTitle" => "Event title",
        "eventName" => "Event",
        "subscriptionId" => "Subscription",
        "traceId" => "Trace ID",
        "method" => "Method",
        "outcome" => "Outcome",
        "responseCode" => "Response code",
        "error" => "Error",
        "attempt" => "Attempt",
        "from" => "From",
        "to" => "To",
        LIMIT => "Rows a page",
        other => other,
    }
}

fn shown(name: &str, value: &str) -> Markup {
    match name {
        "traceId" | "subscriptionId" if value.len() == 36 && value.is_ascii() => {
            html! { span title=(value) { (short(&value)) } }
        }
        "from" | "to" => html! { time datetime=(value) { (value) } },
        _ => html! { (words_for(name, value)) },
    }
}

/// A value in the words of its choice.
fn words_for<'a>(name: &str, value: &'a str) -> &'a str {
    let choices = match name {
        "outcome" => OUTCOMES,
        "attempt" => ATTEMPTS,
        "error" => {
            return ErrorKind::ALL.into_iter().find(|of| of.as_str() == value).map_or(value, |of| kind(of));
        }
        _ => &[],
    };
    choices.iter().find(|(known, _)| *known == value).map_or(value, |(_, words)| words)
}

fn choice(name: &str, label: &str, any: &str, choices: &[(&str, &str)], chosen: &str) -> Markup {
    let id = format!("f-{name}");
    let known = chosen.is_empty() || choices.iter().any(|(value, _)| *value == chosen);
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                option value="" { (any) }
                // What an address asks for is offered too.
                @if !known { option value=(chosen) selected { (chosen) } }
                @for (value, words) in choices {
                    option value=(value) selected[*value == chosen] { (words) }
                }
            }
        }
    }
}

/// Those seen are offered; an older one can be typed.
fn title(value: &str, seen: &BTreeSet<String>) -> Markup {
    html! {
        div.field {
            label for="f-eventTitle" { "Event title" }
            input #f-eventTitle name="eventTitle" value=(value) list="titles" autocomplete="off" placeholder="Any";
            datalist #titles { @for title in seen { option value=(title) {} } }
        }
    }
}

fn text(name: &str, label: &str, value: &str) -> Markup {
    let id = format!("f-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) name=(name) value=(value) autocomplete="off" spellcheck="false" placeholder="78e763c3-…";
        }
    }
}

/// A date and time; the script makes it one of the viewer's zone.
fn moment(name: &str, label: &str, value: &str) -> Markup {
    let id = format!("f-{name}");
    // A field of whole seconds would take no fraction.
    let (local, step) = match value.trim_end_matches('Z') {
        local if local.contains('.') => (local, "0.001"),
        local => (local, "1"),
    };
    html! {
        div.field {
            label for=(id) { (label) " " span.zone { "(UTC)" } }
            input id=(id) name=(name) type="datetime-local" step=(step) value=(local);
        }
    }
}
