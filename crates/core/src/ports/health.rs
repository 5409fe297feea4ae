//! Port of health: whether a store can do what it is there for.

use std::future::Future;

pub trait Health {
    /// False while nothing can be stored. Anybody may ask, as often as they like, so it costs next to nothing.
    fn is_healthy(&self) -> impl Future<Output = bool> + Send;
}
