//! `--follow`: asks every second and prints each row that is new or has changed.
//!
//! A row changes for as long as its request may last, and a filter may let an old row in when it
//! changes; so each look goes back a little behind the newest row seen, and as far as the oldest that
//! had not settled. The times are the server's: our clock plays no part.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::HistoryArgs;
use crate::Outcome;
use crate::client::{Client, Page, Row, decode};
use crate::commands::attempt_table::{self, Layout};
use crate::terminal::{output, signals};

const INTERVAL: Duration = Duration::from_secs(1);
/// Longer than a request may last.
const LOOK_BACK: TimeDelta = TimeDelta::seconds(60);

pub(super) async fn run(client: &Client, args: &HistoryArgs) -> Outcome {
    let ended = signals::asked_to_end()?;
    tokio::select! {
        outcome = follow(client, args) => outcome,
        () = ended => Ok(()),
    }
}

async fn follow(client: &Client, args: &HistoryArgs) -> Outcome {
    let layout = Layout::for_output(args.wide, true);
    if !args.remote.json {
        attempt_table::note_shortened(layout);
        output::line(layout.with_head(&[]))?;
    }
    let mut seen = Seen::default();
    let mut is_lost = false;
    loop {
        match look(client, args, &seen).await {
            Ok(items) => {
                is_lost = false;
                print(&seen.changed(&items)?, args, layout)?;
            }
            Err(failure) if failure.is_passing() => {
                if !is_lost {
                    output::note(format_args!("{failure}; trying again"));
                }
                is_lost = true;
            }
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The rows that may be new or changed, newest first. The first look is one page.
async fn look(client: &Client, args: &HistoryArgs, seen: &Seen) -> Outcome<Vec<Box<RawValue>>> {
    let since = seen.horizon();
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let mut call = args.call(args.limit, cursor.as_deref());
        if let Some(since) =
            since.filter(|since| args.filters.from.as_deref().is_none_or(|from| is_before(from, *since)))
        {
            call = call.query_instead("from", since.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
        let page: Page = client.read(&call).await?;
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || since.is_none() {
            return Ok(items);
        }
    }
}

fn is_before(rfc3339: &str, time: DateTime<Utc>) -> bool {
    DateTime::parse_from_rfc3339(rfc3339).is_ok_and(|parsed| parsed < time)
}

fn print(changed: &[(Row, &RawValue)], args: &HistoryArgs, layout: Layout) -> Outcome {
    if args.remote.json {
        return changed.iter().try_for_each(|(_, item)| output::line(item));
    }
    if changed.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = changed.iter().map(|(row, _)| row.clone()).collect();
    output::line(layout.without_head(&rows))
}

/// The rows that were printed and may still change or come again.
#[derive(Default)]
struct Seen {
    rows: HashMap<String, Printed>,
    newest: Option<DateTime<Utc>>,
    /// Where the first page ended: what is older was there before and is not shown.
    oldest: Option<DateTime<Utc>>,
}

#[derive(PartialEq)]
struct Printed {
    outcome: String,
    sent_at: Option<DateTime<Utc>>,
    is_settled: bool,
}

impl Seen {
    fn horizon(&self) -> Option<DateTime<Utc>> {
        let unsettled = self.rows.values().filter(|row| !row.is_settled).filter_map(|row| row.sent_at);
        Some(unsettled.fold(self.newest? - LOOK_BACK, Ord::min).max(self.oldest?))
    }

    /// Those of the rows that were not printed like this before, oldest first.
    fn changed<'a>(&mut self, items: &'a [Box<RawValue>]) -> Outcome<Vec<(Row, &'a RawValue)>> {
        let mut before = std::mem::take(&mut self.rows);
        let mut changed = Vec::new();
        for item in items.iter().rev() {
            let row: Row = decode(item.get().as_bytes())?;
            let printed = Printed {
                outcome: row.outcome.clone(),
                sent_at: DateTime::parse_from_rfc3339(&row.sent_at).ok().map(|time| time.to_utc()),
                is_settled: row.is_settled(),
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

    use super::Seen;

    fn row(id: &str, sent_at: &str, outcome: &str) -> Box<RawValue> {
        let row = serde_json::json!({"id": id, "traceId": "t", "loanId": "727", "eventTitle": "T", "eventName": "E",
            "subscriptionId": "s", "attemptNumber": 1, "manual": false, "resends": 0, "outcome": outcome, "sentAt": sent_at});
        RawValue::from_string(row.to_string()).expect("JSON")
    }

    fn ids(seen: &mut Seen, items: &[Box<RawValue>]) -> Vec<String> {
        seen.changed(items).expect("rows").into_iter().map(|(row, _)| row.id).collect()
    }

    fn horizon(seen: &Seen) -> String {
        seen.horizon().expect("rows were seen").to_rfc3339()
    }

    #[test]
    fn rows_are_printed_when_new_and_when_changed() {
        let mut seen = Seen::default();
        let old = row("1", "2026-11-23T10:00:00Z", "sending");
        let new = row("2", "2026-11-23T10:05:00Z", "succeeded");
        assert_eq!(ids(&mut seen, &[new.clone(), old.clone()]), ["1", "2"]);
        assert_eq!(ids(&mut seen, &[new.clone(), old]), Vec::<String>::new());
        assert_eq!(horizon(&seen), "2026-11-23T10:00:00+00:00");

        assert_eq!(ids(&mut seen, &[new, row("1", "2026-11-23T10:00:00Z", "failed")]), ["1"]);
        assert_eq!(horizon(&seen), "2026-11-23T10:04:00+00:00");
    }

    #[test]
    fn what_is_older_than_the_first_page_stays_away() {
        let mut seen = Seen::default();
        assert_eq!(ids(&mut seen, &[row("2", "2026-11-23T10:00:30Z", "failed")]), ["2"]);
        assert_eq!(horizon(&seen), "2026-11-23T10:00:30+00:00");
    }
}
