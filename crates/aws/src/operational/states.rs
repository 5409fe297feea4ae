//! States of subscriptions as items of the table of reports: one partition, which a run reads as a whole. There is one for each
//! subscription that fails, has exhausted deliveries that were not told, or a certificate of which notice was given; and one for each
//! tenant that somebody observes (`observers`).
//!
//! A state is written on condition that it is as it was read.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};

use super::observers::{self, Observed, Observers};
use crate::engine::Aws;
use crate::items::item::{Item, document, get_text, json, missing_attribute, text};
use crate::items::key_schema::{DOC, ItemKey, SK};
use crate::items::transaction::TransactionPart as _;
use crate::items::unreadable::UnreadableItems;
use crate::queue::Receiver;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::operational::OperationalState;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// The partition of all states.
pub(super) const STATES_PK: &str = "S#";
/// The state is as it was read.
const UNCHANGED: &str = "#doc = :before";

/// A state as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct StoredState {
    pub(super) state: OperationalState,
    /// What is stored; nothing where there is no item.
    doc: Option<String>,
}

/// The states of all subscriptions as a run knows them.
#[derive(Debug, Default)]
pub(crate) struct States {
    states: HashMap<Receiver, StoredState>,
    /// The latest success of each subscription of which this run has seen one.
    successes: HashMap<Receiver, Timestamp>,
    /// The observers of tenants, as they are stored.
    observers: HashMap<TenantId, Observers>,
    /// Who is observed, of those tenants for which this run has asked.
    observed: HashMap<TenantId, Option<Observed>>,
}

impl States {
    /// Whether a subscription has failures in a row, so that a success says something.
    pub(super) fn fails(&self, of: &Receiver) -> bool {
        self.states.get(of).is_some_and(|stored| stored.state.failing.is_some())
    }

    /// Whether it was told that a subscription fails, so that a further failure says nothing.
    pub(super) fn is_told(&self, of: &Receiver) -> bool {
        let run = self.states.get(of).and_then(|stored| stored.state.failing);
        let observed = self.observed(&of.tenant);
        run.is_some_and(|run| {
            run.is_told() && observed.is_some_and(|observed| observed.observers.since <= run.since)
        })
    }

    /// That somebody observes a tenant, where that was asked and is so.
    pub(super) fn observed(&self, tenant: &TenantId) -> Option<&Observed> {
        self.observed.get(tenant)?.as_ref()
    }

    pub(super) fn was_asked(&self, tenant: &TenantId) -> bool {
        self.observed.contains_key(tenant)
    }

    pub(super) fn put_observed(&mut self, tenant: TenantId, observed: Option<Observed>) {
        self.observed.insert(tenant, observed);
    }

    /// The observers of a tenant that are stored.
    pub(super) fn observers(&self, tenant: &TenantId) -> Option<&Observers> {
        self.observers.get(tenant)
    }

    /// Takes in the observers of a tenant that were stored: who is observed is asked again.
    pub(super) fn put_observers(&mut self, tenant: TenantId, stored: Option<Observers>) {
        self.observed.remove(&tenant);
        match stored {
            Some(stored) => drop(self.observers.insert(tenant, stored)),
            None => drop(self.observers.remove(&tenant)),
        }
    }

    pub(super) fn get(&self, of: &Receiver) -> StoredState {
        self.states.get(of).cloned().unwrap_or_default()
    }

    /// Whether a success was seen that is later than this.
    pub(super) fn succeeded_after(&self, of: &Receiver, at: Timestamp) -> bool {
        self.successes.get(of).is_some_and(|success| at < *success)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Receiver, &StoredState)> {
        self.states.iter()
    }

    /// The states of a tenant's subscriptions.
    pub(super) fn of_tenant(&self, tenant: &TenantId) -> Vec<Receiver> {
        self.states.keys().filter(|of| of.tenant == *tenant).cloned().collect()
    }

    /// Takes in what was stored.
    pub(super) fn put(&mut self, of: Receiver, stored: StoredState) {
        match stored.doc {
            Some(_) => drop(self.states.insert(of, stored)),
            None => drop(self.states.remove(&of)),
        }
    }

    /// Takes in a success that was seen.
    pub(super) fn put_success(&mut self, of: Receiver, at: Timestamp) {
        let latest = self.successes.entry(of).or_insert(at);
        *latest = at.max(*latest);
    }
}

impl StoredState {
    /// What is stored when this state follows.
    pub(super) fn followed_by(state: OperationalState) -> StoreResult<Self> {
        let doc = match state.is_default() {
            true => None,
            false => json(&state)?.as_s().ok().cloned(),
        };
        Ok(Self { state, doc })
    }

    /// The write that stores `after` in place of this; none where nothing changes.
    pub(super) fn replace(
        &self,
        table: &str,
        of: &Receiver,
        after: &Self,
    ) -> StoreResult<Option<TransactWriteItem>> {
        let key = key(of);
        let part = match (&self.doc, &after.doc) {
            (None, None) => return Ok(None),
            (Some(before), Some(after)) if before == after => return Ok(None),
            (None, Some(doc)) => {
                let put = Put::builder().table_name(table).set_item(Some(item(key, doc)));
                put.condition_expression("attribute_not_exists(#doc)")
                    .expression_attribute_names("#doc", DOC)
                    .part()?
            }
            (Some(before), Some(doc)) => Put::builder()
                .table_name(table)
                .set_item(Some(item(key, doc)))
                .condition_expression(UNCHANGED)
                .expression_attribute_names("#doc", DOC)
                .expression_attribute_values(":before", text(before))
                .part()?,
            (Some(before), None) => Delete::builder()
                .table_name(table)
                .set_key(Some(key.attributes()))
                .condition_expression(UNCHANGED)
                .expression_attribute_names("#doc", DOC)
                .expression_attribute_values(":before", text(before))
                .part()?,
        };
        Ok(Some(part))
    }
}

fn key(Receiver { tenant, subscription_id }: &Receiver) -> ItemKey {
    ItemKey { pk: STATES_PK.into(), sk: format!("{tenant}#{subscription_id}") }
}

fn item(key: ItemKey, doc: &str) -> Item {
    let mut item = key.attributes();
    item.insert(DOC.into(), text(doc));
    item
}

fn receiver(item: &Item) -> StoreResult<Receiver> {
    let key = || missing_attribute(SK);
    let (tenant, id) = get_text(item, SK).and_then(|sk| sk.split_once('#')).ok_or_else(key)?;
    let tenant = TenantId::try_from(tenant.to_owned()).map_err(|_| key())?;
    Ok(Receiver { tenant, subscription_id: id.parse().map_err(|_| key())? })
}

impl Aws {
    /// All states, and the observers of all tenants. One that cannot be read is as that of a subscription of which there is nothing to tell, and the log says so.
    pub(crate) async fn operational_states(&self) -> StoreResult<States> {
        let items = self.query_all(self.query_reports(STATES_PK)).await?;
        let mut left_out = UnreadableItems::default();
        let mut all = States::default();
        for item in &items {
            if let Some(tenant) = observers::tenant(item) {
                all.observers
                    .extend(left_out.readable(item, Observers::read(item)).map(|read| (tenant, read)));
                continue;
            }
            let Some(of) = left_out.readable(item, receiver(item)) else { continue };
            let state = left_out.readable(item, document(item)).unwrap_or_default();
            all.states.insert(of, StoredState { state, doc: get_text(item, DOC).map(str::to_owned) });
        }
        Ok(all)
    }
}
