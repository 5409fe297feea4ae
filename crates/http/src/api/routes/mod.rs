//! The handlers of the API, in a file for each path. A handler reads its request, calls a use case and shows what came
//! of it; its attributes are its part of the OpenAPI document.

pub(super) mod attempt_payloads;
pub(super) mod dead_letters;
pub(super) mod deliveries;
pub(super) mod egress;
pub(super) mod event;
pub(super) mod event_batch;
pub(super) mod event_explanation;
pub(super) mod event_types;
pub(super) mod events;
pub(super) mod formulas;
pub(super) mod health;
pub(super) mod jobs;
pub(super) mod keys;
pub(super) mod loan_events;
pub(super) mod loan_webhooks;
pub(super) mod openapi_json;
pub(super) mod portal_links;
pub(super) mod ready;
pub(super) mod reports;
pub(super) mod resend;
pub(super) mod subscription_changes;
pub(super) mod subscription_check;
pub(super) mod subscription_holds;
pub(super) mod subscriptions;
pub(super) mod templates;
pub(super) mod webhook_attempts;
pub(super) mod webhooks;
