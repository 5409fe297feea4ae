//! The server under test: the `loanhook serve` of this build in a process of its own, or, where
//! `LOANHOOK_TEST_URL` and `LOANHOOK_TEST_KEY` are set, one that already runs somewhere.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use tempfile::TempDir;
use tokio::sync::oneshot;

pub(crate) use super::launch::{Launch, loanhook, serve};
use super::skips::skipped;
use super::wait::{eventually, within};

pub(crate) const OPERATOR_KEY: &str = "lh_journeys_operator_0123456789";
const GREETING: &str = "loanhook is listening on ";

pub(crate) struct Target {
    place: Place,
    operator_key: String,
}

enum Place {
    External(String),
    Process {
        launch: Launch,
        running: Mutex<Option<Running>>,
        told: Arc<Mutex<Vec<String>>>,
        data: DataFolder,
    },
}

struct Running {
    child: std::process::Child,
    base: String,
}

struct DataFolder {
    _kept: Arc<TempDir>,
    path: PathBuf,
}

/// The process that all journeys share which need none of their own; it ends with the last of them.
static SHARED: tokio::sync::Mutex<Weak<Target>> = tokio::sync::Mutex::const_new(Weak::new());

impl Target {
    /// A server that other journeys use at the same time, each with a tenant of its own.
    pub(crate) async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(target) = shared.upgrade() {
            return target;
        }
        let target = match external() {
            Some(target) => Arc::new(target),
            None => Self::launch(Launch::default()).await,
        };
        *shared = Arc::downgrade(&target);
        target
    }

    /// A process for this journey alone, to stop and start; none where an external server is under test.
    pub(crate) async fn process() -> Option<Arc<Self>> {
        Self::process_with(Launch::default()).await
    }

    pub(crate) async fn process_with(launch: Launch) -> Option<Arc<Self>> {
        if external().is_some() {
            skipped("it starts and stops a process of its own, and LOANHOOK_TEST_URL names another server");
            return None;
        }
        Some(Self::launch(launch).await)
    }

    /// A process on the folder `data` in this one, which may have served another.
    pub(crate) async fn process_in(folder: &Arc<TempDir>, launch: Launch) -> Arc<Self> {
        Self::launch_in(Arc::clone(folder), launch).await
    }

    async fn launch(launch: Launch) -> Arc<Self> {
        Self::launch_in(Arc::new(tempfile::tempdir().expect("a folder for the data")), launch).await
    }

    async fn launch_in(folder: Arc<TempDir>, launch: Launch) -> Arc<Self> {
        let data = DataFolder { path: folder.path().join("data"), _kept: folder };
        let place = Place::Process { launch, running: Mutex::new(None), told: Arc::default(), data };
        let target = Arc::new(Self { place, operator_key: OPERATOR_KEY.to_owned() });
        target.restart().await;
        target
    }

    /// Where the API stands now. A restart moves it.
    pub(crate) fn base(&self) -> Option<String> {
        match &self.place {
            Place::External(url) => Some(url.clone()),
            Place::Process { running, .. } => locked(running).as_ref().map(|running| running.base.clone()),
        }
    }

    pub(crate) fn is_external(&self) -> bool {
        matches!(self.place, Place::External(_))
    }

    pub(crate) fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// The most memory that the process ever had, where the system tells.
    pub(crate) fn peak_memory_mib(&self) -> Option<u64> {
        let Place::Process { running, .. } = &self.place else { return None };
        let id = locked(running).as_ref()?.child.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib / 1024)
    }

    pub(crate) fn data(&self) -> &Path {
        match &self.place {
            Place::External(_) => panic!("an external server shows no data folder"),
            Place::Process { data, .. } => &data.path,
        }
    }

    /// Starts the process on the same data, and waits until it listens.
    pub(crate) async fn restart(&self) {
        let (child, listening) = self.spawn();
        self.keep(child, within("the line that says where the server listens", listening).await);
    }

    /// Starts the process and kills it before it has said that it listens, if `moment` comes first.
    pub(crate) async fn restart_or_die(&self, moment: impl Future<Output = ()>) -> bool {
        let (mut child, listening) = self.spawn();
        tokio::select! {
            base = listening => {
                self.keep(child, base);
                true
            }
            () = moment => {
                child.kill().and_then(|()| child.wait()).expect("the process can be killed");
                false
            }
        }
    }

    fn keep(&self, child: std::process::Child, base: Result<String, oneshot::error::RecvError>) {
        let Place::Process { running, .. } = &self.place else { return };
        let Ok(base) = base else { panic!("the server ended before it listened; it said:\n{}", self.said()) };
        *locked(running) = Some(Running { child, base });
    }

    fn spawn(&self) -> (std::process::Child, oneshot::Receiver<String>) {
        let Place::Process { launch, data, told, .. } = &self.place else {
            panic!("an external server cannot be started")
        };
        let mut child = serve(&data.path, launch).spawn().expect("the server starts");
        let (listens, listening) = oneshot::channel();
        let errors = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (kept, kept_too) = (Arc::clone(told), Arc::clone(told));
        thread::spawn(move || errors.lines().map_while(Result::ok).for_each(|line| locked(&kept).push(line)));
        thread::spawn(move || {
            let mut listens = Some(listens);
            for line in output.lines().map_while(Result::ok) {
                if let Some(base) = line.strip_prefix(GREETING)
                    && let Some(listens) = listens.take()
                {
                    let _ = listens.send(base.trim_end_matches('/').to_owned());
                }
                locked(&kept_too).push(line);
            }
        });
        (child, listening)
    }

    /// The ID of the process.
    pub(crate) fn process_id(&self) -> u32 {
        let Place::Process { running, .. } = &self.place else {
            panic!("an external server shows no process")
        };
        locked(running).as_ref().expect("the server runs").child.id()
    }

    /// SIGKILL: nothing of the process runs after it.
    pub(crate) fn kill(&self) {
        let mut running = self.take();
        running.child.kill().and_then(|()| running.child.wait()).expect("the process can be killed");
    }

    /// The process, as the system knows it.
    pub(crate) fn pid(&self) -> u32 {
        let Place::Process { running, .. } = &self.place else {
            panic!("an external server has no process here")
        };
        locked(running).as_ref().expect("the server runs").child.id()
    }

    /// SIGTERM. What the process makes of it is what [`Target::exit`] awaits.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().expect("kill runs");
        assert!(sent.success(), "SIGTERM could not be sent");
    }

    /// Awaits the end of the process.
    pub(crate) async fn exit(&self) -> ExitStatus {
        let mut running = self.take();
        eventually("the process ends", async || running.child.try_wait().expect("the process can be asked"))
            .await
    }

    fn take(&self) -> Running {
        let Place::Process { running, .. } = &self.place else {
            panic!("an external server cannot be stopped")
        };
        locked(running).take().expect("the server runs")
    }

    /// Everything that the process wrote, once the lines of so many attempts are among it: its last lines
    /// may be read a little after it has ended.
    pub(crate) async fn said_of_attempts(&self, attempts: usize) -> String {
        eventually("the log names every attempt", async || {
            let said = self.said();
            let told = said.matches("attempt.succeeded").count() + said.matches("attempt.failed").count();
            (told >= attempts).then_some(said)
        })
        .await
    }

    /// Everything that the process wrote so far, both streams.
    pub(crate) fn said(&self) -> String {
        match &self.place {
            Place::External(_) => String::new(),
            Place::Process { told, .. } => locked(told).join("\n"),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Place::Process { running, .. } = &self.place
            && let Some(mut running) = locked(running).take()
        {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

fn external() -> Option<Target> {
    let url = std::env::var("LOANHOOK_TEST_URL").ok()?;
    let operator_key =
        std::env::var("LOANHOOK_TEST_KEY").expect("LOANHOOK_TEST_KEY goes with LOANHOOK_TEST_URL");
    Some(Target { place: Place::External(url.trim_end_matches('/').to_owned()), operator_key })
}

/// A panic of one journey must not hide the others' behind a poisoned lock.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
