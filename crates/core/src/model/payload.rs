//! Payload: bytes that were sent or received, named by their SHA-256.

use std::fmt;

use sha2::{Digest, Sha256};

/// The SHA-256 of a tenant's payload: equal bytes of one tenant are kept once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadKey([u8; 32]);

impl PayloadKey {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The key of these bytes of a SHA-256.
    pub const fn from_bytes(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PayloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where a payload is kept; nothing is kept for one of 0 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    pub key: Option<PayloadKey>,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Payload {
    pub fn of(bytes: &[u8]) -> Self {
        Self { key: (!bytes.is_empty()).then(|| PayloadKey::of(bytes)), bytes: bytes.len() as u64 }
    }
}
