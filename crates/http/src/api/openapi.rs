//! The OpenAPI document, made from the handlers and the schemas.

use std::collections::BTreeMap;

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi};

use super::problem::Problem;
use super::routes::{
    dead_letters, deliveries, egress, event, event_batch, event_explanation, event_types, events, formulas,
    health, jobs, keys, loan_events, loan_webhooks, openapi_json, portal_links, ready, reports, resend,
    subscription_changes, subscription_check, subscription_holds, subscriptions, templates, webhook_attempts,
    webhooks,
};
use super::schema::event_draft::KeyedEventDraft;
use super::schema::pattern::Patterns;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "loanhook",
        description = "Webhooks at the level of a loan: delivered, retried, kept, resent.",
    ),
    paths(
        events::create, event_batch::create,
        loan_webhooks::list, loan_webhooks::row, loan_webhooks::source, loan_webhooks::response,
        loan_events::list, event::get, event::context, event_explanation::explain,
        reports::deliveries,
        deliveries::list, webhooks::get, webhook_attempts::row, webhook_attempts::source, webhook_attempts::response,
        webhooks::cancel, resend::resend, resend::retry, resend::retry_at_loanpro,
        jobs::resends::create, jobs::resends::list, jobs::resends::get, jobs::resends::items, jobs::resends::stop,
        jobs::cancels::create, jobs::cancels::list, jobs::cancels::get, jobs::cancels::items, jobs::cancels::stop,
        subscriptions::list, subscriptions::create, subscriptions::get,
        subscription_changes::replace, subscription_changes::patch,
        subscriptions::delete, subscriptions::rotate_secret, subscriptions::test,
        subscription_holds::hold, subscription_holds::release, subscription_check::check,
        formulas::evaluate, templates::render,
        keys::create, keys::list, keys::delete, portal_links::create,
        dead_letters::list, dead_letters::redrive_all, dead_letters::redrive, dead_letters::delete,
        event_types::list, egress::get, health::get, ready::get, openapi_json::get,
    ),
    components(schemas(Problem, KeyedEventDraft)),
    modifiers(&Bearer, &Patterns),
    security(("key" = [])),
    tags(
        (name = "events", description = "Events in"),
        (name = "history", description = "What was sent, and what came back"),
        (name = "resend", description = "Sending again, and stopping"),
        (name = "recovery", description = "Sending or stopping many at once"),
        (name = "subscriptions", description = "The settings of webhooks"),
        (name = "keys", description = "Who may call"),
        (name = "portal", description = "The page of a loan, for people"),
        (name = "operation", description = "What could not be handled"),
        (name = "reference", description = "What is known of the whole"),
    )
)]
struct Document;

/// Keys travel as bearer tokens.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_default().security_schemes.insert("key".into(), scheme.into());
    }
}

/// The OpenAPI 3.1 document, as JSON.
pub fn document() -> String {
    // A document that is made of types can always be serialised.
    Document::openapi().to_json().unwrap_or_default()
}

/// Makes a repeated call within 24 h the same call.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes a header that is read by name")]
pub(super) struct IdempotencyKey {
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[ -~]+$")]
    idempotency_key: Option<String>,
}

/// The change is made only if the subscription is at one of these versions (the `ETag` of an answer; several are separated by
/// commas); `*` is any version. Otherwise the answer is 412.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes a header that is read by name")]
pub(super) struct IfMatch {
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}

macro_rules! problems {
    ($($name:ident: $($status:literal = $text:literal),+;)*) => {$(
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), problem($text))),+])
            }
        }
    )*};
}

problems! {
    BadBody: "400" = "the body is empty, not UTF-8 or not JSON", "408" = "the body came too slowly", "415" = "the body has a Content-Encoding, or is of a type that the path does not take";
    Unauthorized: "401" = "no key, or a wrong one", "429" = "too many wrong keys came from this address: wait as Retry-After says";
    Denied: "401" = "no key, or a wrong one", "403" = "the key lacks the scope", "429" = "too many wrong keys came from this address, or too many resends: wait as Retry-After says";
    NotFound: "404" = "there is no such thing for the key's tenant";
    Conflict: "409" = "not as things stand";
    OtherVersion: "412" = "the subscription is at another version than If-Match names";
    TooLarge: "413" = "the body is over its limit";
    Invalid: "422" = "well-formed but wrong";
    Unavailable: "500" = "loanhook failed", "503" = "not available now: send it again shortly";
}

/// The bytes of a payload, of whatever type: no schema fits them all.
pub(super) struct Download;

impl IntoResponses for Download {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let bytes =
            ResponseBuilder::new().description("the bytes").content("*/*", ContentBuilder::new().build());
        BTreeMap::from([("200".to_owned(), bytes.into())])
    }
}

fn problem(text: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(text).content("application/problem+json", content).build().into()
}
