//! `loanhook report`: how many deliveries there were and what became of them, a row for each subscription, event name, hour
//! or day, with bars.

mod bars;
mod rows;

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use comfy_table::CellAlignment;

use crate::client::{ApiClient, Call, ConnectionArgs, Report, decode};
use crate::error::CommandResult;
use crate::since;
use crate::terminal::format::time;
use crate::terminal::{output, table};
use rows::{Row, rows};

/// A longer span is read by days, by subscription or event name: an answer has at most 6,500 rows, and a tenant 200 subscriptions.
const MAX_HOURS: i64 = 32;
/// How the time ends at which a day begins.
const MIDNIGHT: &str = "T00:00:00Z";

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Where the report begins: a time by RFC 3339, a day, today, yesterday, or how long ago (24h, 7d) [default: 24h]. By
    /// subscription or event, a report that begins more than 32 hours ago begins with the whole day
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    since: Option<String>,
    /// Where it ends [default: now]
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    until: Option<String>,
    /// What each row is of
    #[arg(long, value_enum, default_value_t = By::Subscription)]
    by: By,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    Subscription,
    Event,
    Hour,
    Day,
}

impl By {
    /// `group` of the call.
    const fn group(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Event => "event",
            Self::Hour | Self::Day => "none",
        }
    }

    const fn head(self) -> &'static str {
        match self {
            Self::Subscription => "Subscription",
            Self::Event => "Event",
            Self::Hour => "Hour",
            Self::Day => "Day",
        }
    }
}

impl ReportArgs {
    fn call(&self, now: DateTime<Utc>) -> Call {
        let is_long = |since: &String| {
            let since = DateTime::parse_from_rfc3339(since).ok();
            since.is_some_and(|since| now.signed_duration_since(since) >= TimeDelta::hours(MAX_HOURS))
        };
        // Of whole days to now both say the same, and days are read sooner.
        let is_of_days = |since: &String| self.until.is_none() && since.ends_with(MIDNIGHT);
        let period = match self.by {
            By::Day => "day",
            By::Subscription | By::Event
                if self.since.as_ref().is_some_and(|since| is_long(since) || is_of_days(since)) =>
            {
                "day"
            }
            _ => "hour",
        };
        Call::get(&["v1", "reports", "deliveries"])
            .query("from", self.since.as_ref())
            .query("to", self.until.as_ref())
            .query("by", Some(period))
            .query("group", Some(self.by.group()))
    }
}

pub(crate) async fn run(args: ReportArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let answer = client.send(&args.call(SystemTime::now().into())).await?;
    if args.connection.json {
        return output::json(&answer);
    }
    let report: Report = decode(&answer)?;
    let span = format!("{} to {}", time(&report.from), time(&report.to));
    if let Some(since) = report.counted_since.as_ref().filter(|since| **since > report.from) {
        output::note(format_args!("what was accepted or sent before {} is not counted", time(since)));
    }
    let rows = rows(args.by, &report);
    if rows.is_empty() {
        output::note(format_args!("nothing was accepted or sent from {span}"));
        return Ok(());
    }
    output::line(format_args!("{span}, without test sends\n"))?;
    print(args.by, &rows)?;
    output::line(format_args!("\n{}", bars::legend()))
}

fn print(by: By, rows: &[Row]) -> CommandResult {
    let has_events = rows.iter().any(|row| row.events.is_some());
    let mut head = vec![by.head()];
    head.extend(["Events", "Unmatched"].into_iter().filter(|_| has_events));
    head.extend([
        "Deliveries",
        "",
        "First",
        "Later",
        "Pending",
        "Exhausted",
        "Canceled",
        "Attempts",
        "Resends",
    ]);
    let mut table = table::new(&head, 2);
    let most = rows.iter().map(|row| row.deliveries).max().unwrap_or_default();
    for row in rows {
        let mut cells = vec![row.name.clone()];
        if has_events {
            let events = row.events.map(|(accepted, unmatched)| [accepted, unmatched]);
            cells.extend(
                events.map_or([String::new(), String::new()], |counts| counts.map(|of| of.to_string())),
            );
        }
        cells.push(row.deliveries.to_string());
        cells.push(bars::bar([row.first + row.later, row.pending, row.exhausted + row.canceled], most));
        let counts =
            [row.first, row.later, row.pending, row.exhausted, row.canceled, row.attempts, row.resends];
        cells.extend(counts.map(|count| count.to_string()));
        table.add_row(cells);
    }
    for (index, title) in head.iter().enumerate() {
        if index > 0
            && !title.is_empty()
            && let Some(column) = table.column_mut(index)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table::print(&table)
}
