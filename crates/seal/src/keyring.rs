//! Keyring: the key that seals now, and all keys that open what was sealed before.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use crate::key::{KeyId, SealingKey};
use crate::sealed::Sealed;

/// Why a sealed value cannot be opened. The sentence holds nothing of the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("it is not a sealed value")]
    NotSealed,
    #[error("it is sealed with the key {0}, which is not there")]
    UnknownKey(KeyId),
    #[error("it was changed, or stands in another place than it was sealed for")]
    Damaged,
}

/// Keys of one store. Clones share it, so a key that is added while a program runs is known to all of it.
#[derive(Clone)]
pub struct Keyring(Arc<RwLock<Keys>>);

struct Keys {
    /// What seals.
    current: KeyId,
    all: BTreeMap<KeyId, RandomizedNonceKey>,
}

fn cipher(key: &SealingKey) -> RandomizedNonceKey {
    RandomizedNonceKey::new(&AES_256_GCM, key.bytes()).expect("the key has the length of AES-256")
}

impl Keyring {
    /// A keyring that seals with this key.
    #[must_use]
    pub fn new(current: &SealingKey) -> Self {
        let all = BTreeMap::from([(current.id(), cipher(current))]);
        Self(Arc::new(RwLock::new(Keys { current: current.id(), all })))
    }

    /// Has what is sealed with this key opened, too.
    pub fn add(&self, older: &SealingKey) {
        self.change(|keys| {
            keys.all.entry(older.id()).or_insert_with(|| cipher(older));
        });
    }

    /// Seals with this key from now on. What is sealed with the others is still opened.
    pub fn make_current(&self, key: &SealingKey) {
        self.change(|keys| {
            keys.all.entry(key.id()).or_insert_with(|| cipher(key));
            keys.current = key.id();
        });
    }

    /// Seals with the key of this ID from now on. False where there is none: then nothing changes.
    #[must_use]
    pub fn select(&self, id: &KeyId) -> bool {
        let mut is_known = false;
        self.change(|keys| {
            is_known = keys.all.contains_key(id);
            if is_known {
                keys.current = id.clone();
            }
        });
        is_known
    }

    /// The ID of the key that seals now.
    #[must_use]
    pub fn current(&self) -> KeyId {
        self.read(|keys| keys.current.clone())
    }

    /// Whether there is a key of this ID.
    #[must_use]
    pub fn has(&self, id: &KeyId) -> bool {
        self.read(|keys| keys.all.contains_key(id))
    }

    /// A text, sealed with the current key for this place.
    ///
    /// # Panics
    ///
    /// When the text has more bytes than AES-GCM takes (64 GiB), or the operating system gives no randomness.
    #[must_use]
    pub fn seal(&self, plain: &str, place: &str) -> String {
        let mut bytes = plain.as_bytes().to_vec();
        self.read(|keys| {
            let nonce = keys.all[&keys.current]
                .seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut bytes)
                .expect("there is randomness");
            Sealed::write(&keys.current, &[&nonce.as_ref()[..], &bytes].concat())
        })
    }

    /// The text that was sealed for this place.
    ///
    /// # Errors
    ///
    /// Where it is no sealed value, its key is unknown, or it does not stand where it was sealed for.
    pub fn open(&self, sealed: &str, place: &str) -> Result<String, OpenError> {
        let Sealed { key, mut data } = Sealed::read(sealed).ok_or(OpenError::NotSealed)?;
        if data.len() < NONCE_LEN {
            return Err(OpenError::Damaged);
        }
        let mut bytes = data.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&data).map_err(|_| OpenError::Damaged)?;
        self.read(|keys| {
            let cipher = keys.all.get(&key).ok_or_else(|| OpenError::UnknownKey(key.clone()))?;
            let plain = cipher
                .open_in_place(nonce, Aad::from(place.as_bytes()), &mut bytes)
                .map_err(|_| OpenError::Damaged)?;
            String::from_utf8(plain.to_vec()).map_err(|_| OpenError::Damaged)
        })
    }

    /// Whether a sealed value is sealed with the key that seals now.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        Sealed::read(sealed).is_some_and(|sealed| self.read(|keys| keys.current == sealed.key))
    }

    fn read<T>(&self, read: impl FnOnce(&Keys) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Keys)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The IDs of its keys.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read(|keys| {
            let all: Vec<_> = keys.all.keys().collect();
            f.debug_struct("Keyring").field("current", &keys.current).field("all", &all).finish()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key_of;

    const PLACE: &str = "acme/1";

    fn key(byte: u8) -> SealingKey {
        SealingKey::from_bytes([byte; 32])
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_in_its_place_alone(plain in ".*", place in ".*", other in ".*") {
            let keyring = Keyring::new(&key(1));
            let sealed = keyring.seal(&plain, &place);
            prop_assert_eq!(keyring.open(&sealed, &place), Ok(plain.clone()));
            prop_assert_eq!(keyring.open(&sealed, &other).is_ok(), place == other);
            prop_assert!(plain.len() < 8 || !sealed.contains(&plain));
            prop_assert_ne!(keyring.seal(&plain, &place), sealed, "no nonce comes twice");
        }

        #[test]
        fn a_changed_byte_is_noticed(plain in ".{1,20}", at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let keyring = Keyring::new(&key(1));
            let sealed = Sealed::read(&keyring.seal(&plain, PLACE)).expect("sealed");
            let mut data = sealed.data.clone();
            let at = at.index(data.len());
            prop_assume!(data[at] != byte);
            data[at] = byte;
            prop_assert_eq!(keyring.open(&Sealed::write(&sealed.key, &data), PLACE), Err(OpenError::Damaged));
        }
    }

    #[test]
    fn what_an_older_key_sealed_is_opened_and_what_is_new_is_sealed_with_the_current_one() {
        let keyring = Keyring::new(&key(1));
        let shared = keyring.clone();
        let of_first = keyring.seal("secret", PLACE);
        assert!(keyring.is_current(&of_first));
        keyring.make_current(&key(2));
        assert_eq!(shared.open(&of_first, PLACE), Ok("secret".into()));
        assert!(!shared.is_current(&of_first));
        let of_second = shared.seal("secret", PLACE);
        assert!(of_second.contains(key(2).id().as_str()) && keyring.is_current(&of_second));
        let first_alone = Keyring::new(&key(1));
        assert_eq!(first_alone.open(&of_second, PLACE), Err(OpenError::UnknownKey(key(2).id())));
        first_alone.add(&key(2));
        assert_eq!(first_alone.open(&of_second, PLACE), Ok("secret".into()));
        assert_eq!(first_alone.current(), key(1).id());
        assert!(!first_alone.select(&key(3).id()), "it is not there");
        assert_eq!(first_alone.current(), key(1).id());
        assert!(first_alone.select(&key(2).id()));
        assert_eq!(key_of(&first_alone.seal("secret", PLACE)), Some(key(2).id()));
        assert!(!format!("{keyring:?}").contains(&key(1).expose()));
    }

    #[test]
    fn what_is_no_sealed_value_is_said_to_be_none() {
        let keyring = Keyring::new(&key(1));
        let id = key(1).id();
        for (text, error) in [
            ("Bearer abc".to_owned(), OpenError::NotSealed),
            (String::new(), OpenError::NotSealed),
            (format!("s2.A256GCM.{id}.AAAA"), OpenError::NotSealed),
            (format!("s1.A256GCM.{id}.!"), OpenError::NotSealed),
            (format!("s1.A256GCM.{id}."), OpenError::Damaged),
            (format!("s1.A256GCM.{id}.{}", "A".repeat(40)), OpenError::Damaged),
            ("s1.A256GCM.0123456789abcdef.AAAA".to_owned(), OpenError::Damaged),
        ] {
            assert_eq!(keyring.open(&text, PLACE), Err(error), "{text}");
        }
    }
}
