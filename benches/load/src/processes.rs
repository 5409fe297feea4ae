//! Processes of a run besides the server: the receiver and the driver, which are this program in another role.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::client::{ask, call};
use crate::driver::{Plan, Posted};
use crate::receiver::Arrived;

/// Deliveries are given up when none has arrived for so long.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(30);

/// A process that is killed when it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_role(arguments: &[&str]) -> Outcome<(Process, ChildStdout)> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.args(arguments).stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().ok_or("no standard output")?;
    Ok((Process(child), out))
}

/// The receiver, and where it listens.
pub(crate) struct Receiver {
    /// None where it was started by somebody else.
    _process: Option<Process>,
    /// An address on 127.0.0.1; it has the same port on the hosts up to 127.0.0.10.
    pub(crate) address: String,
}

impl Receiver {
    pub(crate) fn start() -> Outcome<Self> {
        let (process, out) = start_role(&["receiver"])?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address)?;
        Ok(Self { _process: Some(process), address: address.trim().to_owned() })
    }

    /// One that runs already.
    pub(crate) fn running_at(address: &str) -> Self {
        Self { _process: None, address: address.to_owned() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A URL at one of the hosts 127.0.0.1 to 127.0.0.10.
    pub(crate) fn url_at_host(&self, host: u8, path: &str) -> String {
        let port = self.address.rsplit(':').next().unwrap_or_default();
        format!("http://127.0.0.{host}:{port}{path}")
    }

    pub(crate) fn reset(&self) -> Outcome {
        call(&self.address, "POST", "/reset", None).map(|_| ())
    }

    pub(crate) fn arrived(&self) -> Outcome<Arrived> {
        Ok(serde_json::from_value(call(&self.address, "GET", "/stats", None)?)?)
    }

    /// When each arrived, in nanoseconds since 1970.
    pub(crate) fn times(&self) -> Outcome<Vec<u64>> {
        Ok(serde_json::from_value(call(&self.address, "GET", "/times", None)?)?)
    }

    /// Waits until so many have arrived; an error where they stay away.
    pub(crate) fn wait_for(&self, count: u64) -> Outcome<Arrived> {
        let arrived = self.wait_as_long_as_they_come(count)?;
        if arrived.count >= count {
            Ok(arrived)
        } else {
            let timeout = ARRIVAL_TIMEOUT.as_secs();
            Err(format!("{} of {count} arrived, and none in the last {timeout} s", arrived.count).into())
        }
    }

    /// Waits until so many have arrived, or none any more.
    pub(crate) fn wait_as_long_as_they_come(&self, count: u64) -> Outcome<Arrived> {
        let (mut before, mut since) = (0, Instant::now());
        loop {
            let now: u64 = ask(&self.address, "GET", "/count", None)?.trim().parse()?;
            if now != before {
                (before, since) = (now, Instant::now());
            }
            if now >= count || since.elapsed() > ARRIVAL_TIMEOUT {
                return self.arrived();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Runs a driver to its end.
pub(crate) fn drive(plan: &Plan) -> Outcome<Posted> {
    let (_process, mut out) = start_role(&["driver", &serde_json::to_string(plan)?])?;
    let mut text = String::new();
    out.read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(|_| "the driver failed; its error stands above".into())
}
