//! The JSON of the API: what requests and answers are made of, each with its schema in the OpenAPI document.
//!
//! Drafts (`*Draft`) read a request and keep no rule but the types of JSON: `From` makes the inputs of the use cases
//! of them, which check the rest. Types of answers are made from the model by `From`, with an exhaustive match, so
//! that a new variant of the model does not compile until it has a name here. The model itself has none of this: a
//! name that changes there changes nothing that a client sees.

pub(super) mod attempt;
pub(super) mod authentication;
pub(super) mod authentication_view;
pub(super) mod check;
pub(super) mod dead_letter;
pub(super) mod delivery;
pub(super) mod event_draft;
pub(super) mod explanation;
pub(super) mod flow_settings;
pub(super) mod formula_errors;
pub(super) mod id;
pub(super) mod job;
pub(super) mod job_draft;
pub(super) mod key;
pub(super) mod ledger_event;
pub(super) mod operational;
pub(super) mod pattern;
pub(super) mod portal_link_draft;
pub(super) mod report;
pub(super) mod resend_draft;
pub(super) mod retry_policy;
pub(super) mod strict_object;
pub(super) mod subscription_draft;
pub(super) mod subscription_patch;
pub(super) mod subscription_view;
pub(super) mod values;
pub(super) mod waiting;

/// An enum of an answer, from the enum of the model that has the same variants.
macro_rules! enums_of_model {
    ($($(#[$attribute:meta])* $name:ident from $model:ty { $($(#[$of_variant:meta])* $variant:ident,)* })*) => {$(
        #[derive(Debug, Clone, Copy, serde::Serialize, utoipa::ToSchema)]
        $(#[$attribute])*
        pub(in crate::api) enum $name {
            $($(#[$of_variant])* $variant,)*
        }

        impl From<$model> for $name {
            fn from(value: $model) -> Self {
                match value {
                    $(<$model>::$variant => Self::$variant,)*
                }
            }
        }
    )*};
}

use enums_of_model;
