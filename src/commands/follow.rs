//! Following a list, newest first: fetches it every second, and prints each item that is new or has changed.
//!
//! Each fetch begins a little before the newest item that was seen. An item changes until it has ended. Where items end soon, a
//! fetch begins at the oldest that has not ended. Where they may change long after they came, see [`LateChanges`], those of them
//! that a fetch does not have are fetched by themselves: the newest of them, a few at a time. The times are those of the server:
//! the clock of this machine is not used.

mod printed_items;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::client::{ApiClient, Call, Page, decode};
use crate::error::{CommandError, CommandResult};
use crate::terminal::format::parse_time;
use crate::terminal::{output, signals};
use printed_items::{MAX_WATCHED, PrintedItems};

/// The time between two fetches.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

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
    /// None where items end soon after they came.
    pub(super) changes: Option<LateChanges>,
}

/// How items are followed that may change long after they came.
pub(super) struct LateChanges {
    /// The list without filters: its newest item says how far the list was read, also where no item passes the filters.
    pub(super) unfiltered: Call,
    /// One item by itself, in pages, by its ID.
    pub(super) item: fn(&str) -> Call,
    /// The item as the list has it, of the last page of that.
    pub(super) as_listed: fn(&[u8]) -> CommandResult<Box<RawValue>>,
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
    let mut printed = PrintedItems::new(list.changes.is_some());
    let mut error_was_noted = false;
    let mut more_were_noted = false;
    loop {
        match poll(client, list, &mut printed, &mut print).await {
            Ok(()) => error_was_noted = false,
            Err(error) if error.is_transient() => {
                if !error_was_noted {
                    output::note(format_args!("{error}; trying again"));
                }
                error_was_noted = true;
            }
            Err(error) => return Err(error),
        }
        if printed.left_some_out && !more_were_noted {
            output::note(format_args!(
                "more than {MAX_WATCHED} have not ended: changes of the older ones are not shown"
            ));
            more_were_noted = true;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Fetches the list once, and some of the items that it does not have and that may change.
async fn poll<T: Followed>(
    client: &ApiClient,
    list: &FollowedList<'_>,
    printed: &mut PrintedItems,
    mut print: impl FnMut(Vec<(T, &RawValue)>) -> CommandResult,
) -> CommandResult {
    // Before the list: what comes between the two is newer, so that the next fetch has it.
    let newest = match &list.changes {
        Some(changes) => newest::<T>(client, &changes.unfiltered).await?,
        None => None,
    };
    let items = fetch(client, list, printed).await?;
    let changed = printed.new_or_changed(&items, newest)?;
    if !changed.is_empty() {
        print(changed)?;
    }
    let Some(changes) = &list.changes else { return Ok(()) };
    for id in printed.to_look_at() {
        let item = look_at(client, changes, &id).await?;
        let changed = printed.looked_at(&id, item.as_deref())?;
        if let Some(changed) = changed {
            print(vec![changed])?;
        }
    }
    Ok(())
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

/// The time of the newest item of a list.
async fn newest<T: Followed>(client: &ApiClient, list: &Call) -> CommandResult<Option<DateTime<Utc>>> {
    let page: Page = client.fetch(&list.clone().query("limit", Some(1))).await?;
    let Some(item) = page.items.first() else { return Ok(None) };
    Ok(parse_time(decode::<T>(item.get().as_bytes())?.time()))
}

/// An item as it is now; none where it is there no more.
async fn look_at(
    client: &ApiClient,
    changes: &LateChanges,
    id: &str,
) -> CommandResult<Option<Box<RawValue>>> {
    #[derive(serde::Deserialize)]
    struct ItemPage {
        next: Option<String>,
    }

    let mut cursor = None;
    loop {
        let body = match client.send(&(changes.item)(id).query("cursor", cursor)).await {
            Err(CommandError::Refused { status: 404, .. }) => return Ok(None),
            body => body?,
        };
        cursor = decode::<ItemPage>(&body)?.next;
        if cursor.is_none() {
            return (changes.as_listed)(&body).map(Some);
        }
    }
}
