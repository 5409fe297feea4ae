//! File descriptors: how many this process may have, and who gets them.
//!
//! Whoever connects takes one, and each webhook under way needs some. If those who connect could take them all,
//! strangers could stop webhooks; so a share is kept for sending, for the database and for the log.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// For the database and its readers, the listener, the log and the runtime.
const OUR_OWN: u64 = 40;
/// Look-ups of names under way: so many at once, with two sockets each. With fewer descriptors, an eighth is for them.
const LOOKUPS: u64 = 256;
/// A webhook under way has a connection, and may try two addresses at once or leave a connection for the next.
const FOR_A_SEND: u64 = 2;
/// More connections that wait for another webhook are of no use.
const MOST_IDLE: u64 = 1024;
/// More connections are of no use: each costs memory too.
const MOST_CONNECTIONS: u64 = 4096;
/// With fewer connections than this, a busy day is noticed.
const FEW_CONNECTIONS: usize = 256;

/// Who gets how much of the descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// How many connections callers may hold at once.
    pub(super) connections: usize,
    /// How many webhooks may be under way at once.
    pub(super) concurrency: u32,
    /// How many connections may wait for another webhook.
    pub(super) idle: usize,
}

/// Raises the limit of this process as far as it may, and shares what there is; what is small is said in the log.
pub(super) fn share_out(concurrency: u32) -> Share {
    let limit = raised();
    let share = shared(limit, concurrency);
    if share.concurrency < concurrency {
        warn!(
            limit,
            concurrency = share.concurrency,
            connections = share.connections,
            "descriptors.too_few: the limit of open files is too small for --concurrency {concurrency}, so fewer \
             webhooks are under way at once; raise it (ulimit -n, LimitNOFILE)"
        );
    } else if share.connections < FEW_CONNECTIONS {
        warn!(
            limit,
            connections = share.connections,
            "descriptors.few: the limit of open files leaves few connections for callers; raise it (ulimit -n, \
             LimitNOFILE)"
        );
    }
    share
}

/// The limit after it was raised; none is as good as very many.
fn raised() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let maximum = limit.maximum;
    if limit.current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err()
    {
        return limit.current.unwrap_or(u64::MAX);
    }
    maximum.unwrap_or(u64::MAX)
}

fn shared(limit: u64, concurrency: u32) -> Share {
    let free = limit.saturating_sub(OUR_OWN);
    let free = free - LOOKUPS.min(free / 8);
    let sending = u64::from(concurrency) * FOR_A_SEND;
    // Sending goes first, but a third of what is free stays for those who call.
    let sending = sending.min(free / 3 * 2);
    let connections = (free - sending).clamp(4, MOST_CONNECTIONS);
    let possible = u32::try_from((sending / FOR_A_SEND).max(1)).unwrap_or(u32::MAX);
    let concurrency = concurrency.min(possible);
    // What nobody else has any use for can wait, too.
    let unused = free.saturating_sub(sending + connections);
    let idle = (u64::from(concurrency) + unused).min(MOST_IDLE);
    let whole = |number| usize::try_from(number).unwrap_or(usize::MAX);
    Share { connections: whole(connections), concurrency, idle: whole(idle) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sending_keeps_its_share_and_callers_at_least_a_third() {
        for (limit, concurrency, connections, sends, idle) in [
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
            let share = shared(limit, concurrency);
            let expected = Share { connections, concurrency: sends, idle };
            assert_eq!(share, expected, "limit {limit}, concurrency {concurrency}");
        }
    }
}
