//! `loanhook history LOAN --follow`: fetches the rows of a loan every second, and prints each that is new or has changed.
//!
//! A row changes as long as its request lasts, and a filter may let an old row in when it changes. So each fetch begins a
//! little before the newest row that was seen, or at the oldest that has not ended. The times are those of the server:
//! the clock of this machine is not used.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::HistoryArgs;
use crate::client::{ApiClient, Page, Row, decode};
use crate::commands::attempt_table::{self, Layout};
use crate::error::CommandResult;
use crate::terminal::format::parse_time;
use crate::terminal::{output, signals};

/// The time between two fetches.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How far before the newest row a fetch begins: longer than a request may last.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

pub(super) async fn run(client: &ApiClient, args: &HistoryArgs) -> CommandResult {
    let end_requested = signals::termination()?;
    tokio::select! {
        result = follow(client, args) => result,
        () = end_requested => Ok(()),
    }
}

async fn follow(client: &ApiClient, args: &HistoryArgs) -> CommandResult {
    let layout = Layout::for_output(args.wide, true);
    if !args.connection.json {
        attempt_table::note_shortened_ids(layout);
        output::line(layout.with_head(&[]))?;
    }
    let mut printed = PrintedRows::default();
    let mut error_was_noted = false;
    loop {
        match fetch_rows(client, args, &printed).await {
            Ok(items) => {
                error_was_noted = false;
                print(&printed.new_or_changed(&items)?, args, layout)?;
            }
            Err(error) if error.is_transient() => {
                if !error_was_noted {
                    output::note(format_args!("{error}; trying again"));
                }
                error_was_noted = true;
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// The rows that may be new or changed, newest first. The first fetch is one page.
async fn fetch_rows(
    client: &ApiClient,
    args: &HistoryArgs,
    printed: &PrintedRows,
) -> CommandResult<Vec<Box<RawValue>>> {
    let mut call = args.call().query("limit", args.limit);
    let Some(horizon) = printed.horizon() else {
        return Ok(client.fetch::<Page>(&call).await?.items);
    };
    let from = args.filters.from.as_deref();
    if from.is_none_or(|from| parse_time(from).is_some_and(|from| from < horizon)) {
        call = call.replace_query("from", horizon.to_rfc3339_opts(SecondsFormat::Millis, true));
    }
    client.fetch_all_items(&call).await
}

fn print(changed: &[(Row, &RawValue)], args: &HistoryArgs, layout: Layout) -> CommandResult {
    if args.connection.json {
        return changed.iter().try_for_each(|(_, item)| output::line(item));
    }
    if changed.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = changed.iter().map(|(row, _)| row.clone()).collect();
    output::line(layout.without_head(&rows))
}

/// The rows of the last fetch, as they were printed.
#[derive(Default)]
struct PrintedRows {
    rows: HashMap<String, PrintedRow>,
    newest: Option<DateTime<Utc>>,
    /// The oldest row of the first page: rows before it are not shown.
    oldest: Option<DateTime<Utc>>,
}

struct PrintedRow {
    outcome: String,
    sent_at: Option<DateTime<Utc>>,
    has_ended: bool,
}

impl PrintedRows {
    /// Where the next fetch begins; none before there were rows.
    fn horizon(&self) -> Option<DateTime<Utc>> {
        let not_ended = self.rows.values().filter(|row| !row.has_ended).filter_map(|row| row.sent_at);
        Some(not_ended.fold(self.newest? - OVERLAP, Ord::min).max(self.oldest?))
    }

    /// The rows of a fetch that are new, or have another outcome than when they were printed; oldest first.
    fn new_or_changed<'a>(&mut self, items: &'a [Box<RawValue>]) -> CommandResult<Vec<(Row, &'a RawValue)>> {
        let mut before = std::mem::take(&mut self.rows);
        let mut changed = Vec::new();
        for item in items.iter().rev() {
            let row: Row = decode(item.get().as_bytes())?;
            let printed = PrintedRow {
                outcome: row.outcome.clone(),
                sent_at: parse_time(&row.sent_at),
                has_ended: row.has_ended(),
            };
            self.newest = self.newest.max(printed.sent_at);
            // The first row ever is the oldest of the first page.
            self.oldest = self.oldest.or(printed.sent_at);
            if before.remove(&row.id).is_none_or(|before| before.outcome != printed.outcome) {
                changed.push((row.clone(), item.as_ref()));
            }
            self.rows.insert(row.id, printed);
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::PrintedRows;

    fn row(id: &str, sent_at: &str, outcome: &str) -> Box<RawValue> {
        let row = serde_json::json!({"id": id, "traceId": "t", "loanId": "727", "eventTitle": "T", "eventName": "E",
            "subscriptionId": "s", "attemptNumber": 1, "manual": false, "resends": 0, "outcome": outcome, "sentAt": sent_at});
        RawValue::from_string(row.to_string()).expect("JSON")
    }

    fn ids(printed: &mut PrintedRows, items: &[Box<RawValue>]) -> Vec<String> {
        printed.new_or_changed(items).expect("rows").into_iter().map(|(row, _)| row.id).collect()
    }

    fn horizon(printed: &PrintedRows) -> String {
        printed.horizon().expect("rows were fetched").to_rfc3339()
    }

    #[test]
    fn a_row_is_printed_when_it_is_new_and_when_its_outcome_changes() {
        let mut printed = PrintedRows::default();
        let old = row("1", "2026-11-23T10:00:00Z", "sending");
        let new = row("2", "2026-11-23T10:05:00Z", "succeeded");
        assert_eq!(ids(&mut printed, &[new.clone(), old.clone()]), ["1", "2"]);
        assert_eq!(ids(&mut printed, &[new.clone(), old]), Vec::<String>::new());
        assert_eq!(horizon(&printed), "2026-11-23T10:00:00+00:00");

        assert_eq!(ids(&mut printed, &[new, row("1", "2026-11-23T10:00:00Z", "failed")]), ["1"]);
        assert_eq!(horizon(&printed), "2026-11-23T10:04:00+00:00");
    }

    #[test]
    fn a_fetch_never_begins_before_the_first_page() {
        let mut printed = PrintedRows::default();
        assert_eq!(ids(&mut printed, &[row("2", "2026-11-23T10:00:30Z", "failed")]), ["2"]);
        assert_eq!(horizon(&printed), "2026-11-23T10:00:30+00:00");
    }
}
