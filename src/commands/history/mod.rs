//! `loanhook history LOAN`: a loan's attempts, newest first, or as they happen.

mod filters;
mod follow;

use clap::Args;
use serde_json::value::RawValue;

use super::attempt_table::{self, Layout};
use crate::Outcome;
use crate::arguments::Remote;
use crate::client::{Call, Client, Page, Row, decode};
use crate::terminal::format::clean;
use crate::terminal::output;
use filters::Filters;

/// The largest page there is.
const WHOLE_PAGE: u32 = 200;

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
    remote: Remote,
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

pub(crate) async fn run(args: &HistoryArgs) -> Outcome {
    let client = Client::of(&args.remote)?;
    if args.follow {
        return follow::run(&client, args).await;
    }
    if args.remote.json { print_json(&client, args).await } else { print_table(&client, args).await }
}

/// The rows as they came, in one list, as the interface answers.
async fn print_json(client: &Client, args: &HistoryArgs) -> Outcome {
    let mut pages = Pages::new(args);
    // Asked before anything is printed: a refusal leaves no half a document.
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

async fn print_table(client: &Client, args: &HistoryArgs) -> Outcome {
    let layout = Layout::for_output(args.wide, args.all);
    let mut pages = Pages::new(args);
    let mut any = false;
    while let Some(items) = pages.next(client).await? {
        let rows = rows(&items)?;
        if rows.is_empty() {
            continue;
        }
        output::line(if any { layout.without_head(&rows) } else { layout.with_head(&rows) })?;
        any = true;
    }
    if any {
        attempt_table::note_shortened(layout);
    } else {
        output::note(format_args!("nothing{} was sent for loan {}", args.filters.such(), clean(&args.loan)));
    }
    if let Some(cursor) = &pages.cursor {
        output::note(format_args!("there is more: --all shows it, --cursor {} the next page", clean(cursor)));
    }
    Ok(())
}

fn rows(items: &[Box<RawValue>]) -> Outcome<Vec<Row>> {
    items.iter().map(|item| decode(item.get().as_bytes())).collect()
}

/// The pages that were asked for: one, or all.
struct Pages<'a> {
    args: &'a HistoryArgs,
    cursor: Option<String>,
    done: bool,
}

impl<'a> Pages<'a> {
    fn new(args: &'a HistoryArgs) -> Self {
        Self { args, cursor: args.cursor.clone(), done: false }
    }

    async fn next(&mut self, client: &Client) -> Outcome<Option<Vec<Box<RawValue>>>> {
        if self.done {
            return Ok(None);
        }
        let limit = self.args.limit.or(self.args.all.then_some(WHOLE_PAGE));
        let page: Page = client.read(&self.args.call(limit, self.cursor.as_deref())).await?;
        self.cursor = page.next;
        self.done = !self.args.all || self.cursor.is_none();
        Ok(Some(page.items))
    }
}
