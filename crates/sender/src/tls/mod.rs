pub(crate) mod tls_connector;
pub(crate) mod tls_details;
