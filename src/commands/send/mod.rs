//! `loanhook send FILE…`: events from files or standard input, byte for byte as they stand there.
//!
//! All files are read first, so a file that is not JSON sends nothing. Events are sent in order, in batches, each with an
//! idempotency key made of the name of the run and its number in it. So neither a retry nor a run that is repeated under
//! its name sends an event twice.

mod batch;
mod event_file;

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use crate::client::{ApiClient, ConnectionArgs};
use crate::error::{CommandError, CommandResult};
use crate::terminal::format::count;
use crate::terminal::{input, output};
pub(crate) use batch::{EventResult, KeyedEvent, post};
pub(crate) use event_file::{Event, parse};

/// So many events, or fewer, are sent too soon for a progress bar.
const MAX_EVENTS_WITHOUT_BAR: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Files with one event, an array of events, or an event a line; `-`, or none, is standard input
    files: Vec<PathBuf>,
    /// A name for this run: repeated with the same files within 24 hours, it sends only what is missing
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: SendArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let files = if args.files.is_empty() { vec![PathBuf::from("-")] } else { args.files };
    let texts = files
        .iter()
        .map(|file| Ok((input::name(file), input::read_text(file)?)))
        .collect::<CommandResult<Vec<_>>>()?;
    let mut events = Vec::new();
    for (file, text) in &texts {
        events.extend(parse(file, text)?);
    }
    let run = args.run.unwrap_or_else(|| Uuid::new_v4().to_string());
    let keyed: Vec<_> =
        events.iter().enumerate().map(|(index, event)| KeyedEvent::new(event.raw, &run, index)).collect();

    let mut report = SendReport::default();
    let result = send(&client, &events, &keyed, &mut report).await;
    let printed = match (&result, args.connection.json) {
        (Err(_), _) if report.results.is_empty() => Ok(()),
        (_, true) => report.print_json(),
        (_, false) => report.print(),
    };
    if let Err(error) = result {
        return Err(report.incomplete(events.len(), &run, error));
    }
    if report.refused > 0 {
        let of = count(events.len(), "event was", "events were");
        return Err(format!("{} of {of} not accepted", report.refused).into());
    }
    printed
}

async fn send(
    client: &ApiClient,
    events: &[Event<'_>],
    keyed: &[KeyedEvent],
    report: &mut SendReport,
) -> CommandResult {
    let bar = progress_bar(events.len());
    let mut start = 0;
    for batch in batch::batches(keyed) {
        let results = post(client, batch).await?;
        for (event, result) in events[start..].iter().zip(results) {
            if let Some(problem) = result.problem() {
                bar.suspend(|| output::note(format_args!("{}: {problem}", event.position)));
            }
            report.add(result);
        }
        start += batch.len();
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// A progress bar on standard error; hidden where that is no terminal, or where there are few events.
fn progress_bar(events: usize) -> ProgressBar {
    if events <= MAX_EVENTS_WITHOUT_BAR {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} events, {eta} to go");
    ProgressBar::new(events as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The results of the events that were sent.
#[derive(Default)]
struct SendReport {
    accepted: usize,
    refused: usize,
    deliveries: usize,
    results: Vec<EventResult>,
}

impl SendReport {
    fn add(&mut self, result: EventResult) {
        match result.deliveries() {
            Some(deliveries) => {
                self.accepted += 1;
                self.deliveries += deliveries;
            }
            None => self.refused += 1,
        }
        self.results.push(result);
    }

    fn print(&self) -> CommandResult {
        let events = count(self.accepted, "event", "events");
        output::line(format_args!("{events} accepted, {}", count(self.deliveries, "delivery", "deliveries")))
    }

    fn print_json(&self) -> CommandResult {
        let results: Vec<_> = self.results.iter().map(EventResult::raw).collect();
        output::line(format_args!(
            "{{\"accepted\":{},\"refused\":{},\"deliveries\":{},\"results\":[{}]}}",
            self.accepted,
            self.refused,
            self.deliveries,
            results.join(",\n")
        ))
    }

    /// The error that ended the run, with how to send the events that are left.
    fn incomplete(&self, events: usize, run: &str, error: CommandError) -> CommandError {
        if self.results.is_empty() {
            return error;
        }
        let unsent = events - self.results.len();
        CommandError::Message(format!(
            "{error}; {} not sent, `--run {run}` with the same files sends what is missing",
            count(unsent, "event was", "events were")
        ))
    }
}
