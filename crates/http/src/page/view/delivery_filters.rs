//! The filters of deliveries across loans, and the list of those that are set.

use maud::{Markup, html};

use super::filters::{
    self, CODES, LIMITS, STATUSES, TESTS, WAITING, choice_field, filter_value, text_field, time_field,
};
use super::format::error_kind_label;
use crate::page::delivery_list::DeliveryList;
use crate::page::page_parameters::LIMIT;
use crate::page::tenant_request::DELIVERIES_PATH;
use loanhook_core::model::failure::ErrorKind;

pub(super) fn show(list: &DeliveryList) -> Markup {
    let parameters = &list.parameters;
    let value = |name| parameters.get(name);
    let errors = ErrorKind::ALL.map(|of| (of.as_str(), error_kind_label(of)));
    let ids: Vec<_> = list.webhooks.iter().map(|(id, title)| (id.to_string(), title.as_str())).collect();
    let webhooks: Vec<_> = ids.iter().map(|(id, title)| (id.as_str(), *title)).collect();
    let fields = html! {
        (choice_field("status", "Status", "Any", STATUSES, value("status")))
        (choice_field("subscriptionId", "Webhook", "Any", &webhooks, value("subscriptionId")))
        (text_field("eventName", "Event", value("eventName"), "Any"))
        (text_field("loanId", "Loan", value("loanId"), "Any"))
        (choice_field("responseCode", "Newest response code", "Any", CODES, value("responseCode")))
        (choice_field("error", "Newest error", "Any", &errors, value("error")))
        (choice_field("waiting", "Waiting", "Whether or not", WAITING, value("waiting")))
        (choice_field("test", "Tests", "Whether or not", TESTS, value("test")))
        (time_field("from", "Accepted from", value("from")))
        (time_field("to", "Accepted to", value("to")))
        (choice_field(LIMIT, "Rows a page", "50", &LIMITS[1..], value(LIMIT)))
    };
    let titled = |name: &str, value: &str| match webhooks.iter().find(|(id, _)| *id == value) {
        Some((_, title)) if name == "subscriptionId" => html! { (title) },
        _ => filter_value(name, value),
    };
    filters::form(parameters, &fields, DELIVERIES_PATH, !list.checked.errors.0.is_empty(), titled)
}
