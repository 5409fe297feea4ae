//! `loanhook export LIST`: a whole list as CSV or NDJSON, to standard output.
//!
//! The list comes in one answer, or in parts of which each names the next one (RFC 8288); both are written as they come. Where it
//! breaks off, the command fails, and what was written is incomplete.

mod link;
mod parts;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::deliveries::DeliveryFilters;
use super::events::EventFilters;
use super::history::Filters;
use crate::client::{ApiClient, Call, ConnectionArgs};
use crate::error::CommandResult;
use crate::terminal::output;
use parts::Parts;

const PROGRESS: &str = "{spinner} {decimal_bytes} in {elapsed}";

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(subcommand)]
    list: ExportedList,
    /// CSV by RFC 4180 with a header line, or one JSON value a line
    #[arg(long, value_enum, default_value_t = Format::Csv, global = true)]
    format: Format,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Ndjson,
}

#[derive(Debug, Subcommand)]
enum ExportedList {
    /// The deliveries of all loans, each with its newest attempt
    Deliveries(Box<DeliveryFilters>),
    /// Every attempt that was ever made for a loan
    Webhooks {
        /// The loan
        loan: String,
        #[command(flatten)]
        filters: Box<Filters>,
    },
    /// The events of a loan, each with what the subscriptions decided about it
    Events {
        /// The loan
        loan: String,
        #[command(flatten)]
        filters: EventFilters,
    },
}

impl ExportedList {
    fn call(&self) -> Call {
        match self {
            Self::Deliveries(filters) => filters.call(),
            Self::Webhooks { loan, filters } => filters.apply(Call::get(&["v1", "loans", loan, "webhooks"])),
            Self::Events { loan, filters } => filters.call(loan),
        }
    }
}

impl Format {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

pub(crate) async fn run(args: ExportArgs) -> CommandResult {
    if args.connection.json {
        return Err("--json is not for an export: --format ndjson gives one JSON value a line"
            .to_owned()
            .into());
    }
    let client = ApiClient::from_args(&args.connection)?;
    let call = args.list.call().accept(args.format.media_type());
    let mut parts = Parts::new(call, args.format == Format::Csv);
    // Where standard output is a terminal, the list itself shows that it goes on.
    let progress = match output::is_terminal() {
        true => ProgressBar::hidden(),
        false => ProgressBar::no_length(),
    };
    if let Ok(style) = ProgressStyle::with_template(PROGRESS) {
        progress.set_style(style);
    }
    while let Some(bytes) = parts.next(&client).await? {
        output::bytes(&bytes)?;
        progress.inc(bytes.len() as u64);
    }
    progress.finish();
    Ok(())
}
