//! Flow of a subscription: the settings that limit, order and hold what is sent to its receiver.

mod settings;

pub use settings::{DeliveryOrder, FlowSettings};
