//! Flow of a subscription: the settings that limit, order and hold what is sent to its receiver; the state of its hold; and
//! why a delivery waits; and the throttle that keeps to them.

mod clock;
mod settings;
mod state;
pub mod throttle;
mod waiting;

pub use settings::{DeliveryOrder, FlowSettings};
pub use state::{EndedHold, FailureRun, FlowState, HeldBy, Hold, Probe, most_in_second_after_hold};
pub use waiting::{SubscriptionFlow, UnknownWaitingReason, Waiting, WaitingReason};
