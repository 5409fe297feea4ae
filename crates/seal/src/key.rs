//! Sealing key: 32 bytes that encrypt, and the ID that sealed values name it by.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a key: AES-256.
const KEY_BYTES: usize = 32;
/// Bytes of a key's hash that are its ID.
const ID_BYTES: usize = 8;
/// Hashed before the key, so that the ID is no hash of the key alone.
const ID_PREFIX: &[u8] = b"loanhook sealing key ID\n";

/// A key that seals. As text it is its 32 bytes in base64 (RFC 4648, with padding). Its `Debug` shows its ID alone.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey([u8; KEY_BYTES]);

/// The ID of a key: 16 hexadecimal digits, derived from the key by a one-way function.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

/// Why a text is no key. The sentence holds nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyParseError {
    #[error("a key is base64 (RFC 4648, with padding), and this is not")]
    NotBase64,
    #[error("a key has 32 bytes, and this has {0}")]
    WrongLength(usize),
}

impl SealingKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// Where the operating system gives no randomness.
    pub fn generate() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0; KEY_BYTES];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The key as text, to store it.
    #[must_use]
    pub fn expose(&self) -> String {
        STANDARD.encode(self.0)
    }

    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(ID_PREFIX);
        context.update(&self.0);
        let hash = context.finish();
        KeyId(hash.as_ref()[..ID_BYTES].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(crate) const fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl FromStr for SealingKey {
    type Err = KeyParseError;

    fn from_str(text: &str) -> Result<Self, KeyParseError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| KeyParseError::NotBase64)?;
        let bytes = <[u8; KEY_BYTES]>::try_from(bytes);
        bytes.map(Self).map_err(|bytes| KeyParseError::WrongLength(bytes.len()))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id())
    }
}

impl KeyId {
    /// An ID that was stored beside its key, or stands in a sealed value.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_text() {
        let key = SealingKey::generate().expect("randomness");
        let text = key.expose();
        assert_eq!(text.parse(), Ok(key.clone()));
        assert_eq!(format!("{text}\n").parse(), Ok(key), "a file ends with a line feed");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for (text, why) in [
            ("", KeyParseError::WrongLength(0)),
            ("c2VjcmV0", KeyParseError::WrongLength(6)),
            ("secret!", KeyParseError::NotBase64),
        ] {
            let error = text.parse::<SealingKey>().expect_err(text);
            assert_eq!(error, why);
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn an_id_is_the_same_for_ever_and_shows_nothing_of_the_key() {
        let key = SealingKey::from_bytes([7; KEY_BYTES]);
        assert_eq!(key.id().as_str(), "995e1b0f319a8316");
        assert_eq!(format!("{key:?}"), format!("SealingKey({})", key.id()));
        assert_ne!(SealingKey::from_bytes([8; KEY_BYTES]).id(), key.id());
    }
}
