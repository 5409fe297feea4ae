//! What the Lambda functions cost: `make bench-lambda`.
//!
//! Each runs as in Lambda, a process that asks a runtime API for events; that API is here, and so is what stands
//! for DynamoDB, S3, SQS and the receiver ([`fake_aws`]): plain HTTP on loopback, which answers at once. So the figures
//! are the functions' own work. What they leave out is the network, TLS handshakes and whatever AWS does before it
//! starts a process; a share of a processor, which is what little memory buys there; and a busy store.
//!
//! Beside them runs a function that does nothing, built alike: what any function costs on this runtime. Starts take
//! turns, so that the machine's moods hit all of them.

mod events;
mod fake_aws;
mod fake_table;
mod function_process;
mod http_server;
mod runtime_api;
mod samples;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use fake_aws::Cloud;
use function_process::Process;
use samples::Figures;

pub(crate) const KEY: &str = "lh_bench_0123456789abcdef";
const MEASURED: [&str; 3] = ["empty", "intake", "delivery"];
const ALL: [&str; 5] = ["intake", "delivery", "history", "resend", "subscriptions"];
const COLD: usize = 40;
const WARMING_UP: usize = 50;
const WARM: usize = 500;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err("usage: bench-lambda FOLDER, the one with the built functions".into());
    };
    let cloud = Cloud::default();
    let address = cloud.start().await?;
    let bench = Bench { folder, cloud, address };
    bench.subscribe().await?;
    bench.cold().await?;
    bench.warm().await?;
    bench.sizes()
}

struct Bench {
    folder: PathBuf,
    cloud: Cloud,
    address: SocketAddr,
}

/// Of one function, in milliseconds.
#[derive(Default)]
struct Start {
    asks: Figures,
    answers: Figures,
}

impl Bench {
    async fn start(&self, function: &str) -> Outcome<Process> {
        Process::start(&self.folder.join(function), self.address).await
    }

    async fn subscribe(&self) -> Outcome {
        let mut subscriptions = self.start("subscriptions").await?;
        let (_, answer) = subscriptions.runtime.invoke(events::subscription(self.address)).await?;
        expect(&answer["statusCode"], &json!(201), &answer)?;
        subscriptions.end().await
    }

    /// What a function is invoked with next.
    fn event(&self, function: &str, number: usize) -> Outcome<Value> {
        Ok(match function {
            "intake" => events::event(number),
            "delivery" => {
                let (messages, _) = self.cloud.take();
                events::batch(messages.first().ok_or("intake sent no message")?)
            }
            _ => json!({}),
        })
    }

    /// Whether it did what it was asked for.
    fn check(&self, function: &str, answer: &Value) -> Outcome {
        match function {
            "intake" => expect(&answer["statusCode"], &json!(202), answer),
            "delivery" => {
                expect(&answer["batchItemFailures"], &json!([]), answer)?;
                expect(&json!(self.cloud.take().1), &json!(1), answer)
            }
            _ => Ok(()),
        }
    }

    async fn cold(&self) -> Outcome {
        let mut starts = MEASURED.map(|_| Start::default());
        for round in 0..COLD {
            for (function, figures) in MEASURED.iter().zip(&mut starts) {
                let event = self.event(function, round)?;
                let mut process = self.start(function).await?;
                let asked = process.runtime.asked().await?;
                let (answered, answer) = process.runtime.invoke(event).await?;
                figures.asks.add(milliseconds(process.since_start(asked)));
                figures.answers.add(milliseconds(process.since_start(answered)));
                self.check(function, &answer)?;
                process.end().await?;
            }
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{COLD} cold starts each, in ms: the median (the middle half)\n")?;
        writeln!(out, "| | asks for an event | ratio | has answered | ratio |")?;
        writeln!(out, "| --- | --- | --- | --- | --- |")?;
        let [empty, ..] = &starts;
        for (function, start) in MEASURED.iter().zip(&starts) {
            let asks = start.asks.median() / empty.asks.median();
            let answers = start.answers.median() / empty.answers.median();
            let Start { asks: asking, answers: answering } = start;
            writeln!(out, "| {function} | {asking} | {asks:.2} | {answering} | {answers:.2} |")?;
        }
        Ok(())
    }

    async fn warm(&self) -> Outcome {
        let mut functions = Vec::new();
        for function in MEASURED {
            functions.push((function, self.start(function).await?));
        }
        for number in 0..WARMING_UP {
            self.round(&mut functions, COLD + number).await?;
        }
        let mut before = Vec::new();
        for (_, process) in &functions {
            before.push(process.processor_time()?);
        }
        for number in 0..WARM {
            self.round(&mut functions, COLD + WARMING_UP + number).await?;
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{WARM} warm invocations each\n")?;
        writeln!(out, "| | processor time of one | peak memory |")?;
        writeln!(out, "| --- | --- | --- |")?;
        for ((function, process), before) in functions.into_iter().zip(before) {
            let each = milliseconds(process.processor_time()? - before) / WARM as f64;
            let memory = process.peak_memory()? as f64 / 1024.0;
            writeln!(out, "| {function} | {each:.2} ms | {memory:.1} MiB |")?;
        }
        Ok(())
    }

    /// An invocation of each: intake's webhook is what delivery sends.
    async fn round(&self, functions: &mut [(&str, Process)], number: usize) -> Outcome {
        for (function, process) in functions {
            let (_, answer) = process.runtime.invoke(self.event(function, number)?).await?;
            self.check(function, &answer)?;
        }
        Ok(())
    }

    fn sizes(&self) -> Outcome {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n| | binary | zipped |\n| --- | --- | --- |")?;
        for function in ALL {
            let (binary, zipped) = size(&self.folder.join(function))?;
            writeln!(out, "| {function} | {:.2} MB | {:.2} MB |", binary / 1e6, zipped / 1e6)?;
        }
        Ok(())
    }
}

/// The bytes of a function, and those of its zip file but for a few that name it.
fn size(function: &Path) -> Outcome<(f64, f64)> {
    let bytes = std::fs::read(function)?;
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::default());
    zip.write_all(&bytes)?;
    Ok((bytes.len() as f64, zip.finish()?.len() as f64))
}

fn milliseconds(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn expect(said: &Value, wanted: &Value, answer: &Value) -> Outcome {
    if said == wanted { Ok(()) } else { Err(format!("wanted {wanted}, got {answer}").into()) }
}
