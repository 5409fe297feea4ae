//! `loanhook send FILE…`: events from files or standard input, byte for byte as they stand there.
//!
//! Everything is read first, so a file that is not JSON sends nothing. Events go in order, in batches,
//! each with an idempotency key made of the run's name and its place in it: a try that is repeated, by
//! itself or by a person who repeats the run, sends nothing twice.

mod batch;
mod event_file;

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use crate::Outcome;
use crate::arguments::Remote;
use crate::client::Client;
use crate::error::Failure;
use crate::terminal::format::count;
use crate::terminal::{input, output};
pub(crate) use batch::{Answer, Keyed, post};
pub(crate) use event_file::{Event, parse};

/// Fewer are sent before a bar would be read.
const WORTH_A_BAR: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Files with one event, an array of events, or an event a line; `-`, or none, is standard input
    files: Vec<PathBuf>,
    /// A name for this run: repeated with the same files within 24 hours, it sends only what is missing
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) async fn run(args: SendArgs) -> Outcome {
    let client = Client::of(&args.remote)?;
    let files = if args.files.is_empty() { vec![PathBuf::from("-")] } else { args.files };
    let texts =
        files.iter().map(|file| Ok((input::name(file), input::text(file)?))).collect::<Outcome<Vec<_>>>()?;
    let mut events = Vec::new();
    for (file, text) in &texts {
        events.extend(parse(file, text)?);
    }
    let run = args.run.unwrap_or_else(|| Uuid::new_v4().to_string());
    let keyed: Vec<_> =
        events.iter().enumerate().map(|(index, event)| Keyed::new(event.raw, &run, index)).collect();

    let mut sent = Sent::default();
    let outcome = send(&client, &events, &keyed, &mut sent).await;
    let printed = match (&outcome, args.remote.json) {
        (Err(_), _) if sent.results.is_empty() => Ok(()),
        (_, true) => sent.print_json(),
        (_, false) => sent.print(),
    };
    if let Err(failure) = outcome {
        return Err(sent.interrupted(events.len(), &run, failure));
    }
    if sent.refused > 0 {
        let of = count(events.len(), "event was", "events were");
        return Err(format!("{} of {of} not accepted", sent.refused).into());
    }
    printed
}

async fn send(client: &Client, events: &[Event<'_>], keyed: &[Keyed], sent: &mut Sent) -> Outcome {
    let bar = progress_bar(events.len());
    let mut start = 0;
    for batch in batch::batches(keyed) {
        let answers = post(client, batch).await?;
        for (event, answer) in events[start..].iter().zip(answers) {
            if let Some(problem) = answer.problem() {
                bar.suspend(|| output::note(format_args!("{}: {problem}", event.place)));
            }
            sent.add(answer);
        }
        start += batch.len();
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Shows nothing where standard error is no terminal.
fn progress_bar(events: usize) -> ProgressBar {
    if events <= WORTH_A_BAR {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} events, {eta} to go");
    ProgressBar::new(events as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What became of the events that were sent.
#[derive(Default)]
struct Sent {
    accepted: usize,
    refused: usize,
    deliveries: usize,
    results: Vec<Answer>,
}

impl Sent {
    fn add(&mut self, answer: Answer) {
        match answer.deliveries() {
            Some(deliveries) => {
                self.accepted += 1;
                self.deliveries += deliveries;
            }
            None => self.refused += 1,
        }
        self.results.push(answer);
    }

    fn print(&self) -> Outcome {
        let events = count(self.accepted, "event", "events");
        output::line(format_args!("{events} accepted, {}", count(self.deliveries, "delivery", "deliveries")))
    }

    fn print_json(&self) -> Outcome {
        let results: Vec<_> = self.results.iter().map(Answer::raw).collect();
        output::line(format_args!(
            "{{\"accepted\":{},\"refused\":{},\"deliveries\":{},\"results\":[{}]}}",
            self.accepted,
            self.refused,
            self.deliveries,
            results.join(",\n")
        ))
    }

    /// Why not everything was sent, and how to send the rest.
    fn interrupted(&self, events: usize, run: &str, failure: Failure) -> Failure {
        if self.results.is_empty() {
            return failure;
        }
        let unsent = events - self.results.len();
        Failure::Message(format!(
            "{failure}; {} not sent, `--run {run}` with the same files sends what is missing",
            count(unsent, "event was", "events were")
        ))
    }
}
