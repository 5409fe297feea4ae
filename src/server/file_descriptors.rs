//! The limit of open files of this process, and its division between callers, attempts and everything else.
//!
//! A connection of a caller takes one descriptor, and an attempt in flight takes some. If callers could take them all,
//! strangers could stop the sending of webhooks; so a part is kept for sending, for the database and for the log.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Descriptors of the database and its readers, the listener, the log and the runtime.
const RESERVED_DESCRIPTORS: u64 = 40;
/// Descriptors of name look-ups under way, two sockets each. Where there are few descriptors, an eighth of them.
const NAME_LOOKUP_DESCRIPTORS: u64 = 256;
/// An attempt has a connection, and may try two addresses at once or leave an idle connection behind.
const DESCRIPTORS_PER_ATTEMPT: u64 = 2;
/// More idle connections to receivers are of no use.
const MAX_IDLE_CONNECTIONS: u64 = 1024;
/// More connections of callers are of no use, and each costs memory.
const MAX_CALLER_CONNECTIONS: u64 = 4096;
/// Connections of callers that are left however small the limit is.
const MIN_CALLER_CONNECTIONS: u64 = 4;
/// With fewer connections of callers the log warns: they may all be taken on a busy day.
const FEW_CALLER_CONNECTIONS: usize = 256;

/// What each user of descriptors may have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DescriptorBudget {
    /// Connections of callers.
    pub(super) caller_connections: usize,
    /// Attempts in flight.
    pub(super) concurrency: u32,
    /// Idle connections to receivers, kept for another attempt.
    pub(super) idle_connections: usize,
}

/// Raises the limit of this process as far as the system allows, and divides it. Warns in the log where it is too small
/// for `concurrency` attempts in flight, or leaves few connections for callers.
pub(super) fn allocate(concurrency: u32) -> DescriptorBudget {
    let limit = raise_limit();
    let budget = divide(limit, concurrency);
    if budget.concurrency < concurrency {
        warn!(
            limit,
            concurrency = budget.concurrency,
            connections = budget.caller_connections,
            "descriptors.too_few: the limit of open files is too small for --concurrency {concurrency}, so fewer \
             webhooks are under way at once; raise it (ulimit -n, LimitNOFILE)"
        );
    } else if budget.caller_connections < FEW_CALLER_CONNECTIONS {
        warn!(
            limit,
            connections = budget.caller_connections,
            "descriptors.few: the limit of open files leaves few connections for callers; raise it (ulimit -n, \
             LimitNOFILE)"
        );
    }
    budget
}

/// The limit after raising it; `u64::MAX` where there is none.
fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let maximum = limit.maximum;
    if limit.current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err()
    {
        return limit.current.unwrap_or(u64::MAX);
    }
    maximum.unwrap_or(u64::MAX)
}

fn divide(limit: u64, concurrency: u32) -> DescriptorBudget {
    let free = limit.saturating_sub(RESERVED_DESCRIPTORS);
    let free = free - NAME_LOOKUP_DESCRIPTORS.min(free / 8);
    let for_attempts = u64::from(concurrency) * DESCRIPTORS_PER_ATTEMPT;
    // Attempts come first, but a third stays for callers.
    let for_attempts = for_attempts.min(free / 3 * 2);
    let caller_connections = (free - for_attempts).clamp(MIN_CALLER_CONNECTIONS, MAX_CALLER_CONNECTIONS);
    let possible = u32::try_from((for_attempts / DESCRIPTORS_PER_ATTEMPT).max(1)).unwrap_or(u32::MAX);
    let concurrency = concurrency.min(possible);
    // Descriptors that nobody else can use are for idle connections.
    let unused = free.saturating_sub(for_attempts + caller_connections);
    let idle_connections = (u64::from(concurrency) + unused).min(MAX_IDLE_CONNECTIONS);
    let to_usize = |number| usize::try_from(number).unwrap_or(usize::MAX);
    DescriptorBudget {
        caller_connections: to_usize(caller_connections),
        concurrency,
        idle_connections: to_usize(idle_connections),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_keep_their_descriptors_and_callers_at_least_a_third() {
        for (limit, concurrency, caller_connections, possible_concurrency, idle_connections) in [
            (u64::MAX, 256, 4096, 256, 1024),
            (1_048_576, 65_536, 4096, 65_536, 1024),
            (65_536, 256, 4096, 256, 1024),
            (5120, 256, 4096, 256, 472),
            (1024, 256, 349, 256, 256),
            (1024, 64, 733, 64, 64),
            (1024, 1000, 287, 287, 287),
            (80, 256, 13, 11, 11),
            (80, 4, 27, 4, 4),
            (40, 256, 4, 1, 1),
            (0, 1, 4, 1, 1),
        ] {
            let expected =
                DescriptorBudget { caller_connections, concurrency: possible_concurrency, idle_connections };
            assert_eq!(divide(limit, concurrency), expected, "limit {limit}, concurrency {concurrency}");
        }
    }
}
