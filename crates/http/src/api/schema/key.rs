//! What is told of API keys: their scopes, and where they came from.

use serde::Deserialize;

use super::enums_of_model;
use loanhook_core::model::key;

enums_of_model! {
    /// What a key may do.
    #[derive(Deserialize)]
    Scope from key::Scope {
        #[serde(rename = "events:write")]
        EventsWrite,
        #[serde(rename = "history:read")]
        HistoryRead,
        #[serde(rename = "webhooks:resend")]
        WebhooksResend,
        #[serde(rename = "subscriptions:write")]
        SubscriptionsWrite,
        #[serde(rename = "portal:write")]
        PortalWrite,
        #[serde(rename = "admin")]
        Admin,
        #[serde(rename = "operator")]
        Operator,
    }

    /// Where a key came from.
    #[serde(rename_all = "camelCase")]
    KeySource from key::KeySource {
        Api,
        FirstStart,
        Environment,
    }
}

impl From<Scope> for key::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::EventsWrite => Self::EventsWrite,
            Scope::HistoryRead => Self::HistoryRead,
            Scope::WebhooksResend => Self::WebhooksResend,
            Scope::SubscriptionsWrite => Self::SubscriptionsWrite,
            Scope::PortalWrite => Self::PortalWrite,
            Scope::Admin => Self::Admin,
            Scope::Operator => Self::Operator,
        }
    }
}
