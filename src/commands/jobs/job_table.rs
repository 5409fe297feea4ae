//! Jobs as a table and as labelled values.

use comfy_table::{Cell, Color, Table};

use super::JobKind;
use crate::client::Job;
use crate::terminal::format::{clean, time};
use crate::terminal::table;

const HEAD: [&str; 10] =
    ["Made", "ID", "Kind", "Status", "Total", "Succeeded", "Failed", "Skipped", "Superseded", "Left"];
const GAP: u16 = 2;

pub(super) fn table<'a>(jobs: impl IntoIterator<Item = (JobKind, &'a Job)>) -> Table {
    let mut table = table::new(&HEAD, GAP);
    table.add_rows(jobs.into_iter().map(|(kind, job)| {
        let numbers = [job.total, job.succeeded, job.failed, job.skipped, job.superseded, job.left];
        let texts = [time(&job.created_at), clean(&job.id), kind.name.to_owned()];
        let status = Cell::new(clean(&job.status)).fg(colour(&job.status));
        texts.into_iter().map(Cell::new).chain([status]).chain(numbers.map(Cell::new)).collect::<Vec<_>>()
    }));
    table
}

fn colour(status: &str) -> Color {
    match status {
        "done" => Color::Green,
        "running" => Color::Yellow,
        _ => Color::Red,
    }
}

pub(super) fn details(kind: JobKind, job: &Job) -> Vec<(&'static str, Option<String>)> {
    let status = match &job.reason {
        Some(reason) => format!("{} ({})", clean(&job.status), clean(reason)),
        None => clean(&job.status),
    };
    vec![
        ("Job", Some(clean(&job.id))),
        ("Kind", Some(kind.name.to_owned())),
        ("Status", Some(status)),
        ("Made", Some(format!("{} by {}", time(&job.created_at), clean(&job.requested_by)))),
        ("Ended", job.ended_at.as_deref().map(time)),
        ("Pace", Some(format!("{} a second", job.per_second))),
        ("Outcome", Some(outcome(job))),
    ]
}

/// `12 of 20: 10 succeeded, 1 failed, 1 skipped`.
pub(super) fn outcome(job: &Job) -> String {
    let parts = [
        (job.succeeded, "succeeded"),
        (job.failed, "failed"),
        (job.skipped, "skipped"),
        (job.superseded, "superseded"),
    ];
    let parts: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, of)| format!("{count} {of}")).collect();
    let begins = format!("{} of {}", job.ended_items(), job.total);
    if parts.is_empty() { begins } else { format!("{begins}: {}", parts.join(", ")) }
}
