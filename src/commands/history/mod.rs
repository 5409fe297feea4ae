//! `loanhook history LOAN`: the attempts of a loan, newest first, or as they begin and end.

mod filters;

use clap::Args;
use serde_json::value::RawValue;

use super::attempt_table::{self, Layout};
use super::follow::{self, Followed, FollowedList};
use super::list_pages::ListPages;
use crate::client::{ApiClient, Call, ConnectionArgs, Row, decode};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::output;
pub(super) use filters::Filters;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The loan
    loan: String,
    /// How many rows a page has (1 to 200) [default: 50]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where a page ended
    #[arg(long, value_name = "CURSOR", conflicts_with = "follow")]
    cursor: Option<String>,
    /// All pages, to the history's end
    #[arg(long, conflicts_with = "follow")]
    all: bool,
    /// Stay, and show attempts as they begin and end; Ctrl-C ends it
    #[arg(long, short)]
    follow: bool,
    /// Whole IDs and titles, even where the terminal is too narrow
    #[arg(long)]
    wide: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    filters: Filters,
}

impl HistoryArgs {
    /// The call of the list, without cursor and limit.
    fn call(&self) -> Call {
        self.filters.apply(Call::get(&["v1", "loans", &self.loan, "webhooks"]))
    }
}

pub(crate) async fn run(args: &HistoryArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    if args.follow {
        return follow(&client, args).await;
    }
    let pages = ListPages::new(args.call(), args.cursor.as_ref(), args.limit, args.all);
    if args.connection.json {
        pages.print_json(&client).await
    } else {
        print_table(&client, args, pages).await
    }
}

impl Followed for Row {
    fn id(&self) -> &str {
        &self.id
    }

    fn time(&self) -> &str {
        &self.sent_at
    }

    fn state(&self) -> String {
        self.outcome.clone()
    }

    fn has_ended(&self) -> bool {
        Self::has_ended(self)
    }
}

async fn follow(client: &ApiClient, args: &HistoryArgs) -> CommandResult {
    let from = args.filters.from.as_deref();
    let list = FollowedList { call: args.call(), limit: args.limit, from, changes: None };
    if args.connection.json {
        let print =
            |changed: Vec<(Row, &RawValue)>| changed.iter().try_for_each(|(_, item)| output::line(item));
        return follow::run(client, &list, print).await;
    }
    let layout = Layout::for_output(args.wide, true);
    attempt_table::note_shortened_ids(layout);
    output::line(layout.with_head(&[]))?;
    follow::run(client, &list, |changed| {
        let rows: Vec<_> = changed.into_iter().map(|(row, _)| row).collect();
        output::line(layout.without_head(&rows))
    })
    .await
}

async fn print_table(client: &ApiClient, args: &HistoryArgs, mut pages: ListPages) -> CommandResult {
    let layout = Layout::for_output(args.wide, args.all);
    let mut printed_any = false;
    while let Some(items) = pages.next(client).await? {
        let rows = decode_rows(&items)?;
        if rows.is_empty() {
            continue;
        }
        output::line(if printed_any { layout.without_head(&rows) } else { layout.with_head(&rows) })?;
        printed_any = true;
    }
    if printed_any {
        attempt_table::note_shortened_ids(layout);
    } else {
        output::note(format_args!(
            "nothing{} was sent for loan {}",
            args.filters.note_suffix(),
            clean(&args.loan)
        ));
    }
    pages.note_more();
    Ok(())
}

fn decode_rows(items: &[Box<RawValue>]) -> CommandResult<Vec<Row>> {
    items.iter().map(|item| decode(item.get().as_bytes())).collect()
}
