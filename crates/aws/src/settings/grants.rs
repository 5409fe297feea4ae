//! Grants: portal links and sessions, found by the hash of their token.
//!
//! A grant is one item, read with strong consistency. DynamoDB deletes expired items late, so each read also compares the
//! grant's end with the time of the call. An ended grant keeps its item without its document.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{document, json, number};
use crate::items::key_schema::{self, DELETED, DOC, EXPIRES, PK};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Grants, StoreResult};

impl Grants for Aws {
    async fn add_grant(&self, hash: KeyHash, grant: Grant, now: Timestamp) -> StoreResult<()> {
        let mut item = key_schema::grant(hash).attributes();
        item.insert(DOC.into(), json(&grant)?);
        // Expiry is in whole seconds, and must not come before the grant's end.
        let expires = Timestamp::now() + grant.until.since(now) + Duration::from_secs(1);
        item.insert(EXPIRES.into(), number(expires.seconds()));
        let put = self.dynamodb().put_item().table_name(self.table()).set_item(Some(item));
        put.send().await.map_err(store_error)?;
        Ok(())
    }

    async fn grant(&self, hash: KeyHash, now: Timestamp) -> StoreResult<Option<Grant>> {
        let Some(item) = self.get(key_schema::grant(hash)).await? else { return Ok(None) };
        if item.contains_key(DELETED) {
            return Ok(None);
        }
        let grant: Grant = document(&item)?;
        Ok((now < grant.until).then_some(grant))
    }

    async fn end_grant(&self, hash: KeyHash) -> StoreResult<()> {
        let update = self
            .update(key_schema::grant(hash))
            .update_expression("SET #deleted = :true REMOVE #doc")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#deleted", DELETED)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        write_outcome(update.send().await).map(|_| ())
    }
}
