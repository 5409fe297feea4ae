//! The check of a webhook's connection, as the API shows it.

use serde::Serialize;

use super::enums_of_model;
use loanhook_core::ports;

enums_of_model! {
    /// The steps of a check: the host's name is looked up, its addresses are judged, a connection is made, it is secured, a token is
    /// fetched.
    #[serde(rename_all = "lowercase")]
    CheckStepName from ports::CheckStepName {
        Resolve,
        Guard,
        Connect,
        Tls,
        Token,
    }
}

/// Whether a request could leave. Steps that do not apply, and those behind one that failed, are left out; a token is fetched
/// whatever became of the connection.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SubscriptionCheck)]
pub(in crate::api) struct CheckView {
    /// Whether each step went well.
    ok: bool,
    steps: Vec<CheckStepView>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SubscriptionCheckStep)]
struct CheckStepView {
    step: CheckStepName,
    ok: bool,
    /// One sentence: what was found, or what went wrong.
    detail: String,
    /// How long it took.
    milliseconds: f64,
}

impl From<Vec<ports::CheckStep>> for CheckView {
    fn from(steps: Vec<ports::CheckStep>) -> Self {
        let view = |step: ports::CheckStep| CheckStepView {
            step: step.step.into(),
            ok: step.ok,
            detail: step.detail,
            milliseconds: (step.took.as_secs_f64() * 10_000.0).round() / 10.0,
        };
        Self { ok: steps.iter().all(|step| step.ok), steps: steps.into_iter().map(view).collect() }
    }
}
