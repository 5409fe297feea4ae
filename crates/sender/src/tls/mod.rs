//! TLS: the settings for receivers, and the details of its failures.

pub(crate) mod tls_connector;
pub(crate) mod tls_details;
