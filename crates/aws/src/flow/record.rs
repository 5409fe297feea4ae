//! Ends of attempts as the flow state of their subscription takes them in, and changes of a state by hand or with the settings.
//!
//! An end is recorded by who moved the delivery on, after that: once, or never where that sender dies in between. Then a failure is
//! one less in the run, or the next success ends the hold.

use aws_sdk_dynamodb::types::TransactWriteItem;
use tracing::{error, info, warn};

use super::state::{Changed, ChangedBy, StoredState};
use crate::engine::Aws;
use crate::items::item::{number, parse_number};
use crate::items::key_schema::{self, EXPIRES, FLOW_MARK, PK, VERSION};
use crate::items::transaction::TransactionPart as _;
use crate::queue::Receiver;
use crate::settings::{Change, CountChange, FlowChange, SettingsChange, SettingsOutcome};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::flow::FlowState;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};

/// How often a mark is set anew because the subscription changed meanwhile.
const MAX_TRIES: u32 = 8;

impl Aws {
    /// Records the end of an attempt, where its subscription keeps a state. A failure is logged: the attempt itself is complete.
    pub(crate) async fn record_flow_end(&self, row: &Attempt) {
        if let Err(failure) = self.try_record_flow_end(row).await {
            let (tenant, subscription_id) = (row.tenant.as_str(), row.subscription_id);
            error!(tenant, %subscription_id, attempt_id = %row.id, %failure, "subscription.end_not_recorded");
        }
    }

    async fn try_record_flow_end(&self, row: &Attempt) -> StoreResult<()> {
        let of = Receiver { tenant: row.tenant.clone(), subscription_id: row.subscription_id };
        let flow = self.known_flow(&of).await?;
        if !flow.keeps_state() {
            return Ok(());
        }
        let hold_after = flow.settings.hold_after_failures;
        let by = ChangedBy::end_of(row);
        let changed = self.change_flow_state(&of, by, |state| state.record_end(row, hold_after)).await?;
        let Some(Changed { before, after }) = changed else { return Ok(()) };
        if before.hold == after.hold {
            return Ok(());
        }
        let Receiver { tenant, subscription_id } = &of;
        match (before.hold.is_some(), after.hold.is_some()) {
            (false, true) => {
                warn!(%tenant, %subscription_id, failures_in_a_row = after.failures.count, "subscription.held_by_failures");
            }
            (true, false) => info!(%tenant, %subscription_id, "subscription.recovered"),
            _ => {}
        }
        let probe = after.hold.as_ref().and_then(|hold| hold.probe());
        let now = (self.stack().clock)();
        self.follow_hold(&of, probe.map_or(now, |probe| probe.due)).await;
        Ok(())
    }

    /// Holds a subscription by hand. False where there is none.
    pub(super) async fn hold_by_hand(&self, of: &Receiver, by: &str, now: Timestamp) -> StoreResult<bool> {
        let newest = self.newest_version_item(&of.tenant, of.subscription_id).await?;
        let Some(newest) = newest.filter(|newest| !newest.contains_key(EXPIRES)) else { return Ok(false) };
        // The mark after the state: who takes a mark away looks at the state, and changes it.
        let changed = self.change_flow_state(of, ChangedBy::Other, |state| state.hold(by, now)).await?;
        if changed.is_none() && newest.contains_key(FLOW_MARK) {
            return Ok(true);
        }
        self.mark_flow(of).await
    }

    /// Ends the hold of a subscription. False where there is none.
    pub(super) async fn release_by_hand(&self, of: &Receiver, now: Timestamp) -> StoreResult<bool> {
        let current = key_schema::current_subscription(&of.tenant, of.subscription_id);
        if self.get(current).await?.is_none() {
            return Ok(false);
        }
        let changed =
            self.change_flow_state(of, ChangedBy::Other, |state| state.release(now)).await?.is_some();
        if changed || self.is_marked(of).await? {
            // Also where nothing waits: the last turn takes the mark away. A release that died before this is repeated by it.
            self.begin_turns(of, now, now).await?;
            self.follow_hold(of, now).await;
        }
        Ok(true)
    }

    async fn is_marked(&self, of: &Receiver) -> StoreResult<bool> {
        let newest = self.newest_version_item(&of.tenant, of.subscription_id).await?;
        Ok(newest.is_some_and(|newest| newest.contains_key(FLOW_MARK)))
    }

    /// Sets the mark by which the state of a subscription counts whatever its settings say. False where there is none.
    async fn mark_flow(&self, of: &Receiver) -> StoreResult<bool> {
        let Receiver { tenant, subscription_id: id } = of;
        for _ in 0..MAX_TRIES {
            let current = self.get(key_schema::current_subscription(tenant, *id)).await?;
            let Some(current) = current else { return Ok(false) };
            let version: u64 = parse_number(&current, VERSION)?;
            let set = self
                .update_part(key_schema::subscription_version(tenant, *id, version))
                .update_expression("SET #mark = :true")
                .condition_expression("attribute_exists(#pk) AND attribute_not_exists(#expires)")
                .expression_attribute_names("#mark", FLOW_MARK)
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#expires", EXPIRES)
                .expression_attribute_values(":true", aws_sdk_dynamodb::types::AttributeValue::Bool(true));
            let set = set.part()?;
            // The version stays, so a list that is cached is as it was.
            if self.change_mark(of, version, FlowChange::Mark(*id), vec![set]).await? {
                return Ok(true);
            }
        }
        Err(StoreError::Busy)
    }

    /// Takes the mark of a subscription away. False where it is held or was changed meanwhile: then a later turn does.
    pub(super) async fn unmark_flow(&self, of: &Receiver) -> StoreResult<bool> {
        let Receiver { tenant, subscription_id: id } = of;
        let Some(newest) = self.newest_version_item(tenant, *id).await? else { return Ok(true) };
        let version: u64 = parse_number(&newest, VERSION)?;
        let StoredState { state, version: of_state } = self.flow_state(of).await?;
        if state.hold.is_some() {
            return Ok(false);
        }
        let remove = self
            .update_part(key_schema::subscription_version(tenant, *id, version))
            .update_expression("REMOVE #mark")
            .condition_expression("attribute_exists(#mark) AND attribute_not_exists(#expires)")
            .expression_attribute_names("#mark", FLOW_MARK)
            .expression_attribute_names("#expires", EXPIRES)
            .part()?;
        // Who holds it meanwhile changes the state on top of the version that was read.
        let claim = self
            .update_part(key_schema::flow_state(tenant, *id))
            .update_expression("SET #version = :after")
            .condition_expression("#version = :before")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":before", number(of_state))
            .expression_attribute_values(":after", number(of_state + 1))
            .part()?;
        self.change_mark(of, version, FlowChange::Unmark(*id), vec![remove, claim]).await
    }

    /// Changes the mark of a subscription. False where it was changed meanwhile.
    async fn change_mark(
        &self,
        of: &Receiver,
        version: u64,
        flow: FlowChange,
        writes: Vec<TransactWriteItem>,
    ) -> StoreResult<bool> {
        let Receiver { tenant, subscription_id: id } = of;
        let change = Change::Put(*id, version);
        let change = SettingsChange { tenant, change, count: CountChange::Same, flow };
        let outcome = self.change_tenants(&[change], |_| Ok(writes.clone())).await?;
        self.cache().forget_subscription(tenant, *id);
        let SettingsOutcome::Done(at) = outcome else { return Ok(false) };
        self.store_list(tenant, &at).await;
        Ok(true)
    }

    /// Follows a change of the settings of a subscription that had flow settings.
    pub(crate) async fn follow_flow_settings(&self, next: &Subscription) -> StoreResult<()> {
        let of = Receiver { tenant: next.tenant.clone(), subscription_id: next.id };
        if next.settings.flow.hold_after_failures.is_none() {
            self.change_flow_state(&of, ChangedBy::Other, FlowState::forget_failures).await?;
            if self.flow_state(&of).await?.state.hold.is_some() {
                // The hold stays as it is.
                self.mark_flow(&of).await?;
            }
        }
        // A higher limit counts at once.
        self.follow_hold(&of, (self.stack().clock)()).await;
        Ok(())
    }

    /// Ends the hold of a subscription that was deleted: what waits of it leaves slowly at first.
    pub(crate) async fn end_flow_of_deleted(&self, tenant: &TenantId, id: SubscriptionId) -> StoreResult<()> {
        let of = Receiver { tenant: tenant.clone(), subscription_id: id };
        let now = (self.stack().clock)();
        self.change_flow_state(&of, ChangedBy::Other, |state| state.release(now)).await?;
        self.follow_hold(&of, now).await;
        Ok(())
    }
}
