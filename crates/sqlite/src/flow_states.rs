//! Flow states of subscriptions: recorded with the ends of attempts, and changed by hand. Only a subscription with an
//! automatic hold, or that was held, has one.
//!
//! The throttles of `queue` follow each change after its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use tracing::{info, warn};

use super::SqliteEngine;
use super::operational::Recorded;
use super::order::readers;
use super::queue::{QueueScheduler, UncommittedFlow};
use super::rows::{from_json, text_column, to_json, uuid_column};
use super::unreadable::{none_if_unreadable, read_all};
use super::writer::Priority;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::{EndedHold, FlowState, Hold, SubscriptionFlow};
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, StoreResult};

/// The automatic messages of a subscription that are due.
pub(crate) const COUNT_WAITING: &str =
    "SELECT count(*) FROM queue WHERE subscription = ?1 AND (number IS NOT NULL) = 1 AND due <= ?2";

/// Whose state it is.
type Of<'a> = (&'a TenantId, SubscriptionId);

/// A state that was changed.
pub(crate) struct ChangedState {
    before: FlowState,
    state: FlowState,
    /// Where it is held: until the scheduler has followed.
    uncommitted: Option<UncommittedFlow>,
}

/// Records the end of an attempt, in the transaction that completes it, where the subscription keeps a state. Gives the
/// state where it changed.
pub(crate) fn record_end(
    connection: &Connection,
    scheduler: &Arc<QueueScheduler>,
    row: &Attempt,
) -> rusqlite::Result<Option<ChangedState>> {
    let Some(hold_after) = scheduler.recorded_by(row.subscription_id) else { return Ok(None) };
    let of = (&row.tenant, row.subscription_id);
    // It may be deleted in this very commit, of which the scheduler has not heard.
    if !is_current(connection, of)? {
        return Ok(None);
    }
    let changed = change(connection, of, |state| state.record_end(row, hold_after))?;
    Ok(changed.map(|changed| changed.until_committed(scheduler, of)))
}

impl ChangedState {
    /// The hold that began.
    pub(crate) fn began_hold(&self) -> Option<&Hold> {
        self.state.hold.as_ref().filter(|_| self.before.hold.is_none())
    }

    /// The hold that ended.
    pub(crate) fn ended_hold(&self) -> Option<EndedHold> {
        self.state.ended.filter(|_| self.before.hold.is_some() && self.state.hold.is_none())
    }

    /// The same; where it is held, nothing of the subscription begins until this is dropped.
    fn until_committed(mut self, scheduler: &Arc<QueueScheduler>, of: Of<'_>) -> Self {
        self.uncommitted = self.state.hold.is_some().then(|| UncommittedFlow::begin(scheduler, of));
        self
    }
}

/// Follows, after the commit, what [`record_end`] gave, and logs where a hold began or ended.
pub(crate) fn follow_end(scheduler: &QueueScheduler, row: &Attempt, changed: Option<&ChangedState>) {
    let of = (&row.tenant, row.subscription_id);
    let Some(ChangedState { before, state, .. }) = changed else {
        if !row.is_manual() {
            scheduler.end_probe(row.subscription_id);
        }
        return;
    };
    let (tenant, subscription_id) = of;
    match (before.hold.is_some(), state.hold.is_some()) {
        (false, true) => {
            warn!(%tenant, %subscription_id, failures_in_a_row = state.failures.count, "subscription.held_by_failures");
        }
        (true, false) => info!(%tenant, %subscription_id, "subscription.recovered"),
        _ => {}
    }
    scheduler.set_flow_state(of, state);
}

fn is_current(connection: &Connection, (tenant, id): Of<'_>) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM subscriptions WHERE tenant = ?1 AND id = ?2 AND current = 1")?
        .exists(params![tenant.as_str(), id.uuid().as_bytes()])
}

/// Changes a state, and gives it where it is another then.
fn change(
    connection: &Connection,
    (tenant, id): Of<'_>,
    change: impl FnOnce(&mut FlowState),
) -> rusqlite::Result<Option<ChangedState>> {
    let found = connection
        .prepare_cached("SELECT doc FROM flow_states WHERE tenant = ?1 AND subscription = ?2")?
        .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| from_json(row, 0))
        .optional();
    // One that cannot be read is as that of a subscription without failures.
    let found = none_if_unreadable(found, &format_args!("flow state of subscription {id} of {tenant}"));
    let before: FlowState = found?.unwrap_or_default();
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return Ok(None);
    }
    put(connection, (tenant, id), &after)?;
    Ok(Some(ChangedState { before, state: after, uncommitted: None }))
}

pub(crate) fn put(connection: &Connection, (tenant, id): Of<'_>, state: &FlowState) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO flow_states (tenant, subscription, doc) VALUES (?1, ?2, ?3)")?
        .execute(params![tenant.as_str(), id.uuid().as_bytes(), to_json(state)?])
        .map(|_| ())
}

/// Deletes the state of a subscription that is deleted: nothing of it is held any more.
pub(crate) fn delete(connection: &Connection, (tenant, id): Of<'_>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM flow_states WHERE tenant = ?1 AND subscription = ?2")?
        .execute(params![tenant.as_str(), id.uuid().as_bytes()])
        .map(|_| ())
}

/// Forgets the failures in a row of a subscription whose automatic hold was taken out of its settings.
pub(crate) fn forget_failures(connection: &Connection, of: Of<'_>) -> rusqlite::Result<()> {
    change(connection, of, FlowState::forget_failures).map(|_| ())
}

/// All that are stored.
pub(crate) fn states(
    connection: &Connection,
) -> rusqlite::Result<Vec<(TenantId, SubscriptionId, FlowState)>> {
    let mut statement = connection.prepare("SELECT tenant, subscription, doc FROM flow_states")?;
    read_all(statement.query([])?, &"flow states", |row| {
        Ok((text_column(row, 0)?, SubscriptionId::from_uuid(uuid_column(row, 1)?), from_json(row, 2)?))
    })
}

/// Moves what the states say of time by so many milliseconds.
pub(crate) fn shift(connection: &Connection, millis: i64) -> rusqlite::Result<()> {
    for (tenant, id, state) in states(connection)? {
        put(connection, (&tenant, id), &state.shifted(millis))?;
    }
    Ok(())
}

impl SqliteEngine {
    /// Changes the flow state of a subscription that is current, by hand.
    async fn change_hold(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        by_hand: impl Fn(&mut FlowState) + Send + 'static,
    ) -> StoreResult<bool> {
        let (tenant, scheduler) = (tenant.clone(), Arc::clone(&self.0.scheduler));
        let (of, flows) = (tenant.clone(), Arc::clone(&scheduler));
        let operational = Arc::clone(&self.0.operational);
        let recording = Arc::clone(&operational);
        let work = move |connection: &Connection| {
            let of = (&of, id);
            let is_current = is_current(connection, of)?;
            let changed = if is_current { change(connection, of, &by_hand)? } else { None };
            let Some(changed) = changed else { return Ok((is_current, None)) };
            let recorded = recording.record_hold(connection, of, &changed)?;
            Ok((is_current, Some((changed.until_committed(&flows, of), recorded))))
        };
        let follow = move |(_, changed): &mut (bool, Option<(ChangedState, Recorded)>)| {
            if let Some((changed, recorded)) = changed {
                scheduler.set_flow_state((&tenant, id), &changed.state);
                operational.follow(recorded);
            }
        };
        let (is_current, _) = self.0.writer.run(Priority::ExistingWork, work, follow).await?;
        Ok(is_current)
    }
}

impl FlowControl for SqliteEngine {
    async fn hold(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        by: &str,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let by = by.to_owned();
        self.change_hold(tenant, id, move |state| state.hold(&by, now)).await
    }

    async fn release_hold(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> StoreResult<bool> {
        self.change_hold(tenant, id, move |state| state.release(now)).await
    }

    async fn flows(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> StoreResult<BTreeMap<SubscriptionId, SubscriptionFlow>> {
        Ok(self.0.scheduler.flows(tenant, now))
    }

    async fn waiting_for_order(
        &self,
        _: &TenantId,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> StoreResult<BTreeSet<TraceId>> {
        let deliveries = deliveries.to_vec();
        self.read(move |connection| readers::waiting(connection, &deliveries, now)).await
    }

    async fn count_waiting(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> StoreResult<u64> {
        // The index has no tenant.
        let Some(flow) = self.0.scheduler.flow((tenant, id), now) else { return Ok(0) };
        let tenant = tenant.clone();
        self.read(move |connection| {
            let due: u64 = connection
                .prepare_cached(COUNT_WAITING)?
                .query_row(params![id.uuid().as_bytes(), now.millis()], |row| row.get(0))?;
            let behind = match flow.is_ordered {
                true => readers::count_waiting(connection, &tenant, id, now)?,
                false => 0,
            };
            Ok(due + behind)
        })
        .await
    }
}
