//! Sealing: secrets are encrypted before an engine stores them, and opened when they are read.
//!
//! A sealed value is a text of four parts, `s1.A256GCM.<key ID>.<data>`: the version of this form, the algorithm (AES-256 in GCM,
//! NIST SP 800-38D), the ID of the key, and 12 bytes of nonce, the ciphertext and 16 bytes of tag in base64 (URL alphabet, without
//! padding, RFC 4648). The nonce is random, so a key may seal 2^32 values; a value is sealed when a subscription is changed
//! or a token fetched, which is far less.
//!
//! Each value is bound to its place (the additional data of the AEAD): what is sealed for one subscription cannot be opened as
//! that of another.

mod key;
mod keyring;
mod sealed;

pub use key::{KeyId, KeyParseError, SealingKey};
pub use keyring::{Keyring, OpenError};
pub use sealed::key_of;
