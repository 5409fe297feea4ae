//! Arguments of the benchmark.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::Outcome;
use crate::cases::{self, Case};
use crate::peer::PeerArgs;

const FULL_SECONDS: f64 = 5.0;
/// Pairs are for a quick answer, on a machine that others wait for.
const PAIR_SECONDS: f64 = 4.0;
const PAIR_CASES: [&str; 2] = ["full-load", "rate-200"];

/// What one process of loanhook can do on this machine. With two servers, both are compared: old, new, old, new.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    /// The server's binary; given twice, the old one and the new one [default: `loanhook` beside this program]
    #[arg(long, value_name = "PATH")]
    server: Vec<PathBuf>,
    /// Only these cases (repeatable, or comma-separated) [default: all; of two servers full-load and rate-200]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = PossibleValuesParser::new(cases::names()))]
    case: Vec<String>,
    /// The server, of two the new one, has its metrics on, and they are read once a second
    #[arg(long)]
    pub(crate) metrics: bool,
    /// How long a run posts [default: 5; of two servers 4]
    #[arg(long, value_name = "SECONDS", env = "LOANHOOK_BENCH_SECONDS")]
    seconds: Option<f64>,
    /// How many runs each case has
    #[arg(long, value_name = "N", env = "LOANHOOK_BENCH_RUNS", default_value = "3")]
    pub(crate) runs: usize,
    /// How many webhooks the case `many` sends
    #[arg(long, value_name = "N", env = "LOANHOOK_BENCH_MANY", default_value = "1000000")]
    pub(crate) many: u64,
    /// Write the figures of all cases to docs/benchmarks.md, with a chart
    #[arg(long, conflicts_with = "case")]
    pub(crate) write: bool,
}

/// What this program is besides the benchmark of a loanhook.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Be the receiver, until it is killed: prints its address
    Receiver,
    /// Be the driver of a plan, which is JSON
    #[command(hide = true)]
    Driver { plan: String },
    /// Measure another webhook server that is running, with the same driver and receiver
    Peer(PeerArgs),
}

impl Arguments {
    /// The binaries that are measured, whole paths.
    pub(crate) fn servers(&self) -> Outcome<Vec<PathBuf>> {
        let beside = [std::env::current_exe()?.with_file_name("loanhook")];
        let servers = if self.server.is_empty() { &beside[..] } else { &self.server };
        let found = servers.iter().map(|path| {
            path.canonicalize().map_err(|error| format!("no server at {}: {error}", path.display()).into())
        });
        found.collect()
    }

    pub(crate) fn cases(&self) -> Vec<&'static Case> {
        let chosen = |case: &&Case| {
            if self.case.is_empty() {
                !self.are_pairs() || PAIR_CASES.contains(&case.name)
            } else {
                self.case.iter().any(|name| name == case.name)
            }
        };
        cases::ALL.iter().filter(chosen).collect()
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.seconds.unwrap_or(if self.are_pairs() { PAIR_SECONDS } else { FULL_SECONDS })
    }

    fn are_pairs(&self) -> bool {
        self.server.len() > 1
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Arguments;

    #[test]
    fn clap_accepts_the_definition_of_the_arguments() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn two_servers_are_compared_in_the_quick_cases_unless_others_are_named() {
        let names = |arguments: &[&str]| {
            let all = ["bench-load", "--server", "old", "--server", "new"].iter().chain(arguments);
            let arguments = Arguments::try_parse_from(all).expect("arguments");
            arguments.cases().iter().map(|case| case.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["full-load", "rate-200"]);
        assert_eq!(names(&["--case", "mix,full-load"]), ["full-load", "mix"]);
    }
}
