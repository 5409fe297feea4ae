//! A `loanhook serve` as a child process: its data folder, which outlives restarts, and everything it wrote.

use std::io::{BufRead as _, BufReader, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::launch::{Launch, serve_command};
use super::locked;
use super::wait::{eventually, within};

/// Before the address, in the line that the process prints once it listens.
const LISTENING: &str = "loanhook is listening on ";

pub(crate) struct Process {
    launch: Launch,
    running: Mutex<Option<Running>>,
    output: Arc<Mutex<Vec<String>>>,
    data_folder: PathBuf,
    _folder: Arc<TempDir>,
}

struct Running {
    child: Child,
    base_url: String,
    /// Ends once everything that the process wrote has been read.
    reader: thread::JoinHandle<()>,
}

impl Process {
    /// Not started yet; its data is in the folder `data` of this one.
    pub(super) fn new(folder: Arc<TempDir>, launch: Launch) -> Self {
        let data_folder = folder.path().join("data");
        Self { launch, running: Mutex::new(None), output: Arc::default(), data_folder, _folder: folder }
    }

    pub(super) fn base_url(&self) -> Option<String> {
        locked(&self.running).as_ref().map(|running| running.base_url.clone())
    }

    pub(super) fn data_folder(&self) -> &Path {
        &self.data_folder
    }

    pub(super) fn id(&self) -> u32 {
        locked(&self.running).as_ref().expect("the server runs").child.id()
    }

    pub(super) fn peak_memory_mib(&self) -> Option<f64> {
        bench_measure::peak_memory_mib(self.id())
    }

    pub(super) fn output(&self) -> String {
        locked(&self.output).join("\n")
    }

    pub(super) async fn start(&self) {
        let (child, reader, listening) = self.spawn();
        let base_url = within("the line that says where the server listens", listening).await;
        self.set_running(child, reader, base_url);
    }

    pub(super) async fn start_unless_killed_at(&self, moment: impl Future<Output = ()>) -> bool {
        let (mut child, reader, listening) = self.spawn();
        tokio::select! {
            base_url = listening => {
                self.set_running(child, reader, base_url);
                true
            }
            () = moment => {
                child.kill().and_then(|()| child.wait()).expect("the process can be killed");
                false
            }
        }
    }

    pub(super) fn kill(&self) {
        let mut running = self.take_running();
        running.child.kill().and_then(|()| running.child.wait()).expect("the process can be killed");
        running.reader.join().expect("its output is read");
    }

    pub(super) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().expect("kill runs");
        assert!(sent.success(), "SIGTERM could not be sent");
    }

    pub(super) async fn wait_for_exit(&self) -> ExitStatus {
        let mut running = self.take_running();
        let status = eventually("the process ends", async || {
            running.child.try_wait().expect("the process can be asked")
        })
        .await;
        running.reader.join().expect("its output is read");
        status
    }

    fn take_running(&self) -> Running {
        locked(&self.running).take().expect("the server runs")
    }

    fn set_running(
        &self,
        child: Child,
        reader: thread::JoinHandle<()>,
        base_url: Result<String, oneshot::error::RecvError>,
    ) {
        let Ok(base_url) = base_url else {
            panic!("the server ended before it listened; it wrote:\n{}", self.output())
        };
        *locked(&self.running) = Some(Running { child, base_url, reader });
    }

    /// Starts the process and reads what it writes; the receiver gets the URL at which it listens.
    ///
    /// Standard output and standard error are one pipe, so that all it logged before it said that it listens has been read
    /// by then.
    fn spawn(&self) -> (Child, thread::JoinHandle<()>, oneshot::Receiver<String>) {
        let (written, stdout) = pipe().expect("a pipe");
        let stderr = stdout.try_clone().expect("the same pipe");
        // The command's own ends of the pipe close with it: the last one that is left is the child's.
        let child = {
            let mut command = serve_command(&self.data_folder, &self.launch);
            command.stdout(stdout).stderr(stderr).spawn().expect("the server starts")
        };
        let (listens, listening) = oneshot::channel();
        let output = Arc::clone(&self.output);
        let reader = thread::spawn(move || {
            let mut listens = Some(listens);
            for line in BufReader::new(written).lines().map_while(Result::ok) {
                let base_url =
                    line.strip_prefix(LISTENING).map(|address| address.trim_end_matches('/').to_owned());
                locked(&output).push(line);
                if let Some(base_url) = base_url
                    && let Some(listens) = listens.take()
                {
                    let _ = listens.send(base_url);
                }
            }
        });
        (child, reader, listening)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut running) = locked(&self.running).take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}
