//! `loanhook events LOAN`: the accepted events of a loan, newest first, with how often each verdict came.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::list_pages::ListPages;
use super::verdict_words;
use crate::client::{ApiClient, Call, ConnectionArgs, LedgerEvent, decode};
use crate::error::CommandResult;
use crate::since;
use crate::terminal::format::{clean, time};
use crate::terminal::{output, table};

const RESULTS: [&str; 4] = ["unmatched", "failed", "pending", "delivered"];

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// The loan
    loan: String,
    /// How many events a page has (1 to 200) [default: 50]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where a page ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// All pages, to the first event of the loan
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    filters: EventFilters,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct EventFilters {
    /// The name of the event
    #[arg(long, value_name = "NAME")]
    event_name: Option<String>,
    /// What became of its deliveries; `unmatched` has none
    #[arg(long, value_parser = PossibleValuesParser::new(RESULTS))]
    result: Option<String>,
    /// Accepted at or after this time: 2026-11-23T10:00:00Z, yesterday, 24h
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    from: Option<String>,
    /// Accepted before this time
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    to: Option<String>,
}

impl EventFilters {
    /// The call of a loan's events with these filters.
    pub(super) fn call(&self, loan: &str) -> Call {
        let call = Call::get(&["v1", "loans", loan, "events"]);
        self.parameters().into_iter().fold(call, |call, (name, value)| call.query(name, value))
    }

    /// Notes that there is no such event of a loan.
    pub(super) fn note_none(&self, loan: &str) {
        let like_that =
            if self.parameters().iter().any(|(_, value)| value.is_some()) { " like that" } else { "" };
        output::note(format_args!("no event{like_that} was accepted for loan {}", clean(loan)));
    }

    fn parameters(&self) -> [(&'static str, Option<&String>); 4] {
        [
            ("eventName", self.event_name.as_ref()),
            ("result", self.result.as_ref()),
            ("from", self.from.as_ref()),
            ("to", self.to.as_ref()),
        ]
    }
}

pub(crate) async fn run(args: EventsArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let call = args.filters.call(&args.loan);
    let mut pages = ListPages::new(call, args.cursor.as_ref(), args.limit, args.all);
    if args.connection.json {
        return pages.print_json(&client).await;
    }
    let mut table = table::new(&["Accepted", "Event ID", "Event", "Result", "Verdicts"], 2);
    while let Some(items) = pages.next(&client).await? {
        for item in items {
            let event: LedgerEvent = decode(item.get().as_bytes())?;
            table.add_row([
                time(&event.accepted_at),
                clean(&event.event_id),
                clean(&event.marked_name()),
                event.result().to_owned(),
                verdict_words::counts(&event.verdicts),
            ]);
        }
    }
    if table.is_empty() {
        args.filters.note_none(&args.loan);
    } else {
        table::print(&table)?;
    }
    pages.note_more();
    Ok(())
}
