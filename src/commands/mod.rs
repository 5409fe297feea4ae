//! The commands that print a response and end: one file or folder each, with its arguments.
//!
//! All but `eval`, which needs no loanhook, are clients of a loanhook anywhere. `attempt_table` prints the attempts of
//! `history` and `trace`, `verdict_words` the verdicts of `events` and `why`; `list_pages` reads lists page by page, and
//! `follow` as they change.

mod attempt_table;
mod cancel;
mod dead_letters;
mod deliveries;
mod doctor;
mod egress;
pub(crate) mod eval;
mod event_types;
mod events;
mod export;
mod follow;
mod history;
mod hold;
mod jobs;
mod keys;
mod list_pages;
mod recover;
mod report;
pub(crate) mod resend;
pub(crate) mod send;
mod show;
mod subscriptions;
mod trace;
mod verdict_words;
mod why;

use clap::Subcommand;

use crate::error::CommandResult;

/// The kinds of errors by which lists are filtered.
const ERROR_KINDS: [&str; 9] =
    ["dns", "connect", "tls", "timeout", "protocol", "blocked", "template", "auth", "interrupted"];

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Send events from files or standard input: JSON, JSON arrays, JSON lines
    Send(send::SendArgs),
    /// Show what was sent for a loan, newest first
    History(Box<history::HistoryArgs>),
    /// Show the deliveries of all loans, newest first: what did not arrive yesterday?
    Deliveries(Box<deliveries::DeliveriesArgs>),
    /// Write a whole list as CSV or NDJSON
    Export(export::ExportArgs),
    /// Show the events of a loan and what became of them, newest first
    Events(events::EventsArgs),
    /// Show why webhooks of a loan came or did not
    Why(why::WhyArgs),
    /// Show how many webhooks there were, and what became of them
    Report(report::ReportArgs),
    /// Show everything about one attempt, or print its exact payloads
    Show(show::ShowArgs),
    /// Show one delivery and its attempts, oldest first
    Trace(trace::TraceArgs),
    /// Send a delivery again, exactly as it was
    Resend(resend::ResendArgs),
    /// Resend everything that matches, at a set pace, after an outage
    Recover(Box<recover::RecoverArgs>),
    /// List recovery jobs, follow one, or stop it
    Jobs(jobs::JobsArgs),
    /// End the automatic attempts of a delivery
    Cancel(cancel::CancelArgs),
    /// Let the deliveries of a subscription wait until it is released; none is lost
    Hold(hold::HoldArgs),
    /// End the hold of a subscription: what waited goes on, slowly at first
    Release(hold::HoldArgs),
    /// List and change what is sent where
    Subscriptions(subscriptions::SubscriptionsArgs),
    /// List, make and delete keys
    Keys(keys::KeysArgs),
    /// List messages that could not be handled, redrive or delete them (scope `operator`)
    DeadLetters(dead_letters::DeadLettersArgs),
    /// List the known events and their variables
    EventTypes(event_types::EventTypesArgs),
    /// List the IP addresses that requests come from
    Egress(egress::EgressArgs),
    /// Check a running loanhook from outside: exit code 0 all is well, 1 something is to be done, 2 it could not be asked
    Doctor(doctor::DoctorArgs),
}

pub(crate) async fn run(command: ClientCommand) -> CommandResult {
    match command {
        ClientCommand::Send(args) => send::run(args).await,
        ClientCommand::History(args) => history::run(&args).await,
        ClientCommand::Deliveries(args) => deliveries::run(&args).await,
        ClientCommand::Export(args) => export::run(args).await,
        ClientCommand::Events(args) => events::run(args).await,
        ClientCommand::Why(args) => why::run(args).await,
        ClientCommand::Report(args) => report::run(args).await,
        ClientCommand::Show(args) => show::run(args).await,
        ClientCommand::Trace(args) => trace::run(args).await,
        ClientCommand::Resend(args) => resend::run(args).await,
        ClientCommand::Recover(args) => recover::run(*args).await,
        ClientCommand::Jobs(args) => jobs::run(args).await,
        ClientCommand::Cancel(args) => cancel::run(args).await,
        ClientCommand::Hold(args) => hold::hold(args).await,
        ClientCommand::Release(args) => hold::release(args).await,
        ClientCommand::Subscriptions(args) => subscriptions::run(args).await,
        ClientCommand::Keys(args) => keys::run(args).await,
        ClientCommand::DeadLetters(args) => dead_letters::run(args).await,
        ClientCommand::EventTypes(args) => event_types::run(args).await,
        ClientCommand::Egress(args) => egress::run(args).await,
        ClientCommand::Doctor(args) => doctor::run(args).await,
    }
}
