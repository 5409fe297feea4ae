//! Events that triggers watch, and formulas that failed.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::Embedded;
use super::claims::Entered;
use super::deliveries::weight;
use super::idempotency::{self, Kind};
use super::tables::{from_json, to_json};
use super::unreadable::or_none;
use super::writer::Class;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{
    Decided, IdempotencyKey, IdempotencyRecord, StoreResult, Subscriptions as _, Triggers, WatchedTrigger,
};

impl Triggers for Embedded {
    async fn accept_watched(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        remember: Option<(IdempotencyKey, IdempotencyRecord)>,
        deliveries: Vec<(Delivery, Bytes)>,
        watched: Vec<WatchedTrigger>,
        now: Timestamp,
    ) -> StoreResult<Decided> {
        let (tenant, loan) = (tenant.clone(), loan.clone());
        let (lanes, door) = (Arc::clone(&self.0.lanes), self.door());
        let there = self.subscriptions(&tenant).await?;
        let rising = watched.iter().filter_map(|watched| watched.delivery.as_ref());
        let bytes =
            deliveries.iter().chain(rising).map(|(delivery, bytes)| weight(delivery) + bytes.len()).sum();
        let work = move |connection: &Connection| {
            let before = memory(connection, &tenant, &loan)?;
            let mut after = before.clone();
            let rose: Vec<_> = watched
                .iter()
                .filter(|watched| after.update(watched.watch, watched.trace_if_fired(), now))
                .filter_map(|watched| watched.delivery.as_ref())
                .collect();
            if let Some((key, remembered)) = &remember {
                let record = remembered.clone().with_fired(rose.iter().map(|(delivery, _)| delivery));
                if let Some(known) =
                    idempotency::remember(connection, &tenant, Kind::Event, key, &record, now)?
                {
                    return Ok((Decided::Known(known), Entered::default()));
                }
            }
            if after.has_deleted_triggers() {
                after.keep(&there);
            }
            if after != before {
                put_memory(connection, &tenant, &loan, &after)?;
            }
            let fired = rose.iter().map(|(delivery, _)| delivery.snapshot.subscription_id).collect();
            let mut entered = Entered::default();
            for delivery in deliveries.into_iter().chain(rose.into_iter().cloned()) {
                entered.put_new(connection, &door, delivery)?;
            }
            Ok((Decided::Stored(fired), entered))
        };
        let then = move |(_, entered): &mut (Decided, Entered)| entered.go_on(&lanes);
        let decided = self.0.writer.run(Class::Intake(bytes), work, then);
        Ok(decided.await?.0)
    }

    async fn record_formula_errors(
        &self,
        tenant: &TenantId,
        formula_errors: Vec<SubscriptionFormulaError>,
    ) -> StoreResult<()> {
        let tenant = tenant.clone();
        let work = move |connection: &Connection| {
            let mut put = connection.prepare_cached(
                "INSERT INTO troubles (tenant, subscription, count, doc) VALUES (?1, ?2, 1, ?3)
                 ON CONFLICT DO UPDATE SET count = count + 1, doc = excluded.doc",
            )?;
            for SubscriptionFormulaError { subscription, error: trouble } in &formula_errors {
                put.execute(params![tenant.as_str(), subscription.uuid().as_bytes(), to_json(trouble)?])?;
            }
            Ok(())
        };
        self.0.writer.run(Class::Progress, work, |()| ()).await
    }

    async fn formula_errors(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<FormulaErrors>> {
        let tenant = tenant.clone();
        self.read(move |connection| {
            let found = connection
                .prepare_cached("SELECT count, doc FROM troubles WHERE tenant = ?1 AND subscription = ?2")?
                .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| {
                    Ok(FormulaErrors { count: row.get(0)?, last: from_json(row, 1)? })
                })
                .optional();
            or_none(found, &format_args!("formula errors of subscription {id} of {tenant}"))
        })
        .await
    }
}

fn memory(connection: &Connection, tenant: &TenantId, loan: &LoanId) -> rusqlite::Result<TriggerState> {
    let found = connection
        .prepare_cached("SELECT doc FROM memories WHERE tenant = ?1 AND loan = ?2")?
        .query_row(params![tenant.as_str(), loan.as_str()], |row| from_json(row, 0))
        .optional();
    // What its triggers were is unknown then, as before its first event.
    Ok(or_none(found, &format_args!("memory of loan {loan} of {tenant}"))?.unwrap_or_default())
}

fn put_memory(
    connection: &Connection,
    tenant: &TenantId,
    loan: &LoanId,
    memory: &TriggerState,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO memories (tenant, loan, doc) VALUES (?1, ?2, ?3)")?
        .execute(params![tenant.as_str(), loan.as_str(), to_json(memory)?])
        .map(|_| ())
}
