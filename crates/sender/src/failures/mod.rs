pub(crate) mod response_failures;
pub(crate) mod timeout_failures;
