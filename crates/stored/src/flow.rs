//! Stored flow settings: within the settings of a subscription. A field that is absent is not set.

use loanhook_core::model::flow::{DeliveryOrder, FlowSettings};
use serde::{Deserialize, Serialize};

use crate::words::StoredOrder;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct StoredFlow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_in_flight: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_per_second: Option<f64>,
    /// Absent is no order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<StoredOrder>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step_aside_after_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold_after_failures: Option<u32>,
}

impl StoredFlow {
    /// Whether nothing of it is set.
    pub(crate) fn is_default(&self) -> bool {
        let Self { max_in_flight, max_per_second, order, step_aside_after_seconds, hold_after_failures } =
            self;
        (max_in_flight, max_per_second) == (&None, &None)
            && order.is_none()
            && (step_aside_after_seconds, hold_after_failures) == (&None, &None)
    }
}

impl From<&FlowSettings> for StoredFlow {
    fn from(settings: &FlowSettings) -> Self {
        let FlowSettings {
            max_in_flight,
            max_per_second,
            order,
            step_aside_after_seconds,
            hold_after_failures,
        } = *settings;
        let order = (order != DeliveryOrder::None).then(|| order.into());
        Self { max_in_flight, max_per_second, order, step_aside_after_seconds, hold_after_failures }
    }
}

impl From<StoredFlow> for FlowSettings {
    fn from(stored: StoredFlow) -> Self {
        let StoredFlow {
            max_in_flight,
            max_per_second,
            order,
            step_aside_after_seconds,
            hold_after_failures,
        } = stored;
        let order = order.map_or(DeliveryOrder::None, Into::into);
        Self { max_in_flight, max_per_second, order, step_aside_after_seconds, hold_after_failures }
    }
}
