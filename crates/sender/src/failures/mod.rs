//! The failures of a request: a kind, a phase and a sentence for each error of a library and for each timeout.
//!
//! An error has a chain of causes: hyper's, the TLS library's, the operating system's. All of them are looked at, and one
//! decides, in this order: TLS, HTTP, connection.
//!
//! A detail quotes only what is known to be harmless: hosts, ports, byte counts and statuses. It never quotes the text
//! of a library's error, which is written for programmers. Details are stored in the history: changing one changes what
//! users read and search for.

pub(crate) mod connection_failures;
pub(crate) mod error_chain;
pub(crate) mod response_failures;
pub(crate) mod timeout_failures;
