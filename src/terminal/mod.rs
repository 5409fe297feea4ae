//! The terminal: standard input, output and error, tables, values as a person reads them, and signals.

pub(crate) mod format;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod signals;
pub(crate) mod table;
