//! Command line of the simulation: runs seeds for a time, or one seed, and tells what they did.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use loanhook_simulator::{Options, Shortest, Totals, run, shrink};

/// Simulates deliveries under faults and checks that every rule holds.
#[derive(Parser)]
struct Arguments {
    /// How long to run new seeds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Runs this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Begins with this seed instead of a new one.
    #[arg(long, conflicts_with = "seed")]
    from: Option<u64>,
    /// Prints the trace of the seed, whatever comes of it.
    #[arg(long, requires = "seed")]
    trace: bool,
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = Options { trace: arguments.trace, ..Options::default() };
    let (mut totals, ends) = (Totals::default(), Instant::now() + Duration::from_secs(arguments.seconds));
    let mut seeds = match arguments.seed {
        Some(seed) => seed..=seed,
        None => arguments.from.unwrap_or_else(first_seed)..=u64::MAX,
    };
    while let Some(seed) = seeds.next().filter(|_| totals.runs == 0 || Instant::now() < ends) {
        let outcome = run(seed, &options);
        totals.add(&outcome.totals);
        for line in &outcome.trace {
            println!("{line}");
        }
        if outcome.violation.is_some() {
            let shortest = shrink(seed, &options);
            print!(
                "{totals}\n{}",
                shortest.map_or_else(
                    || format!("seed {seed} broke a rule once and not again\n"),
                    |shortest| failure(seed, &shortest)
                )
            );
            return ExitCode::FAILURE;
        }
    }
    print!("{totals}");
    ExitCode::SUCCESS
}

fn failure(seed: u64, shortest: &Shortest) -> String {
    let Shortest { options, violation, trace } = shortest;
    format!(
        "{}\n\nseed {seed} breaks a rule: {violation}\nits shortest run has {} actions and {} faults, without {:?}\n",
        trace.join("\n"),
        options.max_actions,
        options.max_faults,
        options.excluded,
    )
}

/// Another one at each start.
fn first_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() * 1_000_000
}
