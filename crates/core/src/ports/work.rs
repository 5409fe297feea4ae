//! What a worker hands over to be done.

use std::fmt;

use bytes::Bytes;
use uuid::Uuid;

use super::QueueMessage;
use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;

/// Something is due.
#[derive(Debug)]
pub enum Work {
    /// Nothing is claimed yet.
    Wake(QueueMessage),
    /// An automatic attempt that is claimed: its row stands, as `sending`.
    Claimed(Box<Claimed>),
}

/// An automatic attempt, claimed under a token.
#[derive(Debug)]
pub struct Claimed {
    pub delivery: Delivery,
    pub row: Attempt,
    pub token: Uuid,
    /// What is to be sent, where it is at hand.
    pub payload: Option<Bytes>,
    pub place: Place,
}

/// A place among the requests that are on the wire at once; dropped when an answer has come.
#[derive(Default)]
pub struct Place(Option<Box<dyn Send + Sync>>);

impl Place {
    /// Taken as long as this is.
    pub fn held_by(holder: impl Send + Sync + 'static) -> Self {
        Self(Some(Box::new(holder)))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Place(held)" } else { "Place(none)" })
    }
}
