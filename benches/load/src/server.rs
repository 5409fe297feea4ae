//! The server that is measured: a loanhook as a process, on a data folder of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use bench_measure::{Latencies, memory_mib, processor_ticks_ms};
use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};

use crate::Outcome;
use crate::client::{ask, call};
use crate::processes::Process;

/// The key that the server is given, and that every call has.
pub(crate) const KEY: &str = "lh_bench_0123456789abcdef";

/// A subscription to one event name.
pub(crate) struct Subscription {
    pub(crate) event_name: String,
    pub(crate) url: String,
    pub(crate) timeout_seconds: u32,
    /// The seconds between the attempts.
    pub(crate) retry_delays: Vec<u32>,
    /// Its `flow`, where it has one: an earlier version that is compared with knows none.
    pub(crate) flow: Option<Value>,
}

impl Subscription {
    /// One whose failures are not retried while anything is measured.
    pub(crate) fn new(event_name: impl Into<String>, url: String) -> Self {
        let (timeout_seconds, retry_delays) = (30, vec![86_400]);
        Self { event_name: event_name.into(), url, timeout_seconds, retry_delays, flow: None }
    }
}

/// How often the metrics are read, where they are on.
const METRICS_INTERVAL: Duration = Duration::from_secs(1);

/// A loanhook that runs until it is dropped.
pub(crate) struct Server {
    process: Process,
    /// Whoever reads the metrics ends when this is dropped.
    _metrics: Option<Sender<()>>,
    pub(crate) address: String,
    /// From its start until it answered `/health`, in milliseconds.
    pub(crate) healthy_after: f64,
}

impl Server {
    /// With metrics they are on, and read once a second.
    pub(crate) fn start(binary: &Path, folder: &Path, with_metrics: bool) -> Outcome<Self> {
        let start = Instant::now();
        // Standard error is the log, with a line for each attempt: it costs less than a file where nobody reads it.
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--allow-network", "127.0.0.0/8", "--data"])
            .arg(folder)
            .args(with_metrics.then_some("--metrics-listen=127.0.0.1:0"))
            .env("LOANHOOK_ADMIN_KEY", KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let process = Process(child);
        let Addresses { api: address, metrics } = Addresses::read(out).ok_or_else(|| {
            format!("`{} serve` ended before it said where it listens; run it by hand", binary.display())
        })?;
        call(&address, "GET", "/health", None)?;
        let healthy_after = start.elapsed().as_secs_f64() * 1e3;
        let metrics = match (with_metrics, metrics) {
            (true, None) => return Err("the server did not say where its metrics are".into()),
            (_, metrics) => metrics.map(read_metrics),
        };
        Ok(Self { process, _metrics: metrics, address, healthy_after })
    }

    /// The ID of the new subscription.
    pub(crate) fn subscribe(&self, subscription: &Subscription) -> Outcome<String> {
        let Subscription { event_name, url, timeout_seconds, retry_delays, flow } = subscription;
        let mut draft = json!({
            "title": event_name, "criteria": {"events": [event_name]}, "request": {"url": url},
            "retry": {"delays": retry_delays}, "timeoutSeconds": timeout_seconds,
        });
        if let Some(flow) = flow {
            draft["flow"] = flow.clone();
        }
        let created = call(&self.address, "POST", "/v1/subscriptions", Some(&draft))?;
        Ok(created["id"].as_str().ok_or("a subscription without an ID")?.to_owned())
    }

    /// Holds a subscription, or releases it.
    pub(crate) fn change_hold(&self, subscription: &str, action: &str) -> Outcome {
        let path = format!("/v1/subscriptions/{subscription}/{action}");
        call(&self.address, "POST", &path, None).map(|_| ())
    }

    /// The processor time it has used so far, in milliseconds.
    pub(crate) fn processor_ms(&self) -> f64 {
        processor_ticks_ms(self.process.id())
    }

    /// Its resident memory, in MiB.
    pub(crate) fn memory(&self) -> Outcome<f64> {
        Ok(memory_mib(self.process.id()).ok_or("the server has ended")?)
    }

    /// How long a GET takes, on a connection of its own, to the last byte of its answer, in milliseconds.
    pub(crate) fn time_of(&self, path: &str) -> Outcome<f64> {
        let start = Instant::now();
        ask(&self.address, "GET", path, None)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }

    /// From the moment an event was accepted to that of its first attempt, as the history says it, to the millisecond:
    /// of the newest 200 webhooks of each of these loans.
    pub(crate) fn first_attempt_waits(&self, loans: impl IntoIterator<Item = u64>) -> Outcome<Latencies> {
        let mut nanoseconds = Vec::new();
        for loan in loans {
            let page = call(&self.address, "GET", &format!("/v1/loans/{loan}/webhooks?limit=200"), None)?;
            let rows = page["items"].as_array().ok_or("a page without items")?;
            for row in rows.iter().filter(|row| row["attemptNumber"] == 1) {
                let trace_id = row["traceId"].as_str().ok_or("a row without a trace ID")?;
                let delivery = call(&self.address, "GET", &format!("/v1/webhooks/{trace_id}"), None)?;
                let waited = time(&row["sentAt"])? - time(&delivery["acceptedAt"])?;
                nanoseconds.push(waited.num_nanoseconds().and_then(|ns| u64::try_from(ns).ok()).unwrap_or(0));
            }
        }
        Ok(Latencies::of(&mut nanoseconds))
    }
}

fn time(value: &Value) -> Outcome<DateTime<FixedOffset>> {
    Ok(DateTime::parse_from_rfc3339(value.as_str().ok_or("a row without a time")?)?)
}

/// Where a server says that it is reached.
struct Addresses {
    api: String,
    metrics: Option<String>,
}

impl Addresses {
    /// Nothing where the server has ended.
    fn read(out: ChildStdout) -> Option<Self> {
        let address =
            |rest: &str| rest.split(|c: char| c.is_whitespace() || c == '/').next().map(str::to_owned);
        let mut metrics = None;
        let mut lines = BufReader::new(out).lines();
        let api = lines.by_ref().find_map(|line| {
            let line = line.ok()?;
            let (before, rest) = line.split_once("http://")?;
            if before.starts_with("metrics") {
                metrics = address(rest);
                return None;
            }
            address(rest)
        });
        // What it says after that is read and dropped, so that it never waits for a reader.
        thread::spawn(move || lines.for_each(drop));
        Some(Self { api: api?, metrics })
    }
}

/// Reads the metrics again and again, until what it gives is dropped.
fn read_metrics(address: String) -> Sender<()> {
    let (running, ended) = channel();
    thread::spawn(move || {
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(METRICS_INTERVAL) {
            if ask(&address, "GET", "/metrics", None).is_err() {
                return;
            }
        }
    });
    running
}

/// A new data folder beside this program, on whatever disk that is: a folder in memory would make every sync free.
pub(crate) fn data_folder() -> Outcome<tempfile::TempDir> {
    let program = std::env::current_exe()?;
    let folder = program.parent().ok_or("this program is in no folder")?.join("bench-data");
    fs::create_dir_all(&folder)?;
    Ok(tempfile::tempdir_in(folder)?)
}
