//! Processes of a run: the server, the receiver and the driver. Each is killed when its owner is dropped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Outcome;
use crate::driver::{Plan, Posted};
use crate::receiver::Arrived;

const KEY: &str = "lh_bench_0123456789abcdef";
/// How long deliveries may take to arrive.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(900);

/// A process that is killed when it is dropped.
pub(crate) struct Process(Child);

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

fn start_role(role: &str, argument: &str) -> Outcome<(Process, ChildStdout)> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.args([role, argument]).stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().ok_or("no standard output")?;
    Ok((Process(child), out))
}

/// The receiver, and where it listens.
pub(crate) struct Receiver {
    _process: Process,
    pub(crate) address: String,
}

impl Receiver {
    pub(crate) fn start() -> Outcome<Self> {
        let (process, out) = start_role("receiver", "")?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address)?;
        Ok(Self { _process: process, address: address.trim().to_owned() })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn reset(&self) -> Outcome {
        call(&self.address, "POST", "/reset", None).map(|_| ())
    }

    pub(crate) fn arrived(&self) -> Outcome<Arrived> {
        Ok(serde_json::from_value(call(&self.address, "GET", "/stats", None)?)?)
    }

    /// Waits until so many have arrived.
    pub(crate) fn wait_for(&self, count: u64) -> Outcome<Arrived> {
        let start = Instant::now();
        loop {
            let arrived = self.arrived()?;
            if arrived.count >= count {
                return Ok(arrived);
            }
            if start.elapsed() > ARRIVAL_TIMEOUT {
                return Err(format!("{} of {count} arrived", arrived.count).into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A loanhook on a data folder of its own.
pub(crate) struct Server {
    process: Process,
    pub(crate) address: String,
    /// From its start until it answered `/health`, in milliseconds.
    pub(crate) healthy_after: f64,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Outcome<Self> {
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_loanhook"))
            .args(["serve", "--listen", "127.0.0.1:0", "--allow-network", "127.0.0.0/8", "--data"])
            .arg(folder)
            .env("LOANHOOK_ADMIN_KEY", KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let process = Process(child);
        let address = address_in(out)?;
        call(&address, "GET", "/health", None)?;
        let healthy_after = start.elapsed().as_secs_f64() * 1e3;
        Ok(Self { process, address, healthy_after })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// A subscription to an event's name that sends to this URL.
    pub(crate) fn subscribe(&self, event_name: &str, url: &str) -> Outcome {
        let draft = json!({
            "title": event_name, "criteria": {"events": [event_name]}, "request": {"url": url},
            "retry": {"delays": [86_400]}, "timeoutSeconds": 30,
        });
        call(&self.address, "POST", "/v1/subscriptions", Some(&draft)).map(|_| ())
    }

    /// How long a GET takes, on a connection of its own, to the last byte of its answer, in milliseconds.
    pub(crate) fn time_of(&self, path: &str) -> Outcome<f64> {
        let start = Instant::now();
        ask(&self.address, "GET", path, None)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }
}

/// Where the server says it listens.
fn address_in(out: ChildStdout) -> Outcome<String> {
    let mut lines = BufReader::new(out).lines();
    let found = lines.by_ref().find_map(|line| {
        let line = line.ok()?;
        let rest = line.split_once("http://")?.1;
        Some(rest.split(|c: char| c.is_whitespace() || c == '/').next()?.to_owned())
    });
    // What it says after that is read and dropped, so that it never waits for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    found.ok_or_else(|| "the server did not say where it listens".into())
}

/// Runs a driver to its end.
pub(crate) fn drive(plan: &Plan) -> Outcome<Posted> {
    let (_process, mut out) = start_role("driver", &serde_json::to_string(plan)?)?;
    let mut text = String::new();
    out.read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// What every plan has in common.
pub(crate) fn plan(address: &str) -> Plan {
    Plan {
        address: address.to_owned(),
        path: "/v1/events".into(),
        key: KEY.into(),
        event_name: "one".into(),
        posters: 64,
        rate: None,
        events: u64::MAX,
        seconds: 3600.0,
        loans: 1000,
        bytes: 1024,
    }
}

/// One request, on a connection of its own; the JSON of its answer, or null.
fn call(address: &str, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
    let answer = ask(address, method, path, body)?;
    Ok(serde_json::from_str(&answer).unwrap_or_default())
}

fn ask(address: &str, method: &str, path: &str, body: Option<&Value>) -> Outcome<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if !head.starts_with("HTTP/1.1 2") {
        return Err(format!("{method} {path}: {head}\n{body}").into());
    }
    Ok(body.to_owned())
}
