//! Unfolded changes: how many there are and since when, and whether they are to be folded.

use std::time::{Duration, Instant};

/// How long changes stay unfolded, where commits follow.
const FOLD_INTERVAL: Duration = Duration::from_secs(1);
/// How many changes stay unfolded at most. A report reads all of them, at a fraction of a microsecond each; a commit has a few
/// for each subscription that it is about.
const MAX_UNFOLDED: usize = 16_384;

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

    /// Whether they are to be folded with the commit at hand.
    pub(super) fn are_due(self, now: Instant) -> bool {
        match self {
            Self::Unknown => true,
            Self::None => false,
            Self::Some { changes, since } => {
                changes > MAX_UNFOLDED || now.saturating_duration_since(since) >= FOLD_INTERVAL
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
        for (unfolded, now, due) in [
            (Unfolded::None, at(1_000_000), false),
            (Unfolded::Unknown, start, true),
            (Unfolded::Unknown.and(1, start), start, true),
            (of(1), at(999), false),
            (of(1), at(1000), true),
            (of(1).and(1, at(999)), at(1000), true),
            (of(MAX_UNFOLDED), start, false),
            (of(MAX_UNFOLDED + 1), start, true),
            (of(MAX_UNFOLDED).and(1, start), start, true),
        ] {
            assert_eq!(unfolded.are_due(now), due, "{unfolded:?}");
        }
    }
}
