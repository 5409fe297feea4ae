//! Counts of reports: kept in the transaction of what is counted.
//!
//! An operation of the writer says what it adds ([`CountLog::add`]). What the operations of a commit add is gathered in
//! memory and written once, before the commit ends ([`CountWriter::flush`]): one row for each hour and group, and one for
//! its day, so that a report of many days reads few rows. What an operation added that is rolled back is dropped, and so is
//! all of a commit that fails.

mod log;
mod report;
mod rows;

pub(crate) use log::CountLog;
pub(crate) use rows::CountWriter;

#[cfg(test)]
mod tests;
