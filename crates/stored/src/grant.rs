//! Stored grant: a portal link or a session, all that is kept of it but the hash of its token.

use std::borrow::Cow;

use loanhook_core::model::grant::{Grant, GrantKind, GrantMaker, Person};
use loanhook_core::model::key::KeyHash;
use serde::{Deserialize, Serialize};

use crate::values::{StoredLoan, StoredTenant, StoredTime};
use crate::words::{StoredScope, read_scopes, scopes};
use crate::{Document, Version};

/// 2 where a person made it: a program that does not know that would read no key. One of a key is written as it always was.
const VERSION: u32 = 2;

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
    /// Its name is `key` or `person`.
    #[serde(flatten)]
    maker: StoredMaker,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredMaker {
    /// The 32 bytes of the hash of the key that made it, as numbers.
    Key([u8; 32]),
    /// Of version 2.
    Person(StoredPerson),
}

/// Hashes and secret, each of 32 bytes, as numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredPerson {
    id: [u8; 32],
    form_secret: [u8; 32],
    /// Without it the grant is over: it was stored before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<[u8; 32]>,
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
        let Self { kind, tenant, loan, scopes: may, name, until, maker } = self;
        StoredGrant {
            v: match maker {
                GrantMaker::Key(_) => Version::default(),
                GrantMaker::Person(_) => Version::NEWEST,
            },
            kind: match *kind {
                GrantKind::Link { session_seconds } => StoredGrantKind::Link { session_seconds },
                GrantKind::Session => StoredGrantKind::Session,
            },
            tenant: StoredTenant(tenant.clone()),
            loan: loan.clone().map(StoredLoan),
            scopes: scopes(may),
            name: name.into(),
            until: StoredTime(*until),
            maker: match maker {
                GrantMaker::Key(hash) => StoredMaker::Key(hash.0),
                GrantMaker::Person(Person { id, form_secret, settings }) => {
                    StoredMaker::Person(StoredPerson {
                        id: id.0,
                        form_secret: *form_secret,
                        settings: settings.map(|hash| hash.0),
                    })
                }
            },
        }
    }

    fn from_stored(stored: StoredGrant<'_>) -> Self {
        let StoredGrant { v: _, kind, tenant, loan, scopes, name, until, maker } = stored;
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
            maker: match maker {
                StoredMaker::Key(hash) => GrantMaker::Key(KeyHash(hash)),
                StoredMaker::Person(StoredPerson { id, form_secret, settings }) => {
                    GrantMaker::Person(Person {
                        id: KeyHash(id),
                        form_secret,
                        settings: settings.map(KeyHash),
                    })
                }
            },
        }
    }
}
