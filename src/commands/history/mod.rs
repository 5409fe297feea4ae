//! `loanhook history LOAN`: the attempts of a loan, newest first, or as they begin and end.

mod filters;
mod follow;

use clap::Args;
use serde_json::value::RawValue;

use super::attempt_table::{self, Layout};
use crate::client::{ApiClient, Call, ConnectionArgs, MAX_ITEMS_PER_PAGE, Page, Row, decode};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::output;
use filters::Filters;

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
    fn call(&self, limit: Option<u32>, cursor: Option<&str>) -> Call {
        self.filters
            .apply(Call::get(&["v1", "loans", &self.loan, "webhooks"]))
            .query("limit", limit)
            .query("cursor", cursor)
    }
}

pub(crate) async fn run(args: &HistoryArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    if args.follow {
        return follow::run(&client, args).await;
    }
    if args.connection.json { print_json(&client, args).await } else { print_table(&client, args).await }
}

/// Prints the rows as they came, as one page in the shape of the HTTP interface.
async fn print_json(client: &ApiClient, args: &HistoryArgs) -> CommandResult {
    let mut pages = Pages::new(args);
    // Fetched before anything is printed: an error leaves no incomplete document.
    let mut page = pages.next(client).await?;
    output::bytes(b"{\"items\":[")?;
    let mut separator = "";
    while let Some(items) = page {
        for item in items {
            output::bytes(format!("{separator}{item}").as_bytes())?;
            separator = ",\n";
        }
        page = pages.next(client).await?;
    }
    output::line(format_args!("],\"next\":{}}}", serde_json::json!(pages.cursor)))
}

async fn print_table(client: &ApiClient, args: &HistoryArgs) -> CommandResult {
    let layout = Layout::for_output(args.wide, args.all);
    let mut pages = Pages::new(args);
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
    if let Some(cursor) = &pages.cursor {
        output::note(format_args!("there is more: --all shows it, --cursor {} the next page", clean(cursor)));
    }
    Ok(())
}

fn decode_rows(items: &[Box<RawValue>]) -> CommandResult<Vec<Row>> {
    items.iter().map(|item| decode(item.get().as_bytes())).collect()
}

/// The pages that the arguments ask for: one, or all.
struct Pages<'a> {
    args: &'a HistoryArgs,
    /// Where the page that was fetched last ended, if there are more rows.
    cursor: Option<String>,
    done: bool,
}

impl<'a> Pages<'a> {
    fn new(args: &'a HistoryArgs) -> Self {
        Self { args, cursor: args.cursor.clone(), done: false }
    }

    /// The items of the next page, as they came.
    async fn next(&mut self, client: &ApiClient) -> CommandResult<Option<Vec<Box<RawValue>>>> {
        if self.done {
            return Ok(None);
        }
        let limit = self.args.limit.or(self.args.all.then_some(MAX_ITEMS_PER_PAGE));
        let page: Page = client.fetch(&self.args.call(limit, self.cursor.as_deref())).await?;
        self.cursor = page.next;
        self.done = !self.args.all || self.cursor.is_none();
        Ok(Some(page.items))
    }
}
