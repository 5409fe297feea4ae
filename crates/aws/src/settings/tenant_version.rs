//! The version of a tenant: a counter that every change of its subscriptions and every deletion of a key increments.
//!
//! It makes caches safe: what was cached at the version that is read now, with strong consistency, is current.

use std::time::Instant;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;

use crate::engine::Aws;
use crate::items::item::{get_number, number};
use crate::items::key_schema::{self, COUNT, VERSION};
use loanhook_core::model::id::TenantId;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// The version as it is now; 0 where nothing was ever changed.
    pub(super) async fn tenant_version(&self, tenant: &TenantId) -> StoreResult<u64> {
        let started_at = Instant::now();
        let item = self.get(key_schema::tenant_version(tenant)).await?;
        let version = item.as_ref().and_then(|item| get_number(item, VERSION)).unwrap_or(0);
        self.cache().put_version(tenant, started_at, version);
        Ok(version)
    }

    /// Increments the version, as a part of the transaction that makes a change; `added` is by how many the number of
    /// subscriptions changes.
    pub(super) fn increment_tenant_version(&self, tenant: &TenantId, added: i32) -> UpdateBuilder {
        self.update_part(key_schema::tenant_version(tenant))
            .update_expression("ADD #version :one, #count :added")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":added", number(added))
    }
}
