//! Stored API key: all that is kept of it but its hash, which is what it is found by.

use std::borrow::Cow;

use loanhook_core::model::id::KeyId;
use loanhook_core::model::key::{Key, KeySource};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{StoredTenant, StoredTime};
use crate::words::{StoredKeySource, StoredScope, read_scopes, scopes};
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredKey<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    id: Uuid,
    tenant: StoredTenant,
    name: Cow<'a, str>,
    scopes: Vec<StoredScope>,
    created_at: StoredTime,
    /// Absent is a key that does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<StoredTime>,
    /// Absent in keys from before sources were kept: those read as made by a call of the API.
    #[serde(default = "before_sources")]
    source: StoredKeySource,
}

const fn before_sources() -> StoredKeySource {
    StoredKeySource::Api
}

impl Document for Key {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredKey<'a>;

    fn to_stored(&self) -> StoredKey<'_> {
        let Self { id, tenant, name, scopes: may, created_at, expires_at, source } = self;
        StoredKey {
            v: Version::NEWEST,
            id: id.uuid(),
            tenant: StoredTenant(tenant.clone()),
            name: name.into(),
            scopes: scopes(may),
            created_at: StoredTime(*created_at),
            expires_at: expires_at.map(StoredTime),
            source: (*source).into(),
        }
    }

    fn from_stored(stored: StoredKey<'_>) -> Self {
        let StoredKey { v: _, id, tenant, name, scopes, created_at, expires_at, source } = stored;
        Self {
            id: KeyId::from_uuid(id),
            tenant: tenant.0,
            name: name.into_owned(),
            scopes: read_scopes(scopes),
            created_at: created_at.0,
            expires_at: expires_at.map(|StoredTime(at)| at),
            source: KeySource::from(source),
        }
    }
}
