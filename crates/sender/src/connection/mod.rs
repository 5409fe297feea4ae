pub(crate) mod address_order;
pub(crate) mod connection_race;
pub(crate) mod http_connection;
pub(crate) mod keep_alive;
pub(crate) mod monitored_stream;
pub(crate) mod pool;
