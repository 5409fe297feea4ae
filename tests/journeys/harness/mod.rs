//! What every journey stands on: the server under test, a client of its API, and a receiver that does as it is told.

pub(crate) mod api;
pub(crate) mod journey;
mod launch;
pub(crate) mod raw_connection;
pub(crate) mod receiver;
pub(crate) mod receiver_connection;
pub(crate) mod reply;
pub(crate) mod request_bodies;
pub(crate) mod response;
pub(crate) mod rows;
pub(crate) mod server;
pub(crate) mod skips;
pub(crate) mod wait;

pub(crate) use api::Api;
pub(crate) use journey::Journey;
pub(crate) use receiver::{Received, Receiver};
pub(crate) use reply::{Gate, Reply};
pub(crate) use request_bodies::{event, subscription};
pub(crate) use response::Answer;
pub(crate) use rows::{ids, instant, late, text, wait};
pub(crate) use server::{Launch, Target};
pub(crate) use skips::{skipped, spoiled_by_emulator};
pub(crate) use wait::{eventually, room, within};
