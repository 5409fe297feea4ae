//! Names of operational events.

use serde::Deserialize;

use super::enums_of_model;
use loanhook_core::model::operational;

enums_of_model! {
    /// The name of an operational event.
    #[derive(Deserialize)]
    OperationalName from operational::OperationalKind {
        /// The attempts of a webhook failed four times in a row; told once until a success.
        #[serde(rename = "subscription.failing")]
        SubscriptionFailing,
        /// A hold of a webhook began.
        #[serde(rename = "subscription.held")]
        SubscriptionHeld,
        /// A success after it was told that a webhook fails, or one that ended its hold.
        #[serde(rename = "subscription.recovered")]
        SubscriptionRecovered,
        /// The schedules of deliveries of a webhook ended without success; gathered over five minutes.
        #[serde(rename = "delivery.exhausted")]
        DeliveryExhausted,
        /// The client certificate of a webhook ends in 30, 7 or 1 days.
        #[serde(rename = "certificate.expiring")]
        CertificateExpiring,
        /// A recovery job ended or was stopped.
        #[serde(rename = "job.finished")]
        JobFinished,
    }
}
