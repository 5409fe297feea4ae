//! Parameters of the pages of a loan, in the query of their URLs: filters, page length, position, what is open. Each link
//! and form of a page is made of them, so that its whole state is in its URL.

use chrono::NaiveDateTime;
use url::form_urlencoded::Serializer;

use super::form::Form;
use loanhook_core::model::filter::HistoryFilter;
use loanhook_core::model::filter_input::{FilterInput, checked, checked_limit, time};
use loanhook_core::model::id::{AttemptId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;

/// The names of the filters of webhooks, the same as those of the API.
const WEBHOOK_FILTERS: [&str; 11] = [
    "eventTitle",
    "eventName",
    "subscriptionId",
    "traceId",
    "method",
    "outcome",
    "responseCode",
    "error",
    "attempt",
    "from",
    "to",
];
/// The number of rows, and the row before which the page begins.
pub(super) const LIMIT: &str = "limit";
pub(super) const BEFORE: &str = "before";
/// The row that is open, and the resend that was just queued.
pub(super) const OPEN: &str = "open";
pub(super) const RESENT: &str = "resent";

/// The names of the filters of events.
const EVENT_FILTERS: [&str; 4] = ["eventName", "result", "from", "to"];

/// The names of the filters of deliveries across loans, the same as those of the API.
const DELIVERY_FILTERS: [&str; 10] = [
    "status",
    "waiting",
    "subscriptionId",
    "eventName",
    "loanId",
    "responseCode",
    "error",
    "test",
    "from",
    "to",
];

/// The parameters as text, without those that are empty or unknown.
#[derive(Debug, Clone)]
pub(super) struct PageParameters {
    /// The names of the filters of the page.
    filter_names: &'static [&'static str],
    values: Vec<(&'static str, String)>,
}

/// The parameters as values of the model.
pub(super) struct CheckedParameters {
    pub(super) filter: HistoryFilter,
    pub(super) limit: usize,
    pub(super) before: Option<AttemptId>,
    pub(super) open: Option<AttemptId>,
    pub(super) resent: Option<AttemptId>,
    /// What is wrong; wrong parameters are left out of the other fields.
    pub(super) errors: ValidationErrors,
}

impl PageParameters {
    /// Those of the page of webhooks.
    pub(super) fn read(query: Option<&str>) -> Self {
        Self::read_with_filters(query, &WEBHOOK_FILTERS)
    }

    /// Those of the page of events.
    pub(super) fn read_of_events(query: Option<&str>) -> Self {
        Self::read_with_filters(query, &EVENT_FILTERS)
    }

    /// Those of the page of deliveries across loans.
    pub(super) fn read_of_deliveries(query: Option<&str>) -> Self {
        Self::read_with_filters(query, &DELIVERY_FILTERS)
    }

    fn read_with_filters(query: Option<&str>, filter_names: &'static [&'static str]) -> Self {
        let form = Form::of_query(query);
        let names = filter_names.iter().copied().chain([LIMIT, BEFORE, OPEN, RESENT]);
        let value = |name| match name {
            "from" | "to" => in_utc(form.get(name)),
            _ => form.get(name).to_owned(),
        };
        let given = names.map(|name| (name, value(name))).filter(|(_, value)| !value.is_empty());
        Self { filter_names, values: given.collect() }
    }

    /// A parameter; empty where it is not given.
    pub(super) fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// A parameter, where it is given.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        Some(self.get(name).to_owned()).filter(|text| !text.is_empty())
    }

    /// The filters that are set, by name.
    pub(super) fn filters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let set = self.values.iter().filter(|(name, _)| self.filter_names.contains(name));
        set.map(|(name, value)| (*name, value.as_str()))
    }

    /// The same parameters with this value of one.
    pub(super) fn with(&self, name: &'static str, value: &impl ToString) -> Self {
        let mut parameters = self.without(&[name]);
        parameters.values.push((name, value.to_string()));
        parameters
    }

    pub(super) fn without(&self, names: &[&str]) -> Self {
        let kept = self.values.iter().filter(|(name, _)| !names.contains(name)).cloned();
        Self { filter_names: self.filter_names, values: kept.collect() }
    }

    /// The first page of these filters, with no row open.
    pub(super) fn first_page(&self) -> Self {
        self.without(&[BEFORE, OPEN, RESENT])
    }

    /// All attempts of one delivery, without the other filters.
    pub(super) fn for_delivery(&self, trace: &TraceId) -> Self {
        self.first_page().without(self.filter_names).with("traceId", trace)
    }

    /// The query with its question mark; empty where there are no parameters.
    pub(super) fn query(&self) -> String {
        if self.values.is_empty() {
            return String::new();
        }
        format!("?{}", Serializer::new(String::new()).extend_pairs(&self.values).finish())
    }

    pub(super) fn check(&self) -> CheckedParameters {
        let mut errors = ValidationErrors::default();
        let text = |name: &str| self.text(name);
        let draft = FilterInput {
            event_title: text("eventTitle"),
            event_name: text("eventName"),
            subscription_id: text("subscriptionId"),
            trace_id: text("traceId"),
            method: text("method"),
            outcome: text("outcome"),
            response_code: text("responseCode"),
            error: text("error"),
            attempt: text("attempt"),
            from: text("from"),
            to: text("to").map(|to| to_end_of_second(&to)),
        };
        let id = |errors: &mut ValidationErrors, name: &str| {
            checked(errors, name, text(name), |text| text.parse().ok(), "must be the ID of an attempt")
        };
        CheckedParameters {
            filter: draft.check(&mut errors),
            limit: checked_limit(&mut errors, text(LIMIT)),
            before: id(&mut errors, BEFORE),
            open: id(&mut errors, OPEN),
            resent: id(&mut errors, RESENT),
            errors,
        }
    }
}

/// A time as it stands in URLs: UTC, without a fraction where the second is whole. A time without a zone, which a
/// browser's field for dates gives without the script, is UTC.
fn in_utc(text: &str) -> String {
    let text = text.trim();
    let zoneless = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f"];
    let naive = || zoneless.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let time = time(text);
    let time = time.or_else(|| naive().map(|time| Timestamp::from_millis(time.and_utc().timestamp_millis())));
    time.map_or_else(|| text.to_owned(), |time| time.to_string().replace(".000Z", "Z"))
}

/// The first moment after a time that ends a span, as forms mean it: a whole second includes all of that second.
pub(super) fn end_of_span(to: Timestamp) -> Timestamp {
    to.plus_millis(if to.millis() % 1000 == 0 { 1000 } else { 1 })
}

/// A time that ends a span: a whole second, as forms have it, includes all of that second.
fn to_end_of_second(to: &str) -> String {
    let whole = to.parse::<Timestamp>().is_ok_and(|time| time.millis() % 1000 == 0);
    if whole { to.replace('Z', ".999Z") } else { to.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_form_are_in_utc() {
        for (text, means) in [
            ("2026-11-23T10:00", "2026-11-23T10:00:00Z"),
            ("2026-11-23T10:00:05", "2026-11-23T10:00:05Z"),
            ("2026-11-23T10:00:05.25", "2026-11-23T10:00:05.250Z"),
            ("2026-11-23T10:00:05.000Z", "2026-11-23T10:00:05Z"),
            ("2026-11-23T12:00:00+02:00", "2026-11-23T10:00:00Z"),
            ("2026-11-23T12:00:00 02:00", "2026-11-23T10:00:00Z"),
            ("2026-11-23T01:30:00.5+02:00", "2026-11-22T23:30:00.500Z"),
            ("soon", "soon"),
        ] {
            assert_eq!(in_utc(text), means);
        }
    }

    #[test]
    fn an_end_at_a_whole_second_includes_that_second() {
        for (to, means) in [
            ("2026-11-23T10:00:05", "2026-11-23T10:00:05.999Z"),
            ("2026-11-23T10:00", "2026-11-23T10:00:00.999Z"),
            ("2026-11-23T10:00:05.25Z", "2026-11-23T10:00:05.250Z"),
        ] {
            let checked = PageParameters::read(Some(&format!("from={to}&to={to}"))).check();
            assert_eq!(checked.filter.to.map(|to| to.to_string()).as_deref(), Some(means));
            assert_eq!(checked.filter.from, in_utc(to).parse().ok());
        }
    }

    #[test]
    fn parameters_read_back_from_their_query() {
        let parameters =
            PageParameters::read(Some("eventTitle=B%C3%B6rse+%26+Co&outcome=&limit=10&unknown=1&open=x"));
        assert_eq!(parameters.query(), "?eventTitle=B%C3%B6rse+%26+Co&limit=10&open=x");
        assert_eq!(
            parameters.first_page().with("outcome", &"failed").query(),
            "?eventTitle=B%C3%B6rse+%26+Co&limit=10&outcome=failed"
        );
        assert_eq!(parameters.without(&["eventTitle", "limit", "open"]).query(), "");
        let checked = parameters.check();
        assert_eq!((checked.filter.event_title.as_deref(), checked.limit), (Some("Börse & Co"), 10));
        assert_eq!(checked.errors, ValidationErrors::one("open", "must be the ID of an attempt"));
    }
}
