//! Unfolded changes: how many there are and since when, and whether they are to be folded.

use std::time::{Duration, Instant};

/// How long changes stay unfolded, where commits follow.
const FOLD_INTERVAL: Duration = Duration::from_secs(1);
/// How many changes stay unfolded at most. A report reads all of them, each of which takes a few microseconds.
const USUAL_LIMIT: usize = 512;
/// Where commits are about many groups, a fold writes many rows: then so many changes for each of them stay, so that most are
/// added to a row together, but no more than this in all.
const CHANGES_PER_ROW: usize = 8;
const MAX_LIMIT: usize = 16_384;

/// The changes that are stored and not folded, as far as the writer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfolded {
    /// At the start, and after a commit that failed, which may have folded or not.
    Unknown,
    None,
    Some {
        changes: usize,
        since: Instant,
    },
}

impl Unfolded {
    /// With so many that are stored now.
    pub(super) const fn and(self, added: usize, now: Instant) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::None => Self::Some { changes: added, since: now },
            Self::Some { changes, since } => Self::Some { changes: changes + added, since },
        }
    }

    /// Whether they are to be folded with the commit at hand. The last fold wrote so many rows.
    pub(super) fn are_due(self, now: Instant, rows_of_last_fold: usize) -> bool {
        match self {
            Self::Unknown => true,
            Self::None => false,
            Self::Some { changes, since } => {
                let limit = (rows_of_last_fold * CHANGES_PER_ROW).clamp(USUAL_LIMIT, MAX_LIMIT);
                changes > limit || now.saturating_duration_since(since) >= FOLD_INTERVAL
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_due_by_their_number_and_by_the_age_of_the_first() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let of = |changes| Unfolded::None.and(changes, start);
        for (unfolded, now, rows, due) in [
            (Unfolded::None, at(1_000_000), 0, false),
            (Unfolded::Unknown, start, 0, true),
            (Unfolded::Unknown.and(1, start), start, 0, true),
            (of(1), at(999), 0, false),
            (of(1), at(1000), 0, true),
            (of(1).and(1, at(999)), at(1000), 0, true),
            (of(512), start, 64, false),
            (of(513), start, 64, true),
            (of(512).and(1, start), start, 0, true),
            (of(520), start, 65, false),
            (of(521), start, 65, true),
            (of(16_384), start, 100_000, false),
            (of(16_385), start, 100_000, true),
        ] {
            assert_eq!(unfolded.are_due(now, rows), due, "{unfolded:?} after {rows} rows");
        }
    }
}
