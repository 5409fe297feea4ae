pub(crate) mod head_check;
pub(crate) mod response_reader;
