//! The way of an event: admission, claim, send, completion.

pub(crate) mod admission;
pub(crate) mod claim;
pub(crate) mod completion;
pub(crate) mod permits;
pub(crate) mod recovery;
pub(crate) mod release;
pub(crate) mod worker;
