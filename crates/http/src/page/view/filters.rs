//! The forms of the filters of webhooks and of events, and the list of those that are set.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::format::{error_kind_label, short_id};
use crate::page::event_list::EventList;
use crate::page::page_parameters::{LIMIT, PageParameters};
use crate::page::webhook_list::WebhookList;
use loanhook_core::model::failure::ErrorKind;

/// The values of a field with choices, each with its label.
pub(super) type Choices = &'static [(&'static str, &'static str)];

const OUTCOMES: Choices =
    &[("succeeded", "Succeeded"), ("failed", "Failed"), ("sending", "Sending"), ("queued", "Queued")];
/// The results of events.
const RESULTS: Choices =
    &[("unmatched", "No webhook"), ("failed", "Failed"), ("pending", "Pending"), ("delivered", "Delivered")];
pub(super) const CODES: Choices = &[
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
pub(super) const STATUSES: Choices =
    &[("pending", "Pending"), ("succeeded", "Succeeded"), ("failed", "Failed"), ("canceled", "Canceled")];
pub(super) const WAITING: Choices =
    &[("hold", "For a hold"), ("limit", "For a limit"), ("order", "For an earlier webhook")];
pub(super) const TESTS: Choices = &[("true", "Only tests"), ("false", "No tests")];
const ATTEMPTS: Choices = &[("auto", "Automatic"), ("manual", "Manual")];
pub(super) const LIMITS: Choices = &[("50", "50"), ("100", "100"), ("200", "200")];

/// The filters of webhooks.
pub(super) fn show(list: &WebhookList, path: &str) -> Markup {
    let parameters = &list.parameters;
    let kinds = ErrorKind::ALL.map(|of| (of.as_str(), error_kind_label(of)));
    let fields = html! {
                (title_field(parameters.get("eventTitle"), &list.history.titles))
                (choice_field("outcome", "Outcome", "Any", OUTCOMES, parameters.get("outcome")))
                (choice_field("responseCode", "Response code", "Any", CODES, parameters.get("responseCode")))
                (choice_field("error", "Error", "Any", &kinds, parameters.get("error")))
                (choice_field("attempt", "Attempt", "Any", ATTEMPTS, parameters.get("attempt")))
                (text_field("traceId", "Trace ID", parameters.get("traceId"), "78e763c3-…"))
                (time_field("from", "From", parameters.get("from")))
                (time_field("to", "To", parameters.get("to")))
                (choice_field(LIMIT, "Rows a page", "50", &LIMITS[1..], parameters.get(LIMIT)))
                @for (name, value) in parameters.filters().filter(|(name, _)| FILTERS_WITHOUT_FIELD.contains(name)) {
                    input type="hidden" name=(name) value=(value);
                }
    };
    form(parameters, &fields, path, !list.checked.errors.0.is_empty(), filter_value)
}

/// The filters of events.
pub(super) fn of_events(list: &EventList, path: &str) -> Markup {
    let parameters = &list.parameters;
    let fields = html! {
        (text_field("eventName", "Event", parameters.get("eventName"), "Any"))
        (choice_field("result", "Result", "Any", RESULTS, parameters.get("result")))
        (time_field("from", "From", parameters.get("from")))
        (time_field("to", "To", parameters.get("to")))
        (choice_field(LIMIT, "Events a page", "50", &LIMITS[1..], parameters.get(LIMIT)))
    };
    form(parameters, &fields, path, !list.checked.errors.0.is_empty(), filter_value)
}

/// The form with these fields, and the list of the filters that are set, each with its value as `value_of` shows it.
pub(super) fn form(
    parameters: &PageParameters,
    fields: &Markup,
    path: &str,
    is_wrong: bool,
    value_of: impl Fn(&str, &str) -> Markup,
) -> Markup {
    let set = parameters.filters().count();
    html! {
        // The form is open where a filter is wrong, so that it can be corrected.
        details.filters open[is_wrong] {
            summary { "Filters" @if set > 0 { " " span.count { (set) " set" } } }
            form #filters method="get" action=(path) {
                (fields)
                div.actions {
                    button.primary type="submit" { "Apply" }
                    @if set > 0 { a.button href=(path) { "Clear all" } }
                }
            }
        }
        @if set > 0 {
            ul.chips aria-label="Filters that are set" {
                @for (name, value) in parameters.filters() {
                    li { a href={ (path) (parameters.first_page().without(&[name]).query()) } title="Remove this filter" {
                        span.quiet { (parameter_label(name)) } " " bdi { (value_of(name, value)) }
                        span aria-hidden="true" { " ×" } span.unseen { ", remove this filter" }
                    } }
                }
            }
        }
    }
}

/// Filters that a URL may have, as those of the API, and the form has no field for.
const FILTERS_WITHOUT_FIELD: [&str; 3] = ["eventName", "subscriptionId", "method"];

/// The label of a parameter in the form.
pub(super) fn parameter_label(name: &str) -> &str {
    match name {
        "eventTitle" => "Event title",
        "eventName" => "Event",
        "subscriptionId" => "Subscription",
        "traceId" => "Trace ID",
        "method" => "Method",
        "status" => "Status",
        "waiting" => "Waiting",
        "loanId" => "Loan",
        "test" => "Tests",
        "outcome" => "Outcome",
        "result" => "Result",
        "responseCode" => "Response code",
        "error" => "Error",
        "attempt" => "Attempt",
        "from" => "From",
        "to" => "To",
        LIMIT => "Rows a page",
        other => other,
    }
}

/// The value of a filter, as the list of those that are set shows it.
pub(super) fn filter_value(name: &str, value: &str) -> Markup {
    match name {
        "traceId" | "subscriptionId" if value.len() == 36 && value.is_ascii() => {
            html! { span title=(value) { (short_id(&value)) } }
        }
        "from" | "to" => filter_time(value),
        _ => html! { (value_label(name, value)) },
    }
}

/// A time as a URL has it.
pub(super) fn filter_time(value: &str) -> Markup {
    html! { time datetime=(value) { (value) } }
}

/// The label of a value; the value itself where it has none.
pub(super) fn value_label<'a>(name: &str, value: &'a str) -> &'a str {
    let choices = match name {
        "outcome" => OUTCOMES,
        "attempt" => ATTEMPTS,
        "result" => RESULTS,
        "status" => STATUSES,
        "waiting" => WAITING,
        "test" => TESTS,
        "error" => {
            return ErrorKind::ALL
                .into_iter()
                .find(|of| of.as_str() == value)
                .map_or(value, |of| error_kind_label(of));
        }
        _ => &[],
    };
    choices.iter().find(|(known, _)| *known == value).map_or(value, |(_, words)| words)
}

pub(super) fn choice_field(
    name: &str,
    label: &str,
    any: &str,
    choices: &[(&str, &str)],
    chosen: &str,
) -> Markup {
    let id = format!("f-{name}");
    let known = chosen.is_empty() || choices.iter().any(|(value, _)| *value == chosen);
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                option value="" { (any) }
                // A value that only the URL has is a choice too.
                @if !known { option value=(chosen) selected { (chosen) } }
                @for (value, words) in choices {
                    option value=(value) selected[*value == chosen] { (words) }
                }
            }
        }
    }
}

/// A text field that suggests the titles of the rows that were read; others can be typed.
fn title_field(value: &str, seen: &BTreeSet<String>) -> Markup {
    html! {
        div.field {
            label for="f-eventTitle" { "Event title" }
            input #f-eventTitle name="eventTitle" value=(value) list="titles" autocomplete="off" placeholder="Any";
            datalist #titles { @for title in seen { option value=(title) {} } }
        }
    }
}

pub(super) fn text_field(name: &str, label: &str, value: &str, placeholder: &str) -> Markup {
    let id = format!("f-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) name=(name) value=(value) autocomplete="off" spellcheck="false" placeholder=(placeholder);
        }
    }
}

/// A field for a date and time in UTC; the script shows it in the zone of the viewer.
pub(super) fn time_field(name: &str, label: &str, value: &str) -> Markup {
    let id = format!("f-{name}");
    // A field with a step of whole seconds would reject a fraction.
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
