//! Command line of the simulation: runs seeds for a time, or one seed, and tells what they did.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use loanhook_simulator::{Fault, Options, Shortest, Totals, run, shrink};

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
    let shown = concerning(trace, &violation.detail);
    let actions = options.max_actions - options.skipped_actions.len();
    let faults: Vec<_> = Fault::ALL.into_iter().filter(|fault| !options.excluded.contains(fault)).collect();
    format!(
        "{}\n\nseed {seed} breaks a rule: {violation}\nits shortest run has {actions} actions, and at most {} faults, of {faults:?}; \
         {} of {} lines of its trace are shown\n",
        shown.join("\n"),
        options.max_faults,
        shown.len(),
        trace.len(),
    )
}

/// The lines of the tasks that had to do with the delivery that a violation names; all lines where it names none.
fn concerning<'a>(trace: &'a [String], detail: &str) -> Vec<&'a str> {
    let lines = trace.iter().map(String::as_str);
    let is_delivery =
        |word: &&str| word.strip_prefix('D').is_some_and(|digits| digits.parse::<u32>().is_ok());
    let Some(delivery) = words(detail).find(is_delivery) else { return lines.collect() };
    // The time comes before the task, with the days in a word of their own.
    let task = |line: &'a str| {
        let text = line.split_once(": ").map_or(line, |(before, _)| before);
        text.split_whitespace()
            .skip_while(|word| word.contains(':') || word.ends_with('d'))
            .collect::<Vec<_>>()
    };
    let named = lines.clone().filter(|line| words(line).any(|word| word == delivery));
    let tasks: Vec<_> = named.map(task).collect();
    lines.filter(|line| tasks.contains(&task(line))).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric())
}

/// Another one at each start.
fn first_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() * 1_000_000
}
