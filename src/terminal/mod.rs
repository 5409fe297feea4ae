//! The terminal and its streams: what every command reads from and writes to.
//!
//! `input` reads files and standard input, `output` writes lines, `table` and `format` make values readable, `signals`
//! waits for Ctrl-C. Nothing here knows a command or the HTTP interface.

pub(crate) mod format;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod signals;
pub(crate) mod table;
