//! The shortest run that still breaks a rule: with fewer actions, fewer faults and fewer kinds of faults.

use crate::faults::Fault;
use crate::rules::Violation;
use crate::{Options, Outcome, run};

/// How many runs are made at most to find it.
const MAX_RUNS: u32 = 400;

/// A run that breaks a rule, as short as it was found, with its trace.
#[derive(Debug)]
pub struct Shortest {
    pub options: Options,
    pub violation: Violation,
    pub trace: Vec<String>,
}

/// Makes the run of a seed that breaks a rule shorter, as long as it breaks any rule.
pub fn shrink(seed: u64, options: &Options) -> Option<Shortest> {
    let mut search = Search { seed, options: options.clone(), runs: 0 };
    run(seed, options).violation.as_ref()?;
    loop {
        let before = search.runs;
        let mut shorter = false;
        for fault in Fault::ALL {
            let mut excluded = search.options.excluded.clone();
            if excluded.insert(fault) {
                shorter |= search.accepts(Options { excluded, ..search.options.clone() });
            }
        }
        shorter |= search.bisect(|options| &mut options.max_actions, Outcome::actions);
        shorter |= search.bisect(|options| &mut options.max_faults, Outcome::faults);
        if !shorter || search.runs == before {
            break;
        }
    }
    let options = Options { trace: true, ..search.options };
    let Outcome { violation, trace, .. } = run(seed, &options);
    violation.map(|violation| Shortest { options, violation, trace })
}

struct Search {
    seed: u64,
    options: Options,
    runs: u32,
}

impl Search {
    /// Keeps these options if their run breaks a rule.
    fn accepts(&mut self, options: Options) -> bool {
        self.runs += 1;
        let breaks = self.runs < MAX_RUNS && run(self.seed, &options).violation.is_some();
        if breaks {
            self.options = options;
        }
        breaks
    }

    /// Finds a small limit by halving the distance to it. Runs of another length are other runs, so that it need not be
    /// the smallest.
    fn bisect(
        &mut self,
        limit: impl Fn(&mut Options) -> &mut usize,
        used: impl Fn(&Outcome) -> usize,
    ) -> bool {
        let most = used(&run(self.seed, &self.options));
        let (mut low, mut high, mut shorter) = (0, most, false);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut options = self.options.clone();
            *limit(&mut options) = middle;
            if self.accepts(options) {
                high = middle;
                shorter = middle < most;
            } else {
                low = middle + 1;
            }
        }
        shorter
    }
}
