//! Looks at tenants: which tenant is looked at when, as its subscriptions changed or as notice of a certificate is due then.
//!
//! They are one partition of the table of reports. A tenant that has none is not looked at.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};

use crate::engine::Aws;
use crate::items::item::{get_text, missing_attribute, number, parse_number};
use crate::items::key_schema::{DUE_AT, ItemKey, PK, SK};
use crate::items::transaction::TransactionPart as _;
use crate::items::unreadable::readable;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// The partition of all looks.
const LOOKS_PK: &str = "L#";

/// A tenant that is looked at then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) tenant: TenantId,
    pub(super) due: Timestamp,
}

fn key(tenant: &TenantId) -> ItemKey {
    ItemKey { pk: LOOKS_PK.into(), sk: tenant.to_string() }
}

/// The write that has a tenant looked at then, whatever was planned.
pub(super) fn plan(table: &str, tenant: &TenantId, due: Timestamp) -> StoreResult<TransactWriteItem> {
    put(table, tenant, due).part()
}

fn put(table: &str, tenant: &TenantId, due: Timestamp) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    let mut item = key(tenant).attributes();
    item.insert(DUE_AT.into(), number(due.millis()));
    Put::builder().table_name(table).set_item(Some(item))
}

impl Aws {
    /// All looks that are planned.
    pub(super) async fn planned_looks(&self) -> StoreResult<Vec<Look>> {
        let items = self.query_all(self.query_reports(LOOKS_PK)).await?;
        Ok(readable(&items, |item| {
            let tenant = get_text(item, SK).and_then(|name| TenantId::try_from(name.to_owned()).ok());
            let tenant = tenant.ok_or_else(|| missing_attribute(SK))?;
            Ok(Look { tenant, due: Timestamp::from_millis(parse_number(item, DUE_AT)?) })
        }))
    }

    /// Plans the next look at a tenant, or none, in place of the one that was read. Where another was planned meanwhile, that
    /// stays.
    pub(super) async fn plan_next_look(
        &self,
        tenant: &TenantId,
        before: Option<Timestamp>,
        next: Option<Timestamp>,
    ) -> StoreResult<()> {
        let table = &self.stack().reports;
        let part = match (before, next) {
            (before, next) if before == next => return Ok(()),
            (None, Some(next)) => {
                let put = put(table, tenant, next).condition_expression("attribute_not_exists(#pk)");
                put.expression_attribute_names("#pk", PK).part()?
            }
            (Some(before), Some(next)) => put(table, tenant, next)
                .condition_expression("#due = :before")
                .expression_attribute_names("#due", DUE_AT)
                .expression_attribute_values(":before", number(before.millis()))
                .part()?,
            (before, None) => Delete::builder()
                .table_name(table)
                .set_key(Some(key(tenant).attributes()))
                .condition_expression("#due = :before")
                .expression_attribute_names("#due", DUE_AT)
                .expression_attribute_values(":before", number(before.map_or(0, |before| before.millis())))
                .part()?,
        };
        self.transact(vec![part]).await.map(drop)
    }
}
