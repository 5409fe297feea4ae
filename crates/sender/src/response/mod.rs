//! The response of a receiver: read up to its limits, its head checked for lines that do not conform.

pub(crate) mod head_check;
pub(crate) mod http_response;
pub(crate) mod response_reader;
