//! Connections to receivers: how one is made, watched, kept for another request and closed.
//!
//! `connector` makes connections of these parts, `exchange` sends requests over them, and the client gives them back to
//! the pool.

pub(crate) mod address_order;
pub(crate) mod connection_race;
pub(crate) mod exchange_monitor;
pub(crate) mod http_connection;
pub(crate) mod keep_alive;
pub(crate) mod monitored_stream;
pub(crate) mod origin_connections;
pub(crate) mod pool;
