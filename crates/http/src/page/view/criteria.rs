//! Filters of deliveries in words: what a bulk resend asks about, and which deliveries a job is of.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::filters::{filter_time, value_label};
use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::job::Selection;

/// The titles of the webhooks of a tenant.
pub(in crate::page) type WebhookTitles = BTreeMap<SubscriptionId, String>;

/// What a filter of a page says of a delivery.
pub(super) fn criterion(name: &str, value: &str, webhook: Option<&str>) -> Markup {
    html! {
        @match (name, value) {
            ("outcome" | "status", "failed") => { "It failed, and no automatic retry is left." }
            ("outcome", _) | ("status", "succeeded") => { "It has arrived." }
            ("status", "canceled") => { "It was canceled." }
            ("status", _) => { "Its automatic attempts have not ended." }
            ("waiting", "hold") => { "It waits, as its webhook is held." }
            ("waiting", "order") => { "It waits for an earlier webhook of its loan." }
            ("waiting", _) => { "It waits, as its webhook is at its limit." }
            ("loanId", _) => { "It is of loan " bdi { (value) } "." }
            ("test", "true") => { "It is a test." }
            ("test", _) => { "It is no test." }
            ("from", _) => { "It was accepted at or after " (filter_time(value)) "." }
            ("to", _) => { "It was accepted not after " (filter_time(value)) "." }
            ("eventName", _) => { "Its event is " bdi { (value) } "." }
            ("subscriptionId", _) => {
                @match webhook {
                    Some(title) => { "Its webhook is " bdi { (title) } "." }
                    None => { "Its webhook is " code { (value) } "." }
                }
            }
            ("responseCode", _) => { "Its newest attempt was answered with " bdi { (value) } "." }
            _ => { "Its newest attempt ended with the error " bdi { (value_label(name, value)) } "." }
        }
    }
}

/// Which deliveries are on the list of a job.
pub(super) fn of_job(selection: &Selection, titles: &WebhookTitles) -> Markup {
    let Selection::Filter(filter) = selection else {
        return html! { "Deliveries that were named by their trace IDs." };
    };
    let set = set_filters(filter);
    let title = |id: &str| id.parse().ok().and_then(|id: SubscriptionId| titles.get(&id));
    html! {
        @if set.is_empty() && filter.to.is_none() { "All deliveries." }
        ul.criteria {
            @for (name, value) in set {
                li { (criterion(name, value, title(value).map(String::as_str))) }
            }
            @if let Some(to) = &filter.to { li { "It was accepted before " (filter_time(to)) "." } }
        }
    }
}

/// The filters that are set, by name, but for `to`: that of a page includes all of its second, that of a job does not.
fn set_filters(filter: &DeliveryFilterInput) -> Vec<(&'static str, &str)> {
    let DeliveryFilterInput {
        status,
        waiting,
        subscription_id,
        event_name,
        loan_id,
        response_code,
        error,
        test,
        from,
        to: _,
    } = filter;
    let all = [
        ("status", status),
        ("waiting", waiting),
        ("subscriptionId", subscription_id),
        ("eventName", event_name),
        ("loanId", loan_id),
        ("responseCode", response_code),
        ("error", error),
        ("test", test),
        ("from", from),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(filter: DeliveryFilterInput) -> String {
        of_job(&Selection::Filter(Box::new(filter)), &WebhookTitles::new()).into_string()
    }

    #[test]
    fn a_job_says_its_filter_and_that_there_is_none() {
        let text = |text: &str| Some(text.to_owned());
        assert!(words(DeliveryFilterInput::default()).starts_with("All deliveries."));
        let until = words(DeliveryFilterInput { to: text("2026-11-23T10:00:00Z"), ..Default::default() });
        assert!(
            until.contains("It was accepted before <time") && !until.contains("All deliveries"),
            "{until}"
        );
        let named = words(DeliveryFilterInput { event_name: text("<b>"), ..Default::default() });
        assert!(named.contains("Its event is <bdi>&lt;b&gt;</bdi>."), "{named}");
    }
}
