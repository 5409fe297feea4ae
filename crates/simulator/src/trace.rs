//! Trace of a run: one line for each thing that happened, with the simulated time and the task that did it.

use std::collections::HashMap;
use std::fmt::Write as _;

use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::id::{AttemptId, TraceId};
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use uuid::Uuid;

use crate::START;

/// The lines of a trace, and short names for the IDs in them.
#[derive(Debug)]
pub(crate) struct Trace {
    enabled: bool,
    /// How many lines there are, or would be.
    pub(crate) length: usize,
    pub(crate) lines: Vec<String>,
    names: HashMap<Uuid, String>,
    counts: HashMap<&'static str, usize>,
}

impl Trace {
    pub(crate) fn new(enabled: bool) -> Self {
        Self { enabled, length: 0, lines: Vec::new(), names: HashMap::new(), counts: HashMap::new() }
    }

    pub(crate) fn line(&mut self, task: &str, text: impl FnOnce(&mut Self) -> String) {
        self.length += 1;
        if self.enabled {
            let text = text(self);
            self.lines.push(format!("{} {task}: {text}", elapsed(Timestamp::now())));
        }
    }

    /// A short name of a delivery, such as `D3`.
    pub(crate) fn delivery(&mut self, id: TraceId) -> String {
        self.name("D", id.uuid())
    }

    /// A short name of an attempt, such as `A7`.
    pub(crate) fn attempt(&mut self, id: AttemptId) -> String {
        self.name("A", id.uuid())
    }

    fn name(&mut self, kind: &'static str, id: Uuid) -> String {
        let counts = &mut self.counts;
        let name = self.names.entry(id).or_insert_with(|| {
            let count = counts.entry(kind).or_default();
            *count += 1;
            format!("{kind}{count}")
        });
        name.clone()
    }
}

/// The state of a schedule as a trace shows it.
pub(crate) fn progress(progress: &Progress) -> String {
    match progress {
        Progress::Waiting(next) => {
            format!("waiting for #{} in slot {} until {}", next.number, next.slot, elapsed(next.due))
        }
        Progress::Sending { claim, due } => {
            let since = elapsed(claim.since);
            format!("sending #{} in slot {} since {since}, due {}", claim.number, claim.slot, elapsed(*due))
        }
        Progress::Canceling(claim) => format!("canceling, with #{} in flight", claim.number),
        Progress::Succeeded => "succeeded".into(),
        Progress::Failed => "failed".into(),
        Progress::Canceled => "canceled".into(),
    }
}

/// The number of an attempt as a trace shows it.
pub(crate) fn number(number: AttemptNumber) -> String {
    format!("#{number}")
}

/// The time since the beginning of the run, such as `1d 02:03:04.005`.
pub(crate) fn elapsed(at: Timestamp) -> String {
    let millis = at.since(START).as_millis();
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let mut text = String::new();
    if seconds >= 86_400 {
        let _ = write!(text, "{}d ", seconds / 86_400);
    }
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    let _ = write!(text, "{hours:02}:{minutes:02}:{:02}.{millis:03}", seconds % 60);
    text
}
