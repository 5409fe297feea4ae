//! Announcements of the instances of the delivery function: each has an item that holds for five minutes, in the partition of
//! the slow marks, so that whoever reads the marks counts the instances as well.
//!
//! Instances are closed to receivers ([`super::route`]) only where there are some: of one or two, every eighth receiver would
//! find all closed. Where twice as many are announced as matters, no other announces itself.

use std::time::Duration;

use tracing::warn;

use super::route::InstanceId;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::number;
use crate::items::key_schema::{self, EXPIRES};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// Instances are closed to receivers where at least so many are announced.
pub(super) const MIN_INSTANCES_FOR_CLOSING: usize = 8;
/// So many announcements are enough.
const MAX_ANNOUNCEMENTS: usize = 2 * MIN_INSTANCES_FOR_CLOSING;
/// How long an announcement holds, and when it is written again.
const VALIDITY: Duration = Duration::from_secs(300);
const RENEWAL_INTERVAL: Duration = Duration::from_secs(200);

/// What an instance knows of the announcements.
#[derive(Debug, Default)]
pub(super) struct Instances {
    /// How many there were when they were read last.
    announced: usize,
    /// When this instance announced itself last.
    announced_self: Option<Timestamp>,
}

impl Instances {
    pub(super) fn replace(&mut self, announced: usize) {
        self.announced = announced;
    }

    /// Whether instances are closed to receivers.
    pub(super) fn are_closed_to_some(&self) -> bool {
        self.announced >= MIN_INSTANCES_FOR_CLOSING
    }

    /// Whether this instance is to announce itself. Who is told so does it.
    fn start_announcement(&mut self, now: Timestamp) -> bool {
        let is_announced = self.announced_self.is_some_and(|at| now.since(at) < RENEWAL_INTERVAL);
        let is_due = !is_announced && self.announced < MAX_ANNOUNCEMENTS;
        if is_due {
            self.announced_self = Some(now);
        }
        is_due
    }
}

impl Aws {
    /// Announces an instance in the background, where that is due.
    pub(super) fn announce(&self, instance: InstanceId) {
        let now = (self.stack().clock)();
        if !self.slow_marks().with_instances(|instances| instances.start_announcement(now)) {
            return;
        }
        let engine = self.clone();
        self.spawn_background(async move {
            if let Err(failure) = engine.put_announcement(instance, now).await {
                warn!(%failure, "instance.not_announced");
            }
        });
    }

    async fn put_announcement(&self, instance: InstanceId, now: Timestamp) -> StoreResult<()> {
        let mut item = key_schema::instance(instance.uuid()).attributes();
        item.insert(EXPIRES.into(), number((now + VALIDITY).seconds()));
        let put = self.dynamodb().put_item().table_name(self.table()).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(store_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    #[test]
    fn instances_are_closed_to_receivers_where_eight_are_announced() {
        for (announced, are_closed) in [(0, false), (7, false), (8, true), (500, true)] {
            let instances = Instances { announced, ..Instances::default() };
            assert_eq!(instances.are_closed_to_some(), are_closed, "{announced}");
        }
    }

    #[test]
    fn an_instance_announces_itself_every_200_seconds_unless_sixteen_did() {
        let mut few = Instances { announced: 15, ..Instances::default() };
        let due = [0, 1, 199, 200, 399, 400]
            .map(|seconds| few.start_announcement(NOW + Duration::from_secs(seconds)));
        assert_eq!(due, [true, false, false, true, false, true]);
        let mut many = Instances { announced: 16, ..Instances::default() };
        assert!(!many.start_announcement(NOW));
    }
}
