//! `loanhook why LOAN [EVENT]`: what each subscription decided about the events of a loan, and why.
//!
//! Without an event the newest events are printed, each with its verdicts in words. With one, each verdict has the formulas of
//! its subscription, with the values that they had for this event.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::events::EventFilters;
use super::list_pages::ListPages;
use super::verdict_words;
use crate::client::{ApiClient, Call, ConnectionArgs, LedgerEvent, Verdict, decode};
use crate::error::{CommandError, CommandResult};
use crate::terminal::format::{clean, time};
use crate::terminal::output::{self, HEADING_STYLE, styled};

const USUAL_EVENTS: u32 = 10;

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The loan
    loan: String,
    /// An event of it, by its ID: why each subscription decided as it did
    #[arg(conflicts_with_all = ["limit", "event_name", "result", "from", "to"])]
    event: Option<String>,
    /// Explain the subscriptions as they are now
    #[arg(long, requires = "event")]
    now: bool,
    /// How many events (1 to 200) [default: 10]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    filters: EventFilters,
}

pub(crate) async fn run(args: WhyArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    match &args.event {
        None => print_newest(&client, &args).await,
        Some(event) => explain(&client, &args, event).await,
    }
}

async fn print_newest(client: &ApiClient, args: &WhyArgs) -> CommandResult {
    let limit = args.limit.unwrap_or(USUAL_EVENTS);
    let mut page = ListPages::new(args.filters.call(&args.loan), None, Some(limit), false);
    if args.connection.json {
        return page.print_json(client).await;
    }
    let items = page.next(client).await?.unwrap_or_default();
    if items.is_empty() {
        args.filters.note_none(&args.loan);
        return Ok(());
    }
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            output::line("")?;
        }
        let event: LedgerEvent = decode(item.get().as_bytes())?;
        print_head(&event)?;
        let title_width = event.verdicts.iter().map(|verdict| clean(&verdict.title).chars().count()).max();
        for verdict in &event.verdicts {
            let (title, width) = (clean(&verdict.title), title_width.unwrap_or_default());
            output::line(format_args!("  {title:width$}  {}", verdict_words::words(verdict)))?;
        }
    }
    output::note(format_args!(
        "loanhook why {} EVENT-ID shows the formulas with their values",
        clean(&args.loan)
    ));
    Ok(())
}

/// The event on one line, and whether nothing asks for it.
fn print_head(event: &LedgerEvent) -> CommandResult {
    let name = styled(HEADING_STYLE, clean(&event.marked_name()));
    output::line(format_args!("{}  {name}  {}", time(&event.accepted_at), clean(&event.event_id)))?;
    if event.verdicts.is_empty() {
        output::line("  no subscription asks for events of this name")
    } else {
        Ok(())
    }
}

async fn explain(client: &ApiClient, args: &WhyArgs, id: &str) -> CommandResult {
    let body = client.send(&Call::get(&["v1", "events", id])).await?;
    let event: LedgerEvent = decode(&body)?;
    if event.loan_id.as_ref() != Some(&args.loan) {
        let of = event.loan_id.map_or_else(|| "no loan".to_owned(), |loan| format!("loan {}", clean(&loan)));
        return Err(format!("this is an event of {of}").into());
    }
    if args.connection.json {
        return print_json(client, args, &event, decode(&body)?).await;
    }
    print_head(&event)?;
    if let Some(occurred_at) = &event.occurred_at {
        output::line(format_args!("  it occurred at {}", time(occurred_at)))?;
    }
    for verdict in &event.verdicts {
        output::line("")?;
        print_explained(client, args, &event, verdict).await?;
    }
    Ok(())
}

fn explain_call(args: &WhyArgs, event: &LedgerEvent, verdict: &Verdict) -> Call {
    Call::get(&["v1", "events", &event.event_id, "explain"])
        .query("subscriptionId", Some(&verdict.subscription_id))
        .query("version", args.now.then_some("now"))
}

/// Prints what a subscription decided, and its formulas with their values.
async fn print_explained(
    client: &ApiClient,
    args: &WhyArgs,
    event: &LedgerEvent,
    verdict: &Verdict,
) -> CommandResult {
    let title = styled(HEADING_STYLE, clean(&verdict.title));
    output::line(format_args!("{title}, version {}: {}", verdict.version, verdict_words::words(verdict)))?;
    match client.send(&explain_call(args, event, verdict).accept("text/plain")).await {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text);
            // The first line says what was said above, but for another version than the one that decided.
            let lines = text.lines().skip(usize::from(!args.now));
            lines.map(clean).try_for_each(|line| output::line(line.trim_end()))
        }
        Err(CommandError::Refused { status: 404, line, .. }) => {
            output::line(format_args!("it cannot be explained any more: {line}"))
        }
        Err(error) => Err(error),
    }
}

/// Prints the event as it came, and beside it the explanation of each verdict; null where there is none any more.
async fn print_json(
    client: &ApiClient,
    args: &WhyArgs,
    event: &LedgerEvent,
    as_it_came: Box<RawValue>,
) -> CommandResult {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Explained<'a> {
        subscription_id: &'a str,
        explanation: Option<Box<RawValue>>,
    }
    #[derive(Serialize)]
    struct Why<'a> {
        event: Box<RawValue>,
        explanations: Vec<Explained<'a>>,
    }
    let mut explanations = Vec::with_capacity(event.verdicts.len());
    for verdict in &event.verdicts {
        let explanation = match client.fetch(&explain_call(args, event, verdict)).await {
            Err(CommandError::Refused { status: 404, .. }) => None,
            explained => Some(explained?),
        };
        explanations.push(Explained { subscription_id: &verdict.subscription_id, explanation });
    }
    let why = Why { event: as_it_came, explanations };
    output::line(serde_json::to_string(&why).map_err(|error| error.to_string())?)
}
