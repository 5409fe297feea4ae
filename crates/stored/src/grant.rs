//! Stored grant: a portal link or a session, all that is kept of it but the hash of its token.

use std::borrow::Cow;

use loanhook_core::model::grant::{Grant, GrantKind};
use loanhook_core::model::key::KeyHash;
use serde::{Deserialize, Serialize};

use crate::values::{StoredLoan, StoredTenant, StoredTime};
use crate::words::{StoredScope, read_scopes, scopes};
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub struct StoredGrant<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    kind: StoredGrantKind,
    tenant: StoredTenant,
    loan: Option<StoredLoan>,
    scopes: Vec<StoredScope>,
    name: Cow<'a, str>,
    until: StoredTime,
    /// The 32 bytes of the hash of the key that made it, as numbers.
    key: [u8; 32],
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredGrantKind {
    Link { session_seconds: u32 },
    Session,
}

impl Document for Grant {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredGrant<'a>;

    fn to_stored(&self) -> StoredGrant<'_> {
        let Self { kind, tenant, loan, scopes: may, name, until, key } = self;
        StoredGrant {
            v: Version::NEWEST,
            kind: match *kind {
                GrantKind::Link { session_seconds } => StoredGrantKind::Link { session_seconds },
                GrantKind::Session => StoredGrantKind::Session,
            },
            tenant: StoredTenant(tenant.clone()),
            loan: loan.clone().map(StoredLoan),
            scopes: scopes(may),
            name: name.into(),
            until: StoredTime(*until),
            key: key.0,
        }
    }

    fn from_stored(stored: StoredGrant<'_>) -> Self {
        let StoredGrant { v: _, kind, tenant, loan, scopes, name, until, key } = stored;
        Self {
            kind: match kind {
                StoredGrantKind::Link { session_seconds } => GrantKind::Link { session_seconds },
                StoredGrantKind::Session => GrantKind::Session,
            },
            tenant: tenant.0,
            loan: loan.map(|StoredLoan(loan)| loan),
            scopes: read_scopes(scopes),
            name: name.into_owned(),
            until: until.0,
            key: KeyHash(key),
        }
    }
}
