//! Benchmark of the Lambda functions: `make bench-lambda` measures start, size, memory and processor time.
//!
//! Each function runs as in Lambda: a process that asks a runtime API for events. That API is here ([`runtime_api`]), and
//! so is what stands for DynamoDB, S3, SQS and the receiver ([`fake_aws`]): plain HTTP on loopback, answered at once. So
//! the figures are the functions' own work. They leave out the network, TLS handshakes, what AWS does before it starts a
//! process, the share of a processor that a memory size gets there, and a busy store.
//!
//! A function that does nothing, built alike, is measured beside them: what any function costs on this runtime. Cold
//! starts take turns, so that other load on the machine affects all of them.

mod events;
mod fake_aws;
mod fake_table;
mod function_process;
mod http_server;
mod once;
mod runtime_api;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bench_measure::{Samples, milliseconds, peak_memory_mib, processor_time};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use fake_aws::FakeAws;
use function_process::Process;

pub(crate) const KEY: &str = "lh_bench_0123456789abcdef";
const MEASURED: [&str; 3] = ["empty", "intake", "delivery"];
const ALL: [&str; 5] = ["intake", "delivery", "history", "resend", "subscriptions"];
const COLD_STARTS: usize = 40;
const WARM_UPS: usize = 50;
const WARM_INVOCATIONS: usize = 500;

const USAGE: &str = "usage: bench-lambda FOLDER, the one with the built functions, or \
                     bench-lambda --once FOLDER [RUNNER…], the one that cargo-lambda builds to, started by the runner";

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args_os().skip(1);
    let folder = match arguments.next() {
        Some(option) if option == "--once" => {
            let folder = arguments.next().ok_or(USAGE)?.into();
            return once::start_each(folder, arguments.collect()).await;
        }
        folder => PathBuf::from(folder.ok_or(USAGE)?),
    };
    let aws = FakeAws::default();
    let address = aws.start().await?;
    let bench = Bench { folder, aws, address };
    bench.subscribe().await?;
    bench.cold().await?;
    bench.warm().await?;
    bench.sizes()
}

struct Bench {
    folder: PathBuf,
    aws: FakeAws,
    address: SocketAddr,
}

/// Cold starts of one function, in milliseconds from the start of the process.
#[derive(Default)]
struct ColdStarts {
    first_poll: Samples,
    first_response: Samples,
}

impl Bench {
    async fn start(&self, function: &str) -> Outcome<Process> {
        Process::start(&[], &self.folder.join(function), self.address).await
    }

    async fn subscribe(&self) -> Outcome {
        let mut subscriptions = self.start("subscriptions").await?;
        let (_, answer) = subscriptions.runtime.invoke(events::subscription(self.address)).await?;
        expect(&answer["statusCode"], &json!(201), &answer)?;
        subscriptions.end().await
    }

    /// Starts a function and has it handle an event: the process, when it asked for the event, and when it had answered.
    ///
    /// An eighth of the instances of delivery send the first attempts for a receiver on to the slow queue. One of those is
    /// ended, and another takes its place.
    async fn start_and_invoke(&self, function: &str, number: usize) -> Outcome<(Process, Instant, Instant)> {
        let event = self.event(function, number)?;
        loop {
            let mut process = self.start(function).await?;
            let polled = process.runtime.first_poll().await?;
            let (answered, answer) = process.runtime.invoke(event.clone()).await?;
            if function != "delivery" || !self.aws.take_message_sent_on() {
                self.check(function, &answer)?;
                return Ok((process, polled, answered));
            }
            process.end().await?;
        }
    }

    /// What a function is invoked with next.
    fn event(&self, function: &str, number: usize) -> Outcome<Value> {
        Ok(match function {
            "intake" => events::event(number),
            "delivery" => {
                let (messages, _) = self.aws.take();
                events::batch(messages.first().ok_or("intake sent no message")?)
            }
            _ => json!({}),
        })
    }

    /// An error unless the function did what the event asks for.
    fn check(&self, function: &str, answer: &Value) -> Outcome {
        match function {
            "intake" => expect(&answer["statusCode"], &json!(202), answer),
            "delivery" => {
                expect(&answer["batchItemFailures"], &json!([]), answer)?;
                expect(&json!(self.aws.take().1), &json!(1), answer)
            }
            _ => Ok(()),
        }
    }

    async fn cold(&self) -> Outcome {
        let mut starts = MEASURED.map(|_| ColdStarts::default());
        for round in 0..COLD_STARTS {
            for (function, figures) in MEASURED.iter().zip(&mut starts) {
                let (process, polled, answered) = self.start_and_invoke(function, round).await?;
                figures.first_poll.add(milliseconds(process.since_start(polled)));
                figures.first_response.add(milliseconds(process.since_start(answered)));
                process.end().await?;
            }
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{COLD_STARTS} cold starts each, in ms: the median (the middle half)\n")?;
        writeln!(out, "| | asks for an event | ratio | has answered | ratio |")?;
        writeln!(out, "| --- | --- | --- | --- | --- |")?;
        let [empty, ..] = &starts;
        for (function, start) in MEASURED.iter().zip(&starts) {
            let asks = start.first_poll.median() / empty.first_poll.median();
            let answers = start.first_response.median() / empty.first_response.median();
            let ColdStarts { first_poll, first_response } = start;
            writeln!(out, "| {function} | {first_poll} | {asks:.2} | {first_response} | {answers:.2} |")?;
        }
        Ok(())
    }

    async fn warm(&self) -> Outcome {
        let mut functions = Vec::new();
        for function in MEASURED {
            functions.push((function, self.start_and_invoke(function, COLD_STARTS).await?.0));
        }
        for number in 1..WARM_UPS {
            self.round(&mut functions, COLD_STARTS + number).await?;
        }
        let mut before = Vec::new();
        for (_, process) in &functions {
            before.push(processor_time(process.id()?)?);
        }
        for number in 0..WARM_INVOCATIONS {
            self.round(&mut functions, COLD_STARTS + WARM_UPS + number).await?;
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{WARM_INVOCATIONS} warm invocations each\n")?;
        writeln!(out, "| | processor time of one | peak memory |")?;
        writeln!(out, "| --- | --- | --- |")?;
        for ((function, process), before) in functions.into_iter().zip(before) {
            let each = milliseconds(processor_time(process.id()?)? - before) / WARM_INVOCATIONS as f64;
            let memory = peak_memory_mib(process.id()?).ok_or("the function has ended")?;
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

pub(crate) fn expect(found: &Value, wanted: &Value, answer: &Value) -> Outcome {
    if found == wanted { Ok(()) } else { Err(format!("wanted {wanted}, got {answer}").into()) }
}
