//! Flow settings of a subscription: as a request gives them, as a patch names them, and as an answer shows them.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

use super::enums_of_model;
use loanhook_core::model::flow as model;

enums_of_model! {
    /// Which deliveries wait for which others: with `loan`, the first attempt of each waits for every earlier delivery of its loan.
    #[serde(rename_all = "lowercase")]
    #[derive(Deserialize)]
    DeliveryOrder from model::DeliveryOrder {
        None,
        Loan,
    }
}

/// How requests follow each other, and when failures hold a webhook; what may be left out has its default.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = FlowSettings)]
pub(in crate::api) struct FlowDraft {
    /// Requests under way at most, automatic attempts and resends together; null is no limit.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    max_in_flight: Option<u32>,
    /// Requests a second at most, automatic attempts and resends together; null is no limit.
    #[serde(default)]
    #[schema(minimum = 0.1, maximum = 10000)]
    max_per_second: Option<f64>,
    /// With `loan` the first attempt of a delivery waits until every earlier delivery of its loan has ended, and each delivery has
    /// a number, `sequence`.
    #[serde(default)]
    order: Option<DeliveryOrder>,
    /// With an order: for how many seconds after its first failure a delivery keeps those behind it waiting; null is until its end.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 2_592_000)]
    step_aside_after_seconds: Option<u32>,
    /// The webhook is held after so many failures in a row, of at least two deliveries; null is never.
    #[serde(default)]
    #[schema(minimum = 3, maximum = 1000)]
    hold_after_failures: Option<u32>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = FlowPatch)]
#[expect(dead_code, reason = "as the other members of a patch")]
pub(in crate::api) struct PatchedFlow {
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    max_in_flight: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<f64>, minimum = 0.1, maximum = 10000)]
    max_per_second: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<DeliveryOrder>)]
    order: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 60, maximum = 2_592_000)]
    step_aside_after_seconds: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 3, maximum = 1000)]
    hold_after_failures: IgnoredAny,
}

/// How requests follow each other, and when failures hold a webhook. What is null is not limited.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Flow)]
pub(in crate::api) struct FlowView {
    #[schema(required)]
    max_in_flight: Option<u32>,
    #[serde(serialize_with = "shortest")]
    #[schema(required, value_type = Option<f64>)]
    max_per_second: Option<f64>,
    order: DeliveryOrder,
    #[schema(required)]
    step_aside_after_seconds: Option<u32>,
    #[schema(required)]
    hold_after_failures: Option<u32>,
}

/// A whole number without its fraction, as most callers give it: `5`, not `5.0`.
#[expect(clippy::ref_option, reason = "serde calls it so")]
fn shortest<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        None => serializer.serialize_none(),
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and at most 10,000")]
        Some(whole) if whole.fract() == 0.0 => serializer.serialize_i64(*whole as i64),
        Some(number) => serializer.serialize_f64(*number),
    }
}

impl From<FlowDraft> for model::FlowSettings {
    fn from(draft: FlowDraft) -> Self {
        let FlowDraft { max_in_flight, max_per_second, order, step_aside_after_seconds, hold_after_failures } =
            draft;
        let order = order.map_or(model::DeliveryOrder::None, Into::into);
        Self { max_in_flight, max_per_second, order, step_aside_after_seconds, hold_after_failures }
    }
}

impl From<model::FlowSettings> for FlowView {
    fn from(settings: model::FlowSettings) -> Self {
        let model::FlowSettings {
            max_in_flight,
            max_per_second,
            order,
            step_aside_after_seconds,
            hold_after_failures,
        } = settings;
        Self {
            max_in_flight,
            max_per_second,
            order: order.into(),
            step_aside_after_seconds,
            hold_after_failures,
        }
    }
}

impl From<DeliveryOrder> for model::DeliveryOrder {
    fn from(order: DeliveryOrder) -> Self {
        match order {
            DeliveryOrder::None => Self::None,
            DeliveryOrder::Loan => Self::Loan,
        }
    }
}
