//! The commands that are clients of a loanhook.

mod attempt_table;
pub(crate) mod eval;
mod event_types;
mod history;
mod keys;
mod lists;
pub(super) mod resend;
pub(super) mod send;
mod show;
mod subscriptions;
mod trace;

use clap::Subcommand;

use crate::Outcome;

#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Send events from files or standard input: JSON, JSON arrays, JSON lines
    Send(send::SendArgs),
    /// Show what was sent for a loan, newest first
    History(Box<history::HistoryArgs>),
    /// Show everything about one attempt, or print its exact payloads
    Show(show::ShowArgs),
    /// Show one delivery and its attempts, oldest first
    Trace(trace::TraceArgs),
    /// Send a delivery again, exactly as it was
    Resend(resend::ResendArgs),
    /// End the automatic attempts of a delivery
    Cancel(trace::CancelArgs),
    /// List and change what is sent where
    Subscriptions(subscriptions::SubscriptionsArgs),
    /// List, make and delete keys
    Keys(keys::KeysArgs),
    /// List the known events and their variables
    EventTypes(event_types::EventTypesArgs),
    /// List the IP addresses that requests come from
    Egress(event_types::EgressArgs),
}

/// Does what was asked of a loanhook elsewhere.
pub(super) async fn run(command: ClientCommand) -> Outcome {
    match command {
        ClientCommand::Send(args) => send::run(args).await,
        ClientCommand::History(args) => history::run(&args).await,
        ClientCommand::Show(args) => show::run(args).await,
        ClientCommand::Trace(args) => trace::run(args).await,
        ClientCommand::Resend(args) => resend::run(args).await,
        ClientCommand::Cancel(args) => trace::cancel(args).await,
        ClientCommand::Subscriptions(args) => subscriptions::run(args).await,
        ClientCommand::Keys(args) => keys::run(args).await,
        ClientCommand::EventTypes(args) => event_types::event_types(args).await,
        ClientCommand::Egress(args) => event_types::egress(args).await,
    }
}
