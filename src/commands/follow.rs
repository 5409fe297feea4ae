//! Following a list, newest first: fetches it every second, and prints each item that is new or has changed.
//!
//! An item changes until it has ended, and a filter may let an old item in when it changes. So each fetch begins a little before
//! the newest item that was seen, or at the oldest that has not ended; where the filter asks for what changes, at the oldest item
//! of the first page. The times are those of the server: the clock of this machine is not used.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::client::{ApiClient, Call, Page, decode};
use crate::error::CommandResult;
use crate::terminal::format::parse_time;
use crate::terminal::{output, signals};

/// The time between two fetches.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How far before the newest item a fetch begins: longer than a request may last.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// An item of a list that is followed.
pub(super) trait Followed: DeserializeOwned {
    fn id(&self) -> &str;
    /// By this the list is sorted.
    fn time(&self) -> &str;
    /// What changes of it, as far as it is shown.
    fn state(&self) -> String;
    /// Whether its state is final.
    fn has_ended(&self) -> bool;
}

/// What is followed.
pub(super) struct FollowedList<'a> {
    /// The call of the list, without cursor and limit.
    pub(super) call: Call,
    /// How many items the first page has.
    pub(super) limit: Option<u32>,
    /// The filter `from` of the call.
    pub(super) from: Option<&'a str>,
    /// Whether the filter asks for what changes of an item.
    pub(super) filters_changes: bool,
}

/// Follows a list until a signal asks this process to end. `print` gets what is new or has changed, oldest first.
pub(super) async fn run<T: Followed>(
    client: &ApiClient,
    list: &FollowedList<'_>,
    print: impl FnMut(Vec<(T, &RawValue)>) -> CommandResult,
) -> CommandResult {
    let end_requested = signals::termination()?;
    tokio::select! {
        result = follow(client, list, print) => result,
        () = end_requested => Ok(()),
    }
}

async fn follow<T: Followed>(
    client: &ApiClient,
    list: &FollowedList<'_>,
    mut print: impl FnMut(Vec<(T, &RawValue)>) -> CommandResult,
) -> CommandResult {
    let mut printed = PrintedItems { filters_changes: list.filters_changes, ..PrintedItems::default() };
    let mut error_was_noted = false;
    loop {
        match fetch(client, list, &printed).await {
            Ok(items) => {
                error_was_noted = false;
                let changed = printed.new_or_changed(&items)?;
                if !changed.is_empty() {
                    print(changed)?;
                }
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

/// The items that may be new or changed, newest first. The first fetch is one page.
async fn fetch(
    client: &ApiClient,
    list: &FollowedList<'_>,
    printed: &PrintedItems,
) -> CommandResult<Vec<Box<RawValue>>> {
    let mut call = list.call.clone().query("limit", list.limit);
    let Some(horizon) = printed.horizon() else {
        return Ok(client.fetch::<Page>(&call).await?.items);
    };
    if list.from.is_none_or(|from| parse_time(from).is_some_and(|from| from < horizon)) {
        call = call.replace_query("from", horizon.to_rfc3339_opts(SecondsFormat::Millis, true));
    }
    client.fetch_all_items(&call).await
}

/// The items of the last fetch, as they were printed.
#[derive(Default)]
struct PrintedItems {
    items: HashMap<String, PrintedItem>,
    newest: Option<DateTime<Utc>>,
    /// The oldest item of the first page: items before it are not shown.
    oldest: Option<DateTime<Utc>>,
    filters_changes: bool,
}

struct PrintedItem {
    state: String,
    time: Option<DateTime<Utc>>,
    has_ended: bool,
}

impl PrintedItems {
    /// Where the next fetch begins; none before there were items.
    fn horizon(&self) -> Option<DateTime<Utc>> {
        if self.filters_changes {
            return self.oldest;
        }
        let not_ended = self.items.values().filter(|item| !item.has_ended).filter_map(|item| item.time);
        Some(not_ended.fold(self.newest? - OVERLAP, Ord::min).max(self.oldest?))
    }

    /// The items of a fetch that are new, or have another state than when they were printed; oldest first.
    fn new_or_changed<'a, T: Followed>(
        &mut self,
        items: &'a [Box<RawValue>],
    ) -> CommandResult<Vec<(T, &'a RawValue)>> {
        let mut before = std::mem::take(&mut self.items);
        let mut changed = Vec::new();
        for raw in items.iter().rev() {
            let item: T = decode(raw.get().as_bytes())?;
            let printed = PrintedItem {
                state: item.state(),
                time: parse_time(item.time()),
                has_ended: item.has_ended(),
            };
            self.newest = self.newest.max(printed.time);
            // The first item ever is the oldest of the first page.
            self.oldest = self.oldest.or(printed.time);
            let is_changed = before.remove(item.id()).is_none_or(|before| before.state != printed.state);
            self.items.insert(item.id().to_owned(), printed);
            if is_changed {
                changed.push((item, raw.as_ref()));
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::PrintedItems;
    use crate::client::Row;

    fn row(id: &str, sent_at: &str, outcome: &str) -> Box<RawValue> {
        let row = serde_json::json!({"id": id, "traceId": "t", "loanId": "727", "eventTitle": "T", "eventName": "E",
            "subscriptionId": "s", "attemptNumber": 1, "manual": false, "resends": 0, "outcome": outcome, "sentAt": sent_at});
        RawValue::from_string(row.to_string()).expect("JSON")
    }

    fn ids(printed: &mut PrintedItems, items: &[Box<RawValue>]) -> Vec<String> {
        let changed = printed.new_or_changed::<Row>(items).expect("rows");
        changed.into_iter().map(|(row, _)| row.id).collect()
    }

    fn horizon(printed: &PrintedItems) -> String {
        printed.horizon().expect("rows were fetched").to_rfc3339()
    }

    #[test]
    fn an_item_is_printed_when_it_is_new_and_when_its_state_changes() {
        let mut printed = PrintedItems::default();
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
        let mut printed = PrintedItems::default();
        assert_eq!(ids(&mut printed, &[row("2", "2026-11-23T10:00:30Z", "failed")]), ["2"]);
        assert_eq!(horizon(&printed), "2026-11-23T10:00:30+00:00");
    }

    #[test]
    fn where_changes_are_filtered_each_fetch_begins_where_the_first_page_did() {
        let mut printed = PrintedItems { filters_changes: true, ..PrintedItems::default() };
        let old = row("1", "2026-11-23T10:00:00Z", "failed");
        let new = row("2", "2026-11-23T10:05:00Z", "failed");
        assert_eq!(ids(&mut printed, &[new, old]), ["1", "2"]);
        assert_eq!(horizon(&printed), "2026-11-23T10:00:00+00:00");
    }
}
