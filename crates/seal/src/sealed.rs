//! The text of a sealed value: its parts, written and read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::key::KeyId;

/// The version of the form and the algorithm: what every sealed value begins with.
const PREFIX: &str = "s1.A256GCM.";

/// A sealed value, read.
pub(crate) struct Sealed {
    pub(crate) key: KeyId,
    /// Nonce, ciphertext and tag.
    pub(crate) data: Vec<u8>,
}

impl Sealed {
    pub(crate) fn write(key: &KeyId, data: &[u8]) -> String {
        format!("{PREFIX}{key}.{}", URL_SAFE_NO_PAD.encode(data))
    }

    /// None where the text is no sealed value.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (key, data) = text.strip_prefix(PREFIX)?.split_once('.')?;
        Some(Self { key: KeyId::from_stored(key), data: URL_SAFE_NO_PAD.decode(data).ok()? })
    }
}

/// The ID of the key that a sealed value was sealed with. None where the text has not the form of a sealed value.
#[must_use]
pub fn key_of(text: &str) -> Option<KeyId> {
    Sealed::read(text).map(|sealed| sealed.key)
}
