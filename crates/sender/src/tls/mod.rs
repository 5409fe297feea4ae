//! TLS: the settings for receivers, and the details of its failures.

mod client_certificate_details;
mod private_authorities;
pub(crate) mod tls_connector;
pub(crate) mod tls_details;
