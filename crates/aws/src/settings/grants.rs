//! Portal links and sessions, by the hash of their token.
//!
//! Each is one item, read strongly: a session costs a page one read more than a key costs a call. DynamoDB
//! deletes them late, so each read looks at the clock too.

use aws_sdk_dynamodb::types::AttributeValue;

use super::Aws;
use super::call_errors::{store_error, write_outcome};
use super::item::{document, json, number};
use super::key_schema::{self, DELETED, DOC, EXPIRES, PK};
use loanhook_core::model::grant::Grant;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Grants, StoreResult};

impl Grants for Aws {
    async fn add_grant(&self, hash: KeyHash, grant: Grant, now: Timestamp) -> StoreResult<()> {
        let mut item = key_schema::grant(hash).key();
        item.insert(DOC.into(), json(&grant)?);
        // A second later, so that it is never gone before it is over.
        let expires = Timestamp::now() + grant.until.since(now) + std::time::Duration::from_secs(1);
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
        let mark = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_schema::grant(hash).key()))
            .update_expression("SET #deleted = :true REMOVE #doc")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#deleted", DELETED)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        write_outcome(mark.send().await).map(|_| ())
    }
}
