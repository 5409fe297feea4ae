//! The command line as clap reads it: the commands. The arguments of each stand in the file that runs it.

use clap::{Parser, Subcommand};

use crate::commands::ClientCommand;
use crate::commands::eval::EvalArgs;
use crate::demo::DemoArgs;
use crate::server::master_key_command::MasterKeyCommandArgs;
use crate::server::serve_command::ServeArgs;

const SERVE_ENVIRONMENT_HELP: &str = "Environment:
  LOANHOOK_ADMIN_KEY       an admin key to ensure at every start (`lh_` and 16 to 200 of A-Z a-z
                           0-9 _, not easy to guess); another one ends it, and one that was deleted
                           stays so. Without it the first start makes a key and prints it once
  LOANHOOK_MASTER_KEY      the master key itself, 32 bytes in base64 (`openssl rand -base64 32`), in
                           place of --master-key-file. Keep a copy of it elsewhere: without it no
                           header value or signing secret can be read, nor loanhook started
  LOANHOOK_MASTER_KEY_OLD  the master key before it, for the start that changes it
  LOANHOOK_LOG             what to log, such as `info` or `loanhook=debug` [default: info]

A loan's webhooks are a page too, at /loans/LOAN-ID/webhooks: sign in there with a key, or make a link
that needs none with POST /v1/portal-links.";

/// Webhooks at the level of a loan: delivered, retried, kept, resent.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run loanhook in this process, on a folder of its own
    #[command(after_help = SERVE_ENVIRONMENT_HELP)]
    Serve(ServeArgs),
    /// See it work: a loanhook of its own, receivers that fail as told, 30 events
    Demo(DemoArgs),
    /// Change the master key that seals secrets, or erase what is left of them
    MasterKey(MasterKeyCommandArgs),
    /// Evaluate a formula, with no loanhook running
    Eval(EvalArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn clap_accepts_the_definition_of_the_command_line() {
        Cli::command().debug_assert();
    }
}
