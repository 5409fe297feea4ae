//! `loanhook deliveries`: the deliveries of all loans, newest first, or as they come and change.

pub(super) mod delivery_table;
mod filters;

use std::collections::BTreeMap;

use clap::Args;
use serde_json::value::{RawValue, to_raw_value};

use super::follow::{self, Followed, FollowedList, LateChanges};
use super::list_pages::ListPages;
use crate::client::{ApiClient, Call, ConnectionArgs, ListedDelivery, MAX_ITEMS_PER_PAGE, decode};
use crate::error::CommandResult;
use crate::terminal::output;
pub(super) use filters::{DeliveryFilters, STATUSES};

#[derive(Debug, Args)]
pub(crate) struct DeliveriesArgs {
    /// How many deliveries a page has (1 to 200) [default: 50]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where a page ended
    #[arg(long, value_name = "CURSOR", conflicts_with = "follow")]
    cursor: Option<String>,
    /// All pages, to the end of the list
    #[arg(long, conflicts_with = "follow")]
    all: bool,
    /// Stay, and show deliveries as they come and change; Ctrl-C ends it
    ///
    /// Of those that were shown and have not ended, the newest 100 are watched, and shown again when they change, also where a
    /// filter does not let them pass any more. With a filter by status, reason, response code or error, a delivery that comes to
    /// pass it later is shown only if it was accepted at most 60 seconds before the newest, or is watched.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    filters: DeliveryFilters,
}

impl Followed for ListedDelivery {
    fn id(&self) -> &str {
        &self.trace_id
    }

    fn time(&self) -> &str {
        &self.accepted_at
    }

    fn state(&self) -> String {
        let newest = self.newest_attempt.as_ref().map(|row| (&row.id, &row.outcome));
        format!("{} {newest:?}", self.state_in_words())
    }

    fn has_ended(&self) -> bool {
        self.status != "pending" && self.newest_attempt.as_ref().is_none_or(|row| row.has_ended())
    }
}

pub(crate) async fn run(args: &DeliveriesArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    if args.follow {
        return follow(&client, args).await;
    }
    let pages = ListPages::new(args.filters.call(), args.cursor.as_ref(), args.limit, args.all);
    if args.connection.json {
        pages.print_json(&client).await
    } else {
        print_table(&client, args, pages).await
    }
}

async fn print_table(client: &ApiClient, args: &DeliveriesArgs, mut pages: ListPages) -> CommandResult {
    let mut printed_any = false;
    while let Some(items) = pages.next(client).await? {
        let deliveries = items.iter().map(|item| decode(item.get().as_bytes()));
        let deliveries: Vec<ListedDelivery> = deliveries.collect::<CommandResult<_>>()?;
        if deliveries.is_empty() {
            continue;
        }
        output::line(match (printed_any, args.all) {
            (true, row_by_row) => delivery_table::without_head(&deliveries, row_by_row),
            (false, row_by_row) => delivery_table::with_head(&deliveries, row_by_row),
        })?;
        printed_any = true;
    }
    if !printed_any {
        let like_that = if args.filters.is_empty() { "" } else { " like that" };
        output::note(format_args!("there is no delivery{like_that}"));
    }
    pages.note_more();
    Ok(())
}

async fn follow(client: &ApiClient, args: &DeliveriesArgs) -> CommandResult {
    let list = FollowedList {
        call: args.filters.call(),
        limit: args.limit,
        from: args.filters.since(),
        changes: Some(LateChanges {
            unfiltered: Call::get(&["v1", "webhooks"]),
            item: |trace| Call::get(&["v1", "webhooks", trace]).query("limit", Some(MAX_ITEMS_PER_PAGE)),
            as_listed,
        }),
    };
    if args.connection.json {
        let print = |changed: Vec<(ListedDelivery, &RawValue)>| {
            changed.iter().try_for_each(|(_, item)| output::line(item))
        };
        return follow::run(client, &list, print).await;
    }
    output::line(delivery_table::with_head(&[], true))?;
    follow::run(client, &list, |changed| {
        let deliveries: Vec<_> = changed.into_iter().map(|(delivery, _)| delivery).collect();
        output::line(delivery_table::without_head(&deliveries, true))
    })
    .await
}

/// A delivery as the list has it, of the last page of the delivery with its attempts, which are the oldest first.
fn as_listed(page: &[u8]) -> CommandResult<Box<RawValue>> {
    let mut delivery: BTreeMap<String, Box<RawValue>> = decode(page)?;
    delivery.remove("next");
    let attempts = delivery.remove("attempts");
    let attempts: Vec<Box<RawValue>> =
        attempts.map_or(Ok(Vec::new()), |attempts| decode(attempts.get().as_bytes()))?;
    let newest = attempts.into_iter().next_back().unwrap_or_else(|| RawValue::NULL.to_owned());
    delivery.insert("newestAttempt".to_owned(), newest);
    Ok(to_raw_value(&delivery).map_err(|error| error.to_string())?)
}
