//! What can be asked of `loanhook`, as clap reads it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use loanhook_http::web::{FrameAncestors, Reached};

use crate::commands::ClientCommand;

const ENVIRONMENT: &str = "Environment:
  LOANHOOK_ADMIN_KEY  an admin key to ensure at every start (`lh_` and 16 to 200 of A-Z a-z 0-9 _,
                      not easy to guess); another one ends it, and one that was deleted stays so.
                      Without it the first start makes a key and prints it once
  LOANHOOK_LOG        what to log, such as `info` or `loanhook=debug` [default: info]

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
    #[command(after_help = ENVIRONMENT)]
    Serve(ServeArgs),
    /// See it work: a loanhook of its own, receivers that fail as told, 30 events
    Demo(DemoArgs),
    /// Evaluate a formula, with no loanhook running
    Eval(EvalArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on
    #[arg(long, value_name = "ADDR:PORT", env = "LOANHOOK_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The folder that keeps everything; made if it is not there
    #[arg(long, value_name = "FOLDER", env = "LOANHOOK_DATA", default_value = "./loanhook-data")]
    pub(crate) data: PathBuf,
    /// A network that webhooks may go to although it is not public (repeatable, or comma-separated)
    #[arg(long, value_name = "CIDR", env = "LOANHOOK_ALLOW_NETWORKS")]
    pub(crate) allow_network: Vec<Networks>,
    /// A proxy before this whose X-Forwarded-For is believed (repeatable, or comma-separated)
    #[arg(long, value_name = "CIDR", env = "LOANHOOK_TRUSTED_PROXIES")]
    pub(crate) trusted_proxy: Vec<Networks>,
    /// How many requests may be under way at once: of one tenant half of them, of one webhook a quarter and no more than 16
    #[arg(
        long,
        value_name = "N",
        env = "LOANHOOK_CONCURRENCY",
        default_value = "256",
        value_parser = RangedU64ValueParser::<u32>::new().range(1..=65_536)
    )]
    pub(crate) concurrency: u32,
    /// The address under which people reach the loan pages, for portal links [default: that of the request]
    #[arg(long, value_name = "URL", env = "LOANHOOK_PUBLIC_URL")]
    pub(crate) public_url: Option<Reached>,
    /// Sites that may show the loan pages in a frame, such as https://lms.lender.example (comma-separated)
    #[arg(long, value_name = "ORIGINS", env = "LOANHOOK_FRAME_ANCESTORS")]
    pub(crate) frame_ancestors: Option<FrameAncestors>,
    /// How the log on standard error looks
    #[arg(long, env = "LOANHOOK_LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End when everything is delivered or given up, instead of staying up to look around
    #[arg(long)]
    pub(crate) exit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The formula, such as `(> status-days-past-due 30)`
    #[arg(allow_hyphen_values = true)]
    pub(crate) formula: String,
    /// A JSON file with the loan's variables, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,
    /// Print `{"value": …, "printed": …}`, as the API does
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the loanhook is that a client command speaks to, and how it answers.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Where loanhook is
    #[arg(
        long,
        global = true,
        env = "LOANHOOK_URL",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Connection"
    )]
    pub(crate) url: String,
    /// A key of that loanhook (`lh_…`)
    #[arg(long, global = true, env = "LOANHOOK_KEY", hide_env_values = true, help_heading = "Connection")]
    pub(crate) key: Option<String>,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// One readable line an entry
    Text,
    /// One JSON object an entry
    Json,
}

/// One or more networks, comma-separated; a bare address is a network of one.
#[derive(Clone, Debug)]
pub(crate) struct Networks(pub(crate) Vec<IpNet>);

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("`{text}` is neither a network such as 10.0.0.0/8 nor an address"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Cli, Networks};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn networks_are_lists_of_networks_and_addresses() {
        let networks = |text: &str| {
            text.parse::<Networks>()
                .map(|networks| networks.0.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            networks("10.0.0.0/8, 127.0.0.1,,::1"),
            Ok(vec!["10.0.0.0/8".to_owned(), "127.0.0.1/32".to_owned(), "::1/128".to_owned()])
        );
        assert_eq!(networks(""), Ok(vec![]));
        assert!(networks("example.com").is_err());
    }
}
