//! API key: whose it is, what it may do, and when it ends.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::id::{KeyId, TenantId};
use super::time::Timestamp;
use super::weak_key::weakness;

/// The tenant of the first key.
pub const FIRST_TENANT: &str = "default";

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    EventsWrite,
    HistoryRead,
    WebhooksResend,
    SubscriptionsWrite,
    PortalWrite,
    /// The keys of the key's own tenant.
    Admin,
    /// The keys of every tenant.
    Operator,
}

impl Scope {
    pub const ALL: [Self; 7] = [
        Self::EventsWrite,
        Self::HistoryRead,
        Self::WebhooksResend,
        Self::SubscriptionsWrite,
        Self::PortalWrite,
        Self::Admin,
        Self::Operator,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::EventsWrite => "events:write",
            Self::HistoryRead => "history:read",
            Self::WebhooksResend => "webhooks:resend",
            Self::SubscriptionsWrite => "subscriptions:write",
            Self::PortalWrite => "portal:write",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }
}

/// Whether whoever has these scopes may make and delete keys of other scopes: `operator` any, `admin` all but an operator's.
pub fn may_manage(own: &[Scope], scopes: &[Scope]) -> bool {
    own.contains(&Scope::Operator) || (own.contains(&Scope::Admin) && !scopes.contains(&Scope::Operator))
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or(())
    }
}

/// A key in clear, shown once. Its `Debug` does not show it.
pub struct SecretKey(String);

impl SecretKey {
    pub fn generate() -> Result<Self, getrandom::Error> {
        Ok(Self(format!("lh_{}", random_text()?)))
    }

    /// A key that an operator chose: `lh_` and 16 to 200 of `[A-Za-z0-9_]`, and none that is easy to guess.
    pub fn chosen(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("lh_").unwrap_or_default();
        let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
        if !(16..=200).contains(&rest.len()) || !rest.bytes().all(allowed) {
            return Err("must be lh_ and 16 to 200 of the characters A-Z, a-z, 0-9 and _");
        }
        match weakness(rest) {
            Some(weakness) => Err(weakness),
            None => Ok(Self(text.into())),
        }
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lh_…")
    }
}

/// 32 random bytes as text of [A-Za-z0-9_] only, so that a double click selects it whole.
pub(super) fn random_text() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).replace('-', "_"))
}

/// The SHA-256 of a key, or of another secret as random and long: all that is stored of it. It needs no salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// The hash in 64 hexadecimal digits; none where the text is anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if text.len() != 2 * hash.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, at) in hash.iter_mut().zip((0..text.len()).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(hash))
    }
}

/// Where a key came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeySource {
    /// A call of the API. Of a key from before sources were kept: any.
    #[default]
    Api,
    /// The first start, which printed it.
    FirstStart,
    /// `LOANHOOK_ADMIN_KEY`, on AWS the stack's `AdminKeyHash` or `AdminKey`: the next key ends this one.
    Environment,
}

/// What is known of a key but the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    pub tenant: TenantId,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created_at: Timestamp,
    /// From then on it opens nothing, though it is listed until it is deleted; none is never.
    pub expires_at: Option<Timestamp>,
    pub source: KeySource,
}

impl Key {
    /// A key that a call of the API makes now and that does not end by itself.
    pub fn new(tenant: TenantId, name: String, scopes: Vec<Scope>, now: Timestamp) -> Self {
        let id = KeyId::at(now);
        Self { id, tenant, name, scopes, created_at: now, expires_at: None, source: KeySource::Api }
    }

    /// A key with every scope, which no call of the API made.
    pub fn admin(tenant: TenantId, source: KeySource, now: Timestamp) -> Self {
        let name = match source {
            KeySource::Environment => "admin (environment)",
            KeySource::FirstStart | KeySource::Api => "admin (first start)",
        };
        Self { source, ..Self::new(tenant, name.into(), Scope::ALL.to_vec(), now) }
    }

    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the environment named it, for this tenant and with every scope.
    pub fn is_environment_key(&self, tenant: &TenantId) -> bool {
        self.source == KeySource::Environment && self.tenant == *tenant && self.has_every_scope()
    }

    /// This key where its hash has one already: of the same tenant, it keeps its ID and the time when it was made.
    pub fn with_identity_of(self, there: Option<Self>) -> Self {
        match there.filter(|there| there.tenant == self.tenant) {
            Some(Self { id, created_at, .. }) => Self { id, created_at, ..self },
            None => self,
        }
    }

    pub fn has_every_scope(&self) -> bool {
        Scope::ALL.into_iter().all(|scope| self.may(scope))
    }

    /// Whether it may make and delete keys of these scopes: `operator` any, `admin` all but an operator's.
    pub fn may_manage(&self, scopes: &[Scope]) -> bool {
        may_manage(&self.scopes, scopes)
    }

    /// Whether it is not over yet.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
