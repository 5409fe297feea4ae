//! The server in this process, and the command `loanhook serve`.

pub(crate) mod admin_key;
mod file_descriptors;
pub(crate) mod listener;
pub(crate) mod logging;
pub(crate) mod running_server;
pub(crate) mod serve_command;
