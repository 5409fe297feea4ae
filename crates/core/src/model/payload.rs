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

    /// The key as 64 hexadecimal digits, in ASCII. Each webhook is stored with several: this takes a hundredth of what
    /// formatting each byte does.
    pub fn hex_digits(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        std::array::from_fn(|index| {
            let byte = self.0[index / 2];
            DIGITS[usize::from(if index % 2 == 0 { byte >> 4 } else { byte & 0xf })]
        })
    }
}

impl fmt::Display for PayloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex_digits()).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_as_64_lower_case_digits() {
        let key = PayloadKey::from_bytes(std::array::from_fn(|index| index as u8 * 8 + 1));
        let expected: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(key.to_string(), expected);
        assert_eq!(key.to_string().len(), 64);
    }
}
