//! Admission: whether the first attempt of a new delivery begins in the commit that stores it.
//!
//! While a worker runs, where permits are free and nothing of the subscription waits for one, intake claims the first
//! attempt in its own commit, and the request leaves after it. Everything else goes through the queue. The worker opens
//! and closes admission; while it is closed everything is queued.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rusqlite::Connection;
use uuid::Uuid;

use super::claim::{ClaimSource, insert_delivery, write_claim};
use super::send::Dispatcher;
use crate::counts::CountLog;
use crate::order::{self, NewInOrder};
use crate::payloads;
use crate::queue::messages::put_message;
use crate::queue::{Place, ProcessPermit, QueueId, QueueScheduler, WirePermits};
use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreResult};

/// The way from intake to a running worker.
pub(crate) struct AdmissionControl {
    scheduler: Arc<QueueScheduler>,
    /// That of the running worker; none while admission is closed.
    dispatcher: Mutex<Option<Arc<Dispatcher>>>,
}

impl AdmissionControl {
    pub(crate) fn new(scheduler: Arc<QueueScheduler>) -> Self {
        Self { scheduler, dispatcher: Mutex::default() }
    }

    fn dispatcher(&self) -> MutexGuard<'_, Option<Arc<Dispatcher>>> {
        self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens admission until the guard is dropped.
    pub(super) fn open(&self, dispatcher: Arc<Dispatcher>) -> OpenAdmission<'_> {
        *self.dispatcher() = Some(dispatcher);
        OpenAdmission(self)
    }

    /// Places for new deliveries of these subscriptions, as soon as there is room for all: see `queue::places`. None where
    /// no worker runs.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`](loanhook_core::ports::StoreError::Busy) where there was no room in time.
    pub(crate) async fn wait_for_places(
        &self,
        tenant: &TenantId,
        subscriptions: BTreeSet<SubscriptionId>,
        bytes: usize,
    ) -> StoreResult<Vec<Place>> {
        let bounds = self.dispatcher().as_ref().map(|dispatcher| dispatcher.limits.share_bounds());
        let Some(bounds) = bounds else { return Ok(Vec::new()) };
        let queue = |subscription| QueueId { tenant: tenant.clone(), subscription, automatic: true };
        let queues = subscriptions.into_iter().map(queue);
        Place::wait_for_all(&self.scheduler, queues, bytes, bounds, || self.dispatcher().is_some()).await
    }

    /// Permits for an attempt of this queue, if there are any and nothing waits for them.
    fn admit(&self, queue: QueueId, now: Timestamp) -> Option<Admission> {
        let (dispatcher, process_permit, counts) = {
            // Whoever closes admission waits for every permit that was acquired before.
            let dispatcher = self.dispatcher();
            let dispatcher = Arc::clone(dispatcher.as_ref()?);
            let counts = dispatcher.permits.counts();
            let permit = dispatcher.permits.try_acquire()?;
            (dispatcher, permit, counts)
        };
        let initial_share = dispatcher.limits.initial_share;
        let wire_permit = WirePermits::reserve_one(&self.scheduler, queue, initial_share, counts, now)?;
        Some(Admission { dispatcher, wire_permit, process_permit })
    }

    /// Whether deliveries of a subscription may be numbered and wait for earlier ones.
    fn keeps_order(&self, subscription: SubscriptionId) -> bool {
        self.scheduler.keeps_order(subscription)
    }

    /// How many attempts and resends are under way: claimed, and not ended.
    pub(crate) fn in_flight(&self) -> usize {
        let counts = self.dispatcher().as_ref().map(|dispatcher| dispatcher.permits.counts());
        counts.map_or(0, |counts| counts.total - counts.free)
    }

    /// Whether half of the process permits are free, so that nothing waits for one that is held somewhat longer. False where
    /// no worker runs.
    pub(crate) fn has_spare_permits(&self) -> bool {
        let counts = self.dispatcher().as_ref().map(|dispatcher| dispatcher.permits.counts());
        counts.is_some_and(|counts| counts.free * 2 >= counts.total)
    }
}

/// Closes admission when it is dropped.
pub(super) struct OpenAdmission<'a>(&'a AdmissionControl);

impl Drop for OpenAdmission<'_> {
    fn drop(&mut self) {
        self.0.dispatcher().take();
    }
}

/// The permits of an attempt that begins at once, and the dispatcher that sends it.
struct Admission {
    dispatcher: Arc<Dispatcher>,
    wire_permit: WirePermits,
    process_permit: ProcessPermit,
}

impl Admission {
    fn start(self, message: QueueMessage, claimed: Box<ClaimedAttempt>) {
        self.dispatcher.start_claimed(message, claimed, self.wire_permit, self.process_permit);
    }
}

/// What follows the commit of new deliveries: attempts to start, and messages to schedule.
pub(crate) struct NewDeliveries {
    places: Vec<Place>,
    queued: Vec<QueueMessage>,
    /// Messages of deliveries that wait until earlier ones step aside.
    later: Vec<QueueMessage>,
    claimed: Vec<(Admission, QueueMessage, Box<ClaimedAttempt>)>,
}

impl NewDeliveries {
    /// `places` are given back after the commit.
    pub(crate) fn new(places: Vec<Place>) -> Self {
        Self { places, queued: Vec::new(), later: Vec::new(), claimed: Vec::new() }
    }

    /// Stores a delivery and its payload, and with it the claim of its first attempt where that is admitted, else the
    /// message for it; neither, where it waits for an earlier delivery of its loan. A delivery that is stored already stays as it is.
    pub(crate) fn put(
        &mut self,
        connection: &Connection,
        counts: &CountLog,
        control: &AdmissionControl,
        (mut delivery, payload): (Delivery, Bytes),
    ) -> rusqlite::Result<()> {
        // The event may have waited for its commit: the attempt begins now.
        let now = Timestamp::now();
        let in_order = match control.keeps_order(delivery.snapshot.subscription_id) {
            true => order::number_new(connection, &mut delivery, now)?,
            false => NewInOrder::MayBegin,
        };
        let message = match in_order {
            NewInOrder::StoredBefore => return Ok(()),
            NewInOrder::MayBegin => QueueMessage::for_next_attempt(&delivery),
            NewInOrder::Waits(later) => {
                self.later.extend(later);
                None
            }
        };
        let claim = message.as_ref().filter(|message| message.due <= now).and_then(|message| {
            let DueWork::Attempt(number) = message.work else { return None };
            let admission = control.admit(QueueId::of(message), now)?;
            let token = Uuid::new_v4();
            Some((admission, token, delivery.claim(number, token, now).ok()?))
        });
        let new = match &claim {
            Some((_, _, row)) => write_claim(connection, &delivery, row, ClaimSource::New)?,
            None => insert_delivery(connection, &delivery)?,
        };
        if !new {
            return Ok(());
        }
        counts.add(counts.counting().delivery(None, Some(&delivery)));
        payloads::put(connection, &delivery.snapshot.tenant, delivery.snapshot.request.payload, &payload)?;
        match (claim, message) {
            (Some((admission, token, row)), Some(message)) => {
                let payload = Some(payload);
                let claimed = Box::new(ClaimedAttempt { delivery, row, token, payload });
                self.claimed.push((admission, message, claimed));
            }
            (_, Some(message)) => {
                put_message(connection, &message)?;
                self.queued.push(message);
            }
            (_, None) => {}
        }
        Ok(())
    }

    /// Starts the attempts that were claimed, and schedules the messages that were queued.
    pub(crate) fn after_commit(&mut self, scheduler: &QueueScheduler) {
        scheduler.add_first_attempts(&std::mem::take(&mut self.queued));
        scheduler.add_messages(&std::mem::take(&mut self.later));
        for (admission, message, claimed) in self.claimed.drain(..) {
            admission.start(message, claimed);
        }
        self.places.clear();
    }
}
