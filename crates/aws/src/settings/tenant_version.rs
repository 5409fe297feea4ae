//! The counter of a tenant: every change of its subscriptions, and every key that ends, changes it.
//!
//! It is what makes caches safe: whoever reads it, strongly, knows whether what they have still stands.

use std::time::Instant;

use aws_sdk_dynamodb::types::{Update, builders::UpdateBuilder};

use super::Aws;
use super::item::{get_number, number};
use super::key_schema::{self, COUNT, VERSION};
use loanhook_core::model::id::TenantId;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// The counter as it is now; 0 where nothing was ever set.
    pub(super) async fn tenant_version(&self, tenant: &TenantId) -> StoreResult<u64> {
        let read = Instant::now();
        let item = self.get(key_schema::tenant_version(tenant)).await?;
        let counter = item.as_ref().and_then(|item| get_number(item, VERSION)).unwrap_or(0);
        self.0.cache.put_version(tenant, read, counter);
        Ok(counter)
    }

    /// Counts a change, as a part of the transaction that makes it; `by` is how many subscriptions more
    /// there are.
    pub(super) fn increment_tenant_version(&self, tenant: &TenantId, by: i32) -> UpdateBuilder {
        Update::builder()
            .table_name(self.table())
            .set_key(Some(key_schema::tenant_version(tenant).key()))
            .update_expression("ADD #version :one, #count :by")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":by", number(by))
    }
}
