//! What every journey stands on: the server under test, a client of its API, and a receiver that does as it is told.

pub(crate) mod answer;
pub(crate) mod api;
pub(crate) mod build;
pub(crate) mod journey;
mod launch;
pub(crate) mod receiver;
pub(crate) mod reply;
pub(crate) mod rows;
pub(crate) mod skip;
pub(crate) mod socket;
pub(crate) mod target;
pub(crate) mod wait;
pub(crate) mod wire;

pub(crate) use answer::Answer;
pub(crate) use api::Api;
pub(crate) use build::{event, subscription};
pub(crate) use journey::Journey;
pub(crate) use receiver::{Received, Receiver};
pub(crate) use reply::{Gate, Reply};
pub(crate) use rows::{ids, instant, late, text, wait};
pub(crate) use skip::{skipped, spoiled_by_emulator};
pub(crate) use target::{Launch, Target};
pub(crate) use wait::{eventually, room, within};
