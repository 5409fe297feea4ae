//! Words within documents: the values of the model that are one of a few.

use loanhook_core::model::attempt::ResendTo;
use loanhook_core::model::failure::{ErrorKind, Phase};
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::formula_errors::WhichFormula;
use loanhook_core::model::job::{JobKind, SkipReason, StopReason};
use loanhook_core::model::key::{KeySource, Scope};
use loanhook_core::model::ledger::DecisionKind;
use loanhook_core::model::operational::OperationalKind;
use loanhook_core::model::subscription::{ClientStyle, Fire, Method};
use serde::{Deserialize, Serialize};

/// An enum that is stored as a word, and conversions that name each value of the model's.
macro_rules! words {
    ($($stored:ident of $model:ident { $($value:ident = $word:literal,)+ })+) => {$(
        #[derive(Debug, Clone, Copy, Serialize, Deserialize)]
        pub(crate) enum $stored {
            $(#[serde(rename = $word)] $value,)+
        }

        impl From<$model> for $stored {
            fn from(value: $model) -> Self {
                match value {
                    $($model::$value => Self::$value,)+
                }
            }
        }

        impl From<$stored> for $model {
            fn from(stored: $stored) -> Self {
                match stored {
                    $($stored::$value => Self::$value,)+
                }
            }
        }
    )+};
}

words! {
    StoredResendTo of ResendTo {
        Original = "original",
        Current = "current",
    }

    StoredJobKind of JobKind {
        Resend = "resend",
        Cancel = "cancel",
    }

    StoredStopReason of StopReason {
        Requested = "requested",
        Failures = "failures",
        TooManyDeliveries = "tooManyDeliveries",
    }

    StoredSkipReason of SkipReason {
        Succeeded = "succeeded",
        NotPending = "notPending",
        Gone = "gone",
        NothingToSend = "nothingToSend",
        NotAttempted = "notAttempted",
        NoCurrentAddress = "noCurrentAddress",
    }

    StoredOperationalKind of OperationalKind {
        SubscriptionFailing = "subscription.failing",
        SubscriptionHeld = "subscription.held",
        SubscriptionRecovered = "subscription.recovered",
        DeliveryExhausted = "delivery.exhausted",
        CertificateExpiring = "certificate.expiring",
        JobFinished = "job.finished",
    }

    StoredMethod of Method {
        Get = "GET",
        Post = "POST",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
    }

    StoredErrorKind of ErrorKind {
        Dns = "dns",
        Connect = "connect",
        Tls = "tls",
        Timeout = "timeout",
        Protocol = "protocol",
        Blocked = "blocked",
        Template = "template",
        Auth = "auth",
        Interrupted = "interrupted",
    }

    StoredPhase of Phase {
        Prepare = "prepare",
        Resolve = "resolve",
        Connect = "connect",
        Tls = "tls",
        Send = "send",
        Wait = "wait",
        Read = "read",
    }

    StoredScope of Scope {
        EventsWrite = "events:write",
        HistoryRead = "history:read",
        WebhooksResend = "webhooks:resend",
        SubscriptionsWrite = "subscriptions:write",
        PortalWrite = "portal:write",
        Admin = "admin",
        Operator = "operator",
    }

    StoredKeySource of KeySource {
        Api = "api",
        FirstStart = "firstStart",
        Environment = "environment",
    }

    StoredClientStyle of ClientStyle {
        Basic = "basic",
        Post = "post",
    }

    StoredFire of Fire {
        OnChange = "on-change",
        EveryMatch = "every-match",
    }

    StoredOrder of DeliveryOrder {
        None = "none",
        Loan = "loan",
    }

    StoredDecision of DecisionKind {
        Delivered = "delivered",
        TriggerFalse = "trigger_false",
        AlreadyTrue = "already_true",
        RestrictionFalse = "restriction_false",
        Disabled = "disabled",
        FormulaError = "formula_error",
    }

    StoredWhichFormula of WhichFormula {
        Trigger = "trigger",
        Restriction = "restriction",
    }
}

/// Scopes, in their order.
pub(crate) fn scopes(scopes: &[Scope]) -> Vec<StoredScope> {
    scopes.iter().copied().map(StoredScope::from).collect()
}

/// Scopes that were stored.
pub(crate) fn read_scopes(stored: Vec<StoredScope>) -> Vec<Scope> {
    stored.into_iter().map(Scope::from).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_model_has_a_word_for_is_stored_as_that_word() {
        for kind in ErrorKind::ALL {
            assert_eq!(json!(StoredErrorKind::from(kind)), json!(kind.as_str()));
        }
        use Phase::{Connect, Prepare, Read, Resolve, Send, Tls, Wait};
        for phase in [Prepare, Resolve, Connect, Tls, Send, Wait, Read] {
            assert_eq!(json!(StoredPhase::from(phase)), json!(phase.as_str()));
        }
        for scope in Scope::ALL {
            assert_eq!(json!(StoredScope::from(scope)), json!(scope.name()));
        }
        for method in Method::ALL {
            assert_eq!(json!(StoredMethod::from(method)), json!(method.name()));
        }
    }
}
