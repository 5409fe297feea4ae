//! Counts of reports: kept in the transaction of what is counted.
//!
//! An operation of the writer says what it adds ([`CountLog::add`]). What the operations of a commit add is gathered in
//! memory and stored before the commit ends ([`CountWriter::flush`]), as one small row of *changes*. Once in a while changes
//! are *folded*: added to the rows of counts, one for each hour and group and one for its day, so that a report of many
//! days reads few rows, and deleted in the same transaction. Such a row has a few KiB and is not written with every commit
//! for that reason. A report reads the rows, and the changes that are not folded yet.
//!
//! What an operation added that is rolled back is dropped, and so is all of a commit that fails. What was committed is added to
//! the totals of metrics (`crate::metrics`), where somebody reads them.

mod changes;
mod log;
mod report;
mod rows;
mod unfolded;
mod writer;

pub(crate) use log::CountLog;
pub(crate) use writer::CountWriter;

#[cfg(test)]
mod tests;
