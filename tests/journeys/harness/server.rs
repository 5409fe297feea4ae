//! The server under test: the `loanhook serve` of this build in a process of its own, or, where
//! `LOANHOOK_TEST_URL` and `LOANHOOK_TEST_KEY` are set, one that already runs somewhere (an *external* server).

use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Weak};

use tempfile::TempDir;

pub(crate) use super::launch::{Launch, keys_in, loanhook_command, run_to_exit, serve_command, start_error};
use super::process::Process;
use super::skips::report_skipped;

pub(crate) const OPERATOR_KEY: &str = "lh_journeys_operator_0123456789";

pub(crate) enum Server {
    External { base_url: String, operator_key: String },
    Process(Process),
}

/// The process that all journeys share which need none of their own; it ends with the last of them.
static SHARED: tokio::sync::Mutex<Weak<Server>> = tokio::sync::Mutex::const_new(Weak::new());

impl Server {
    /// A server that other journeys use at the same time, each with a tenant of its own.
    pub(crate) async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = match external() {
            Some(server) => Arc::new(server),
            None => Self::launch(Launch::default()).await,
        };
        *shared = Arc::downgrade(&server);
        server
    }

    /// A process for this journey alone, to stop and start; none where an external server is under test.
    pub(crate) async fn own_process() -> Option<Arc<Self>> {
        Self::own_process_with(Launch::default()).await
    }

    pub(crate) async fn own_process_with(launch: Launch) -> Option<Arc<Self>> {
        if external().is_some() {
            report_skipped(
                "it starts and stops a process of its own, and LOANHOOK_TEST_URL names another server",
            );
            return None;
        }
        Some(Self::launch(launch).await)
    }

    /// A process on the folder `data` in this one, which may have served another.
    pub(crate) async fn own_process_in(folder: &Arc<TempDir>, launch: Launch) -> Arc<Self> {
        let server = Arc::new(Self::Process(Process::new(Arc::clone(folder), launch)));
        server.restart().await;
        server
    }

    async fn launch(launch: Launch) -> Arc<Self> {
        Self::own_process_in(&new_folder(), launch).await
    }

    /// Where the API is now, if the server runs. A restart moves it to another port.
    pub(crate) fn base_url(&self) -> Option<String> {
        match self {
            Self::External { base_url, .. } => Some(base_url.clone()),
            Self::Process(process) => process.base_url(),
        }
    }

    /// Where the metrics of the process are, which was started with `--metrics-listen`.
    pub(crate) fn metrics_url(&self) -> String {
        const BEFORE: &str = "metrics are at ";
        let output = self.output();
        let line = output.lines().rev().find_map(|line| line.strip_prefix(BEFORE));
        line.unwrap_or_else(|| panic!("it serves no metrics: {output}")).to_owned()
    }

    pub(crate) fn is_external(&self) -> bool {
        matches!(self, Self::External { .. })
    }

    pub(crate) fn operator_key(&self) -> &str {
        match self {
            Self::External { operator_key, .. } => operator_key,
            Self::Process(_) => OPERATOR_KEY,
        }
    }

    fn process(&self) -> &Process {
        match self {
            Self::External { .. } => panic!("a journey stops or inspects no external server"),
            Self::Process(process) => process,
        }
    }

    pub(crate) fn data_folder(&self) -> &Path {
        self.process().data_folder()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process().id()
    }

    /// The most memory that the process ever had, where the system shows it.
    pub(crate) fn peak_memory_mib(&self) -> Option<f64> {
        self.process().peak_memory_mib()
    }

    /// Starts the process on the same data, and waits until it listens.
    pub(crate) async fn restart(&self) {
        self.process().start().await;
    }

    /// Starts the process, and kills it if `moment` comes before it listens. Whether it listens.
    pub(crate) async fn restart_unless_killed_at(&self, moment: impl Future<Output = ()>) -> bool {
        self.process().start_unless_killed_at(moment).await
    }

    /// SIGKILL: nothing of the process runs after it.
    pub(crate) fn kill(&self) {
        self.process().kill();
    }

    /// SIGTERM; [`Server::wait_for_exit`] awaits what comes of it.
    pub(crate) fn terminate(&self) {
        self.process().terminate();
    }

    pub(crate) async fn wait_for_exit(&self) -> ExitStatus {
        self.process().wait_for_exit().await
    }

    /// SIGTERM, upon which the process must exit with 0.
    pub(crate) async fn stop(&self) {
        self.terminate();
        assert_eq!(self.wait_for_exit().await.code(), Some(0), "{}", self.output());
    }

    /// Everything that the process wrote so far, standard output and standard error.
    pub(crate) fn output(&self) -> String {
        match self {
            Self::External { .. } => String::new(),
            Self::Process(process) => process.output(),
        }
    }
}

/// A folder that is removed with its last owner.
pub(crate) fn new_folder() -> Arc<TempDir> {
    Arc::new(tempfile::tempdir().expect("a temporary folder"))
}

fn external() -> Option<Server> {
    let url = std::env::var("LOANHOOK_TEST_URL").ok()?;
    let operator_key =
        std::env::var("LOANHOOK_TEST_KEY").expect("LOANHOOK_TEST_KEY goes with LOANHOOK_TEST_URL");
    Some(Server::External { base_url: url.trim_end_matches('/').to_owned(), operator_key })
}
