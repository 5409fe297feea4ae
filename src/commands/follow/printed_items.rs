//! Items of a list that were printed, as far as they may be printed again, and where the next fetch of the list begins.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::Followed;
use crate::client::decode;
use crate::error::CommandResult;
use crate::terminal::format::parse_time;

/// How far before the newest item a fetch begins: longer than a request may last.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);
/// So many items that have not ended are watched besides those that a fetch has.
pub(super) const MAX_WATCHED: usize = 100;
/// So many of them are looked at after a fetch: a follower makes few requests a second.
const LOOKS_PER_POLL: usize = 20;

pub(super) struct PrintedItems {
    items: HashMap<String, PrintedItem>,
    newest: Option<DateTime<Utc>>,
    /// The oldest item of the first page: items before it are not shown.
    oldest: Option<DateTime<Utc>>,
    /// Items that have not ended are watched, in place of being fetched with the list.
    watches: bool,
    /// There were more to watch than are watched.
    pub(super) left_some_out: bool,
    looks: u64,
}

struct PrintedItem {
    state: String,
    time: Option<DateTime<Utc>>,
    has_ended: bool,
    /// The last fetch has it.
    is_listed: bool,
    /// The number of the look at it, of all that there were; zero before the first.
    look: u64,
}

impl PrintedItem {
    fn of(item: &impl Followed) -> Self {
        let time = parse_time(item.time());
        Self { state: item.state(), time, has_ended: item.has_ended(), is_listed: true, look: 0 }
    }
}

impl PrintedItems {
    pub(super) fn new(watches: bool) -> Self {
        Self { items: HashMap::new(), newest: None, oldest: None, watches, left_some_out: false, looks: 0 }
    }

    /// Where the next fetch begins; none before there were items.
    pub(super) fn horizon(&self) -> Option<DateTime<Utc>> {
        let mut horizon = self.newest? - OVERLAP;
        if !self.watches {
            let not_ended = self.items.values().filter(|item| !item.has_ended);
            horizon = not_ended.filter_map(|item| item.time).fold(horizon, Ord::min);
        }
        Some(self.oldest.map_or(horizon, |oldest| horizon.max(oldest)))
    }

    /// The items of a fetch that are new, or have another state than when they were printed; oldest first. `newest` is how far
    /// the list was read, where that is known.
    pub(super) fn new_or_changed<'a, T: Followed>(
        &mut self,
        items: &'a [Box<RawValue>],
        newest: Option<DateTime<Utc>>,
    ) -> CommandResult<Vec<(T, &'a RawValue)>> {
        let mut before = std::mem::take(&mut self.items);
        let mut changed = Vec::new();
        self.newest = self.newest.max(newest);
        for raw in items.iter().rev() {
            let item: T = decode(raw.get().as_bytes())?;
            let printed = PrintedItem::of(&item);
            self.newest = self.newest.max(printed.time);
            // The first item ever is the oldest of the first page.
            self.oldest = self.oldest.or(printed.time);
            let is_changed = before.remove(item.id()).is_none_or(|before| before.state != printed.state);
            self.items.insert(item.id().to_owned(), printed);
            if is_changed {
                changed.push((item, raw.as_ref()));
            }
        }
        if self.watches {
            self.watch(before);
        }
        Ok(changed)
    }

    /// Watches the newest of these that have not ended.
    fn watch(&mut self, unlisted: HashMap<String, PrintedItem>) {
        let mut watched: Vec<_> = unlisted.into_iter().filter(|(_, item)| !item.has_ended).collect();
        watched.sort_by_key(|(_, item)| Reverse(item.time));
        self.left_some_out |= watched.len() > MAX_WATCHED;
        watched.truncate(MAX_WATCHED);
        let unlisted = |(id, item)| (id, PrintedItem { is_listed: false, ..item });
        self.items.extend(watched.into_iter().map(unlisted));
    }

    /// The items to look at now: those that were not looked at for the longest time.
    pub(super) fn to_look_at(&self) -> Vec<String> {
        let watched = self.items.iter().filter(|(_, item)| !item.is_listed && !item.has_ended);
        let mut watched: Vec<_> = watched.collect();
        watched.sort_by_key(|(_, item)| (item.look, Reverse(item.time)));
        watched.into_iter().take(LOOKS_PER_POLL).map(|(id, _)| id.clone()).collect()
    }

    /// The item that was looked at, if it has another state than when it was printed.
    pub(super) fn looked_at<'a, T: Followed>(
        &mut self,
        id: &str,
        raw: Option<&'a RawValue>,
    ) -> CommandResult<Option<(T, &'a RawValue)>> {
        let before = self.items.remove(id);
        let Some(raw) = raw else { return Ok(None) };
        let item: T = decode(raw.get().as_bytes())?;
        self.looks += 1;
        let printed = PrintedItem { is_listed: false, look: self.looks, ..PrintedItem::of(&item) };
        let is_changed = before.is_none_or(|before| before.state != printed.state);
        self.items.insert(id.to_owned(), printed);
        Ok(is_changed.then_some((item, raw)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::value::RawValue;

    use super::{LOOKS_PER_POLL, MAX_WATCHED, PrintedItems};
    use crate::client::Row;

    fn row(id: &str, sent_at: &str, outcome: &str) -> Box<RawValue> {
        let row = serde_json::json!({"id": id, "traceId": "t", "loanId": "727", "eventTitle": "T", "eventName": "E",
            "subscriptionId": "s", "attemptNumber": 1, "manual": false, "resends": 0, "outcome": outcome, "sentAt": sent_at});
        RawValue::from_string(row.to_string()).expect("JSON")
    }

    fn ids(printed: &mut PrintedItems, items: &[Box<RawValue>]) -> Vec<String> {
        let changed = printed.new_or_changed::<Row>(items, None).expect("rows");
        changed.into_iter().map(|(row, _)| row.id).collect()
    }

    fn horizon(printed: &PrintedItems) -> String {
        printed.horizon().expect("rows were fetched").to_rfc3339()
    }

    #[test]
    fn an_item_is_printed_when_it_is_new_and_when_its_state_changes() {
        let mut printed = PrintedItems::new(false);
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
        let mut printed = PrintedItems::new(false);
        assert_eq!(ids(&mut printed, &[row("2", "2026-11-23T10:00:30Z", "failed")]), ["2"]);
        assert_eq!(horizon(&printed), "2026-11-23T10:00:30+00:00");
    }

    #[test]
    fn where_items_change_late_a_fetch_begins_before_the_newest() {
        let mut printed = PrintedItems::new(true);
        let at = |time: &str| crate::terminal::format::parse_time(time);
        // Nothing passes the filters so far.
        let none = printed.new_or_changed::<Row>(&[], at("2026-11-23T10:00:00Z")).expect("rows");
        assert!(none.is_empty());
        assert_eq!(horizon(&printed), "2026-11-23T09:59:00+00:00");

        let first = row("1", "2026-11-23T10:00:30Z", "sending");
        assert_eq!(ids(&mut printed, std::slice::from_ref(&first)), ["1"]);
        assert!(printed.to_look_at().is_empty(), "the fetch has it");
        printed.new_or_changed::<Row>(&[], at("2026-11-23T11:00:00Z")).expect("rows");
        assert_eq!(horizon(&printed), "2026-11-23T10:59:00+00:00", "it has not ended, and is not read again");

        assert_eq!(printed.to_look_at(), ["1"]);
        assert!(printed.looked_at::<Row>("1", Some(&first)).expect("a row").is_none(), "as it was");
        let ended = row("1", "2026-11-23T10:00:30Z", "failed");
        let (changed, _) = printed.looked_at::<Row>("1", Some(&ended)).expect("a row").expect("it changed");
        assert_eq!(changed.outcome, "failed");
        assert!(printed.to_look_at().is_empty(), "it has ended");
        assert!(!printed.left_some_out);
    }

    #[test]
    fn the_newest_that_have_not_ended_are_looked_at_in_turn() {
        let mut printed = PrintedItems::new(true);
        let time = |n: usize| format!("2026-11-23T10:{:02}:{:02}Z", n / 60, n % 60);
        let rows: Vec<_> =
            (0..=MAX_WATCHED).rev().map(|n| row(&n.to_string(), &time(n), "sending")).collect();
        ids(&mut printed, &rows);
        assert!(!printed.left_some_out, "the fetch has them all");
        ids(&mut printed, &[]);
        assert!(printed.left_some_out);
        let mut seen = BTreeSet::new();
        for _ in 0..MAX_WATCHED / LOOKS_PER_POLL {
            let looks = printed.to_look_at();
            assert_eq!(looks.len(), LOOKS_PER_POLL);
            for id in looks {
                printed
                    .looked_at::<Row>(&id, Some(&rows[MAX_WATCHED - id.parse::<usize>().expect("a number")]))
                    .expect("a row");
                seen.insert(id);
            }
            ids(&mut printed, &[]);
        }
        assert_eq!(seen, (1..=MAX_WATCHED).map(|n| n.to_string()).collect(), "each, but not the oldest");
        printed.looked_at::<Row>("1", None).expect("no row");
        assert!(!printed.to_look_at().contains(&"1".to_owned()), "it is there no more");
    }
}
