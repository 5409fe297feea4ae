//! Reports: counts in a table of their own, made from the stream of the table.
//!
//! No call that sends a webhook counts anything. Each change of the table is in its stream for 24 hours, with the item before
//! and after it; a function runs once a minute, reads what is new ([`count_changes`](crate::Aws::count_changes) in `run`),
//! makes of each change what it adds to the counts (`changes`), adds that up, and writes it in one transaction with how far
//! it has come in each shard of the stream (`batch`). The transaction is done only if every shard is still where this run
//! found it. So a change is counted once: a run that dies before its transaction counted nothing, one that dies after it has
//! moved on, and of two runs at once one is refused. The order between shards does not matter for counts, as each change is counted by
//! itself; for operational events the records of all shards are taken in the order of their time (`reading`).
//!
//! The same run tells operational events of what it reads (`operational`): states and outbox are written in the same transactions.
//!
//! The counts of an hour and group are one item (`count_item`), to which a transaction adds; so are those of a day. What was
//! accepted or sent before the first run is not counted. Counts are a minute behind, and right again after an outage of the
//! function of less than 24 hours.
//!
//! With the same records, facts are counted that no report has: verdicts, and outcomes of the items of jobs. They are for metrics
//! alone ([`Added`]), and stored nowhere.

mod added;
mod batch;
mod changes;
mod checkpoints;
mod count_item;
mod reading;
mod report;
mod run;
mod shard;

pub use self::added::Added;
pub use self::run::CountReport;
