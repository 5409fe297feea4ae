//! The stored list of a tenant's subscriptions: all of them in one compressed item, for those who have none cached.
//!
//! It is a cache and nothing else: the subscriptions' own items are what holds. Whoever changes one stores the list of the
//! version that the change made, after its transaction, so a list may be missing or of an older version. A reader adds
//! what changed since; without a list that it can use it reads the subscriptions themselves.
//!
//! The list is the documents of the subscriptions, a line each, as a zlib stream (RFC 1950). They have no signing secrets.
//! A stream that is too large for an item is cut into parts. Those of two versions are no list: a writer may have died
//! between them, or writes or deletes some while they are read. How long parts are kept is said in
//! [`list_retention`](super::list_retention).

use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::timeout;
use tracing::warn;

use super::list_retention::expiry_from_now;
use super::stored_subscription::StoredSubscription;
use super::tenant_version::TenantVersion;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, expiry, get_number, get_text, number, parse_number};
use crate::items::key_schema::{self, DOC, DOCS, EXPIRES, PARTS, SK, VERSION};
use crate::items::zlib;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};

/// The largest list that is stored, in bytes of its documents: 200 subscriptions of 20 KiB. Compressing it takes most of
/// a second of a small function.
const MAX_LIST_BYTES: usize = 4 << 20;
/// The largest part, in bytes: DynamoDB takes items of 400 KB.
const MAX_PART_BYTES: usize = 380_000;
/// How long the response to a change waits for its list to be stored.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// The documents of a stored list, a line each, and the version of the tenant at which the list was so.
pub(crate) struct StoredList {
    pub(super) version: u64,
    pub(crate) documents: String,
    /// How many parts it has.
    pub(crate) parts: usize,
    /// When the first of them expires; none where that is not said of all.
    pub(super) expires: Option<Timestamp>,
}

impl StoredList {
    /// The list of all its parts, in their order; none where they are not one.
    pub(super) fn of_parts(parts: &[Item]) -> StoreResult<Option<Self>> {
        let Some(first) = parts.first() else { return Ok(None) };
        let version = parse_number(first, VERSION)?;
        // A list that has become shorter leaves parts behind.
        let parts = &parts[..parse_number::<usize>(first, PARTS)?.min(parts.len())];
        let of_this_list = |(index, part): (usize, &Item)| {
            get_number(part, VERSION) == Some(version)
                && get_text(part, SK) == Some(&key_schema::stored_list_sk(index))
        };
        if get_number(first, PARTS) != Some(parts.len()) || !parts.iter().enumerate().all(of_this_list) {
            return Ok(None);
        }
        let damaged = || StoreError::Failed("its stream is damaged".into());
        let bytes = parts.iter().map(|part| part.get(DOCS)?.as_b().ok());
        let bytes: Vec<_> = bytes.collect::<Option<_>>().ok_or_else(damaged)?;
        let stream: Vec<u8> = bytes.into_iter().flat_map(|bytes| bytes.as_ref()).copied().collect();
        let documents = zlib::decompress(&stream, MAX_LIST_BYTES).ok_or_else(damaged)?;
        let documents = String::from_utf8(documents).map_err(|_| damaged())?;
        let expires: Option<Vec<_>> = parts.iter().map(|part| expiry(part).ok()).collect();
        let expires = expires.and_then(|expires| expires.into_iter().min());
        Ok(Some(Self { version, documents, parts: parts.len(), expires }))
    }
}

impl Aws {
    /// The stored list; none where there is none that can be read, whatever the reason.
    pub(super) async fn stored_list(&self, tenant: &TenantId) -> Option<StoredList> {
        // It need not be the newest one, and this is half the price.
        let query = self.query_partition(&key_schema::stored_list_pk(tenant)).consistent_read(false);
        let parts = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let list = parts.map_err(store_error).and_then(|parts| StoredList::of_parts(&parts));
        list.unwrap_or_else(|error| {
            warn!(%tenant, %error, "subscriptions.stored_list_unreadable");
            None
        })
    }

    /// Stores the list as it is at the version that a change has just made. That it is not stored fails nothing, and
    /// holds the change's response up for a moment at most.
    pub(crate) async fn store_list(&self, tenant: &TenantId, at: &TenantVersion) {
        let stored = timeout(STORE_TIMEOUT, self.store_list_of(tenant, at)).await;
        let error = match stored {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        warn!(%tenant, error, "subscriptions.list_not_stored");
    }

    async fn store_list_of(&self, tenant: &TenantId, at: &TenantVersion) -> StoreResult<()> {
        let items = self.current_subscriptions(tenant).await?;
        let documents = items.iter().map(document_line).collect::<StoreResult<Vec<_>>>()?.join("\n");
        if documents.len() > MAX_LIST_BYTES || !super::subscription_list::shows(at, &items) {
            return Ok(());
        }
        let stream = zlib::compress(documents.as_bytes());
        let parts: Vec<_> = stream.chunks(MAX_PART_BYTES).enumerate().collect();
        let expires = expiry_from_now();
        // The first part, without which there is no list, comes last.
        for (index, part) in parts.iter().rev() {
            let mut item = key_schema::stored_list_part(tenant, *index).attributes();
            item.insert(VERSION.into(), number(at.number));
            item.insert(PARTS.into(), number(parts.len()));
            item.insert(DOCS.into(), AttributeValue::B(Blob::new(*part)));
            item.insert(EXPIRES.into(), number(expires.seconds()));
            let put = self
                .put_if(item, "attribute_not_exists(#version) OR #version < :version")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":version", number(at.number));
            // A refusal says that a newer list is there, or this one, of a call whose response was lost.
            self.put(put).await?;
        }
        self.delete_surplus_parts(tenant, at.number, parts.len()).await;
        Ok(())
    }
}

/// The document of a current subscription as a line of a list. One that cannot be read, or is no text or several lines, as another
/// program may have written it, is an error: a list without it would hide the subscription.
fn document_line(item: &Item) -> StoreResult<&str> {
    let key = get_text(item, SK).unwrap_or("?");
    let failed = |what: String| StoreError::Failed(format!("the document of {key} {what}").into());
    let line = get_text(item, DOC).filter(|document| !document.contains(['\n', '\r']));
    let line = line.ok_or_else(|| failed("is not one line of text".into()))?;
    StoredSubscription::of_document(line).map_err(|why| failed(format!("cannot be listed: {why}")))?;
    Ok(line)
}
