//! Looks at tenants: which tenant is looked at when, as its subscriptions changed or as notice of a certificate is due then.
//!
//! They are one partition of the table of reports. A tenant that has none is not looked at.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::item::{get_text, missing_attribute, number, parse, parse_number, text};
use crate::items::key_schema::{DUE_AT, ItemKey, SK, WRITER};
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
    /// By whom it was planned: each write has a name of its own.
    writer: String,
}

fn key(tenant: &TenantId) -> ItemKey {
    ItemKey { pk: LOOKS_PK.into(), sk: tenant.to_string() }
}

/// The write that has a tenant looked at as soon as can be, whatever was planned.
pub(super) fn plan_at_once(table: &str, tenant: &TenantId) -> StoreResult<TransactWriteItem> {
    put(table, tenant, Timestamp::from_millis(0)).part()
}

fn put(table: &str, tenant: &TenantId, due: Timestamp) -> PutBuilder {
    let mut item = key(tenant).attributes();
    item.insert(DUE_AT.into(), number(due.millis()));
    item.insert(WRITER.into(), text(Uuid::new_v4().to_string()));
    Put::builder().table_name(table).set_item(Some(item))
}

impl Aws {
    /// All looks that are planned.
    pub(super) async fn planned_looks(&self) -> StoreResult<Vec<Look>> {
        let items = self.query_all(self.query_reports(LOOKS_PK)).await?;
        Ok(readable(&items, |item| {
            let tenant = get_text(item, SK).and_then(|name| TenantId::try_from(name.to_owned()).ok());
            let tenant = tenant.ok_or_else(|| missing_attribute(SK))?;
            let due = Timestamp::from_millis(parse_number(item, DUE_AT)?);
            Ok(Look { tenant, due, writer: parse(item, WRITER)? })
        }))
    }

    /// Plans the next look at a tenant, or none, in place of the one that was read. Where another was planned meanwhile, that
    /// stays.
    pub(super) async fn plan_next_look(
        &self,
        tenant: &TenantId,
        before: Option<&Look>,
        next: Option<Timestamp>,
    ) -> StoreResult<()> {
        let table = &self.stack().reports;
        let unchanged = "#writer = :before";
        let part = match (before, next) {
            (None, None) => return Ok(()),
            (Some(before), next) if Some(before.due) == next => return Ok(()),
            (None, Some(next)) => put(table, tenant, next)
                .condition_expression("attribute_not_exists(#writer)")
                .expression_attribute_names("#writer", WRITER)
                .part()?,
            (Some(before), Some(next)) => put(table, tenant, next)
                .condition_expression(unchanged)
                .expression_attribute_names("#writer", WRITER)
                .expression_attribute_values(":before", text(&before.writer))
                .part()?,
            (Some(before), None) => Delete::builder()
                .table_name(table)
                .set_key(Some(key(tenant).attributes()))
                .condition_expression(unchanged)
                .expression_attribute_names("#writer", WRITER)
                .expression_attribute_values(":before", text(&before.writer))
                .part()?,
        };
        self.transact(vec![part]).await.map(drop)
    }
}
