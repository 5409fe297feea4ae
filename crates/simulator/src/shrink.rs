//! The shortest run that still breaks a rule: with fewer actions, fewer faults and fewer kinds of faults.

use crate::faults::Fault;
use crate::rules::Violation;
use crate::{Options, Outcome, run};

/// How many runs are made at most to find it.
const MAX_RUNS: u32 = 2000;

/// A run that breaks a rule, as short as it was found, with its trace.
#[derive(Debug)]
pub struct Shortest {
    pub options: Options,
    pub violation: Violation,
    pub trace: Vec<String>,
}

/// Makes the run of a seed that breaks a rule shorter, as long as it breaks the same rule. None where it breaks none.
pub fn shrink(seed: u64, options: &Options) -> Option<Shortest> {
    let whole = run(seed, options);
    let violation = whole.violation.clone()?;
    let mut search = Search { seed, options: options.clone(), shortest: whole.length, violation, runs: 0 };
    search.options.max_actions = whole.actions();
    search.options.max_faults = whole.faults();
    loop {
        let before = search.shortest;
        search.try_less();
        if search.shortest == before || search.runs >= MAX_RUNS {
            break;
        }
    }
    let options = Options { trace: true, ..search.options };
    let Outcome { violation, trace, .. } = run(seed, &options);
    violation.map(|violation| Shortest { options, violation, trace })
}

struct Search {
    seed: u64,
    /// Of the shortest run so far.
    options: Options,
    /// The length of its trace.
    shortest: usize,
    violation: Violation,
    runs: u32,
}

impl Search {
    /// Keeps these options if their run breaks the same rule with a trace that is no longer.
    fn accepts(&mut self, options: Options) -> bool {
        self.runs += 1;
        if self.runs >= MAX_RUNS {
            return false;
        }
        let outcome = run(self.seed, &options);
        let same = outcome.violation.is_some_and(|violation| violation.rule == self.violation.rule);
        let accepted = same && outcome.length <= self.shortest;
        if accepted {
            (self.shortest, self.options) = (outcome.length, options);
        }
        accepted
    }

    fn try_less(&mut self) {
        for fault in Fault::ALL {
            let mut options = self.options.clone();
            if options.excluded.insert(fault) {
                self.accepts(options);
            }
        }
        self.bisect(self.options.max_actions, |options| &mut options.max_actions);
        // Many actions at once, then fewer, then one by one.
        let mut together = self.options.max_actions / 2;
        while together > 0 {
            for first in (0..self.options.max_actions).step_by(together) {
                let mut options = self.options.clone();
                let skipped = options.skipped_actions.len();
                options.skipped_actions.extend(first..first + together);
                if options.skipped_actions.len() > skipped {
                    self.accepts(options);
                }
            }
            together /= 2;
        }
        self.bisect(self.options.max_faults, |options| &mut options.max_faults);
    }

    /// Finds a small limit by halving the distance to it. Runs with another limit are other runs, so that it need not be the
    /// smallest.
    fn bisect(&mut self, most: usize, limit: impl Fn(&mut Options) -> &mut usize) {
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut options = self.options.clone();
            *limit(&mut options) = middle;
            if self.accepts(options) { high = middle } else { low = middle + 1 }
        }
    }
}
