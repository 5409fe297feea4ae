//! API keys: whose they are and what they may do.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::id::{KeyId, TenantId};
use super::time::Timestamp;

/// The tenant of the first key.
pub const FIRST_TENANT: &str = "default";

/// What a key may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
pub enum Scope {
    #[serde(rename = "events:write")]
    EventsWrite,
    #[serde(rename = "history:read")]
    HistoryRead,
    #[serde(rename = "webhooks:resend")]
    WebhooksResend,
    #[serde(rename = "subscriptions:write")]
    SubscriptionsWrite,
    #[serde(rename = "portal:write")]
    PortalWrite,
    /// The keys of the key's own tenant.
    #[serde(rename = "admin")]
    Admin,
    /// The keys of every tenant.
    #[serde(rename = "operator")]
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

    /// A key that an operator chose: `lh_` and 16 to 200 of `[A-Za-z0-9_]`.
    pub fn chosen(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("lh_").unwrap_or_default();
        let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
        if (16..=200).contains(&rest.len()) && rest.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err("must be lh_ and 16 to 200 of the characters A-Z, a-z, 0-9 and _")
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

/// What is known of a key but the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    pub id: KeyId,
    pub tenant: TenantId,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created_at: Timestamp,
}

impl Key {
    /// A key with every scope.
    pub fn admin(tenant: TenantId, now: Timestamp) -> Self {
        let scopes = Scope::ALL.to_vec();
        Self { id: KeyId::at(now), tenant, name: "admin".into(), scopes, created_at: now }
    }

    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_keys_could_have_been_chosen() {
        let key = SecretKey::generate().expect("randomness");
        assert!(SecretKey::chosen(key.expose()).is_ok());
        assert_eq!(format!("{key:?}"), "lh_…");
    }

    #[test]
    fn chosen_keys_by_table() {
        for (text, ok) in [
            ("lh_0123456789abcdef", true),
            ("lh_0123456789abcde", false),
            ("lh_0123456789abcde-", false),
            ("0123456789abcdef0123", false),
        ] {
            assert_eq!(SecretKey::chosen(text).is_ok(), ok, "{text}");
        }
        assert!(SecretKey::chosen(&format!("lh_{}", "a".repeat(201))).is_err());
    }

    #[test]
    fn a_scope_is_its_name() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).expect("JSON"), scope.name());
        }
    }
}
