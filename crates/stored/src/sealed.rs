//! Sealed form of what has secrets: the one in which engines store a subscription and its signing secrets.
//!
//! From their version 2 on the documents hold sealed texts where those of version 1 hold the secrets themselves. An empty text
//! stands for no secret, and stays empty.

use std::collections::BTreeSet;

use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::Subscription;
use loanhook_seal::{KeyId, Keyring, OpenError, key_of};

/// The first version of the documents whose secrets are sealed.
pub(crate) const FIRST_SEALED: u32 = 2;

/// A value with secrets.
pub trait HasSecrets {
    /// The texts of all its secrets.
    fn secret_texts_mut(&mut self) -> impl Iterator<Item = &mut String>;
}

impl HasSecrets for Subscription {
    fn secret_texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.secret_texts_mut()
    }
}

impl HasSecrets for Secrets {
    fn secret_texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.texts_mut()
    }
}

/// The place that secrets of a subscription are sealed for.
#[must_use]
pub fn place_of(tenant: &TenantId, id: SubscriptionId) -> String {
    format!("{tenant}/{id}")
}

/// A value as it is stored: its secrets are sealed, or, where an earlier version of loanhook stored it, not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed<T> {
    pub(crate) value: T,
    pub(crate) is_sealed: bool,
}

impl<T> Sealed<T> {
    /// The value as it is stored: what is no secret of it can be read without a key.
    #[must_use]
    pub const fn as_stored(&self) -> &T {
        &self.value
    }
}

impl<T: HasSecrets> Sealed<T> {
    /// Seals the secrets of a value for their place, see [`place_of`].
    #[must_use]
    pub fn seal(mut value: T, keyring: &Keyring, place: &str) -> Self {
        for text in value.secret_texts_mut().filter(|text| !text.is_empty()) {
            *text = keyring.seal(text, place);
        }
        Self { value, is_sealed: true }
    }

    /// The value with its secrets.
    ///
    /// # Errors
    ///
    /// Where one cannot be opened.
    pub fn open(mut self, keyring: &Keyring, place: &str) -> Result<T, OpenError> {
        if self.is_sealed {
            for text in self.value.secret_texts_mut().filter(|text| !text.is_empty()) {
                *text = keyring.open(text, place)?;
            }
        }
        Ok(self.value)
    }

    /// The value where it has no [`keys`](Self::keys).
    ///
    /// # Errors
    ///
    /// Where a secret of it is sealed, or should be.
    pub fn open_without_key(mut self) -> Result<T, OpenError> {
        if self.is_sealed && self.value.secret_texts_mut().any(|text| !text.is_empty()) {
            return Err(OpenError::NotSealed);
        }
        Ok(self.value)
    }

    /// The IDs of the keys that its secrets are sealed with; none where it has no secret that is sealed.
    pub fn keys(&mut self) -> BTreeSet<KeyId> {
        if !self.is_sealed {
            return BTreeSet::new();
        }
        self.value.secret_texts_mut().filter_map(|text| key_of(text)).collect()
    }

    /// Whether all of it is sealed with the key that seals now, so that nothing has to be sealed anew.
    pub fn is_current(&mut self, keyring: &Keyring) -> bool {
        let mut texts = self.value.secret_texts_mut().filter(|text| !text.is_empty());
        self.is_sealed && texts.all(|text| keyring.is_current(text))
    }
}

#[cfg(test)]
mod tests {
    use loanhook_core::model::secret::SigningSecret;
    use loanhook_core::model::time::Timestamp;
    use loanhook_seal::SealingKey;

    use super::*;
    use crate::{read, write};

    fn secrets() -> Secrets {
        let new = || SigningSecret::generate().expect("randomness");
        let mut secrets = Secrets::new(new());
        secrets.rotate(new(), Timestamp::from_millis(0));
        secrets
    }

    fn subscription() -> Subscription {
        let plain: Sealed<Subscription> =
            read(include_str!("../tests/golden/subscription.events.json")).expect("a document");
        plain.open(&keyring(), "").expect("it is not sealed")
    }

    fn keyring() -> Keyring {
        Keyring::new(&SealingKey::generate().expect("randomness"))
    }

    #[test]
    fn a_stored_subscription_shows_no_secret_and_opens_in_its_place() {
        let (keyring, mut subscription) = (keyring(), subscription());
        subscription.secrets = secrets();
        // Its value is the tenant too.
        subscription.settings.request.headers.remove("X-Lender");
        let place = place_of(&subscription.tenant, subscription.id);
        let texts: Vec<_> = subscription.secret_texts_mut().map(|text| text.clone()).collect();
        assert!(texts.len() > 2, "headers and two signing secrets");
        let sealed = Sealed::seal(subscription.clone(), &keyring, &place);
        let json = write(&sealed).expect("JSON");
        assert!(texts.iter().all(|text| !json.contains(text)), "{json}");
        let read: Sealed<Subscription> = read(&json).expect("a document");
        assert_eq!(read.clone().open(&keyring, &place), Ok(subscription));
        assert_eq!(read.open(&keyring, "acme/other").expect_err("another place"), OpenError::Damaged);
    }

    #[test]
    fn what_has_no_secret_has_nothing_to_seal() {
        let none = Sealed::seal(Secrets::without_expired(), &keyring(), "acme/1");
        assert_eq!(write(&none).expect("JSON"), r#"{"v":2,"current":"","previous":null}"#);
        assert_eq!(none.open(&keyring(), "acme/1"), Ok(Secrets::without_expired()));
    }

    #[test]
    fn what_an_older_key_sealed_or_nobody_is_to_be_sealed_anew() {
        let keyring = keyring();
        let mut sealed = Sealed::seal(secrets(), &keyring, "acme/1");
        assert!(sealed.is_current(&keyring));
        assert_eq!(sealed.keys(), BTreeSet::from([keyring.current()]));
        keyring.make_current(&SealingKey::generate().expect("randomness"));
        assert!(!sealed.is_current(&keyring));
        let secrets = secrets();
        let mut plain = Sealed { value: secrets.clone(), is_sealed: false };
        assert!(!plain.is_current(&keyring));
        assert!(plain.keys().is_empty());
        assert_eq!(plain.open_without_key(), Ok(secrets));
        assert_eq!(sealed.open_without_key(), Err(OpenError::NotSealed));
    }
}
