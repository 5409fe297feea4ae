//! SQLite engine: the ports of loanhook over one file, for one process.
//!
//! One thread writes, and commits together whatever waits (`writer`); reads have connections of their own
//! (`readers`). `dispatch` is the way of an event from its intake to the end of its attempts, and `queue` what is
//! due and what of it is next. All that a call of a port changes is one transaction, so a crash leaves nothing half
//! done: what was in flight is found at the next start and recorded as interrupted, and everything else that is
//! unfinished waits in the queue.

mod attempts;
mod between_commits;
mod cache;
mod checkpoints;
mod clock;
mod counts;
mod data_folder;
mod deliveries;
mod delivery_list;
mod dispatch;
mod egress;
mod errors;
mod flow_states;
mod flows_at_start;
mod formula_errors;
mod grants;
mod group_commit;
mod health;
mod idempotency;
mod intake;
mod jobs;
mod keys;
mod ledger;
mod metrics;
mod migrations;
mod operation;
mod operational;
mod options;
mod order;
mod payloads;
mod queue;
mod readers;
mod resends;
mod rows;
mod schema;
mod sealing;
mod stored_credentials;
mod stored_progress;
mod subscription_versions;
mod subscriptions;
mod unreadable;
mod waiting_operations;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::Notify;

use between_commits::BetweenCommits;
use cache::{Cache, LoadError};
use checkpoints::{CHECKPOINT_PAGES, Checkpoints};
use clock::ClockMonitor;
use counts::{CountLog, CountWriter};
use data_folder::DataFolder;
use dispatch::admission::AdmissionControl;
use health::Readiness;
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;
use metrics::MetricTotals;
use operation::Operation;
use operational::OperationalStates;
use queue::QueueScheduler;
use queue::messages::{first_due_times, shift_due_times};
use readers::Readers;
use sealing::{Sealing, StartError};
use writer::{Priority, Writer};

pub use dispatch::{DispatchLimits, Task, WirePermit, Worker};
pub use errors::OpenError;
pub use options::EngineOptions;
pub use sealing::{
    EraseLimit, MasterKey, MasterKeyCommandError, MasterKeyError, Rotation, erase_secrets, rotate_master_key,
};

/// The pages that the writer works on: the ends of tables, and the indexes that it looks things up in.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// A data folder that is in use: all of a loanhook's state. Clones share it.
#[derive(Clone)]
pub struct SqliteEngine(Arc<Inner>);

struct Inner {
    writer: Writer,
    between_commits: BetweenCommits,
    readers: Readers,
    sealing: Sealing,
    cache: Arc<Cache>,
    scheduler: Arc<QueueScheduler>,
    admission: Arc<AdmissionControl>,
    clock: Arc<ClockMonitor>,
    counts: Arc<CountLog>,
    readiness: Readiness,
    operational: Arc<OperationalStates>,
    ledger_scope: LedgerScope,
    job_created: Notify,
    /// See [`schema::timed_traces_since`].
    timed_traces_since: Option<Timestamp>,
}

impl SqliteEngine {
    /// Opens a data folder, making it if it is not there, and interrupts what a crash left in flight. Its secrets are sealed with
    /// the folder's own key.
    ///
    /// # Errors
    ///
    /// Where another process uses the folder, or its files or its key cannot be used: see [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, EngineOptions::default())
    }

    /// As [`open`](Self::open), with these options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(folder: &Path, options: EngineOptions) -> Result<Self, OpenError> {
        let EngineOptions { ledger_scope, metrics, master_key, exhausted_window } = options;
        let DataFolder { database, lock } = DataFolder::lock(folder)?;
        let broken = |error| OpenError::Database(database.clone(), error);
        let mut connection = Connection::open(&database).map_err(broken)?;
        let applied = match schema::version(&connection).map_err(broken)? {
            schema::SchemaVersion::Known { applied } => applied,
            schema::SchemaVersion::Foreign => return Err(OpenError::Foreign(database)),
            schema::SchemaVersion::Newer(version) => return Err(OpenError::Newer(database, version)),
        };
        schema::configure(&connection, WRITER_CACHE_KIB).map_err(broken)?;
        schema::migrate(&connection, applied).map_err(broken)?;
        let sealing = Sealing::of(folder, &connection, &master_key).map_err(|error| match error {
            StartError::MasterKey(error) => OpenError::MasterKey(error),
            StartError::Database(error) => broken(error),
        })?;
        let timed_traces_since = schema::timed_traces_since(&connection).map_err(broken)?;
        let metrics = metrics.then(|| Arc::new(MetricTotals::new(&database)));
        let counts = Arc::new(CountLog::of(&connection, metrics).map_err(broken)?);
        let mut count_writer = CountWriter::new(Arc::clone(&counts));
        let cache = Cache::load(&connection, sealing.keyring()).map_err(|error| match error {
            LoadError::Database(error) => broken(error),
            LoadError::Newer(why) => OpenError::NewerWebhook(database.clone(), why),
        })?;
        let cache = Arc::new(cache);
        let operational = OperationalStates::load(&connection, Arc::clone(&cache), exhausted_window);
        let operational = Arc::new(operational.map_err(broken)?);
        let counting = (&*counts, &mut count_writer);
        dispatch::recovery::interrupt_all(&connection, counting, &operational, Timestamp::now())
            .map_err(broken)?;
        let scheduler = Arc::new(QueueScheduler::new(first_due_times(&connection).map_err(broken)?));
        flows_at_start::load(&connection, sealing.keyring(), &scheduler).map_err(broken)?;
        let readers = Readers::open(&database)?;
        let clock = Arc::new(ClockMonitor::new());
        let follow_clock = follow_clock(Arc::clone(&clock), Arc::clone(&scheduler));
        let mut checkpoints =
            Checkpoints::start(&mut connection, &database, CHECKPOINT_PAGES).map_err(broken)?;
        let (between_commits, waiting_work) = BetweenCommits::new();
        let after_commit = move |connection: &Connection| {
            checkpoints.after_commit(connection);
            waiting_work.run(connection);
        };
        let writer = Writer::start(connection, count_writer, lock, follow_clock, after_commit)
            .map_err(|error| OpenError::Folder(folder.into(), error))?;
        let admission = Arc::new(AdmissionControl::new(Arc::clone(&scheduler)));
        Ok(Self(Arc::new(Inner {
            writer,
            between_commits,
            readers,
            sealing,
            cache,
            scheduler,
            admission,
            clock,
            counts,
            readiness: Readiness::default(),
            operational,
            ledger_scope,
            job_created: Notify::new(),
            timed_traces_since,
        })))
    }

    /// Follows a clock that was set, although nothing else is to be written.
    async fn follow_clock(&self) {
        if self.0.clock.unapplied_step_millis().is_some() {
            // In its commit the operation of `follow_clock` comes first.
            let _ = self.0.writer.run(Priority::ExistingWork, |_| Ok(()), |()| ()).await;
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.0.readers.run(work).await
    }
}

/// The first operation of a commit where the clock was set: it moves the due times of the queue by as much.
fn follow_clock(
    clock: Arc<ClockMonitor>,
    scheduler: Arc<QueueScheduler>,
) -> impl FnMut() -> Option<Operation> {
    move || {
        let millis = clock.unapplied_step_millis()?;
        let (clock, scheduler) = (Arc::clone(&clock), Arc::clone(&scheduler));
        let work = move |connection: &Connection| {
            shift_due_times(connection, millis)?;
            flow_states::shift(connection, millis)?;
            operational::shift(connection, millis)?;
            order::settings::shift(connection, millis)
        };
        let after_commit = move |(): &mut ()| {
            tracing::warn!(by_seconds = millis / 1000, "clock.set");
            clock.record_applied(millis);
            scheduler.shift_due_times(millis);
        };
        Some(Operation::without_caller(work, after_commit))
    }
}
