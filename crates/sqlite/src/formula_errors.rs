//! Formula errors: counted for each subscription, and the last one kept.

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteEngine;
use super::rows::{from_json, to_json};
use super::unreadable::none_if_unreadable;
use super::writer::Priority;
use loanhook_core::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::ports::{FormulaErrorLog, StoreResult};

impl FormulaErrorLog for SqliteEngine {
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
            for SubscriptionFormulaError { subscription, error } in &formula_errors {
                put.execute(params![tenant.as_str(), subscription.uuid().as_bytes(), to_json(error)?])?;
            }
            Ok(())
        };
        self.0.writer.run(Priority::ExistingWork, work, |()| ()).await
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
            none_if_unreadable(found, &format_args!("formula errors of subscription {id} of {tenant}"))
        })
        .await
    }
}
