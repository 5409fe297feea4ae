//! Following a job to its end: a progress bar, or lines where standard error is no terminal.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::JobKind;
use super::job_table::outcome;
use crate::client::{ApiClient, Call, Job, decode};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::{output, signals};

/// The time between two looks at a job.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Follows a job until it is over, and gives it as it came; none where a signal asked to end before. The job goes on then, and
/// how to come back to it is said.
///
/// # Errors
///
/// The job cannot be read; or it is over, and a resend failed or it was stopped.
pub(in crate::commands) async fn follow(
    client: &ApiClient,
    kind: JobKind,
    id: &str,
) -> CommandResult<Option<bytes::Bytes>> {
    let end_requested = signals::termination()?;
    tokio::select! {
        body = until_over(client, kind, id) => {
            let body = body?;
            verdict(&decode(&body)?)?;
            Ok(Some(body))
        }
        () = end_requested => {
            let id = clean(id);
            output::note(format_args!(
                "\nthe job goes on by itself: `loanhook jobs {id}` follows it, `loanhook jobs {id} --stop` stops it, \
                 `loanhook jobs` lists all"
            ));
            Ok(None)
        }
    }
}

async fn until_over(client: &ApiClient, kind: JobKind, id: &str) -> CommandResult<bytes::Bytes> {
    let call = Call::get(&["v1", kind.path, id]);
    let mut shown = Shown::new();
    loop {
        let body = client.send_with_retries(&call).await?;
        let job: Job = decode(&body)?;
        shown.show(&job)?;
        if job.is_over() {
            shown.bar.finish_and_clear();
            output::note(format_args!("{}: {}", clean(&job.status), outcome(&job)));
            return Ok(body);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// What was shown of a job so far.
struct Shown {
    bar: ProgressBar,
    is_terminal: bool,
    /// When the job was seen first, and how many items had ended then.
    first: Option<(Instant, u64)>,
    line: String,
}

impl Shown {
    fn new() -> Self {
        let is_terminal = io::stderr().is_terminal();
        let style = ProgressStyle::with_template("{wide_bar} {pos} of {len}, {msg}");
        let bar = if is_terminal { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, is_terminal, first: None, line: String::new() }
    }

    fn show(&mut self, job: &Job) -> CommandResult {
        let (since, before) = *self.first.get_or_insert_with(|| (Instant::now(), job.ended_items()));
        let rate = (job.ended_items() - before) as f64 / since.elapsed().as_secs_f64().max(0.001);
        let message = message(job, rate);
        if self.is_terminal {
            self.bar.set_length(job.total);
            self.bar.set_position(job.ended_items());
            self.bar.set_message(message);
            return Ok(());
        }
        // A line for each change, not for each look.
        let line = outcome(job);
        if line != self.line && !job.is_over() {
            output::note(format_args!("{line}, {message}"));
            self.line = line;
        }
        Ok(())
    }
}

/// Rate, failures and time left.
fn message(job: &Job, rate: f64) -> String {
    if !job.list_complete {
        return "listing".to_owned();
    }
    if job.status == "stopped" {
        return "waiting for what is on its way".to_owned();
    }
    // Nothing is faster than the pace for long.
    let pace = if rate > 0.0 { rate.min(job.per_second) } else { job.per_second };
    let left = Duration::from_secs_f64((job.left as f64 / pace).ceil());
    format!("{rate:.1}/s, {} failed, about {} left", job.failed, HumanDuration(left))
}

/// An error where not everything went well.
pub(super) fn verdict(job: &Job) -> CommandResult {
    match (job.reason.as_deref(), job.failed) {
        (Some("failures"), _) => {
            Err("the job stopped, since too many resends in a row failed".to_owned().into())
        }
        (Some(_), _) => Err("the job was stopped before its list ended".to_owned().into()),
        (None, 0) => Ok(()),
        (None, failed) => Err(format!("{failed} of {} resends failed", failed + job.succeeded).into()),
    }
}
