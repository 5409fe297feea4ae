//! A subscription as its item has it: sealed, or in clear where an earlier version of loanhook stored it.
//!
//! Its settings and its signing secrets are documents of their own, each of which is sealed or not. It is opened with the keyring
//! that has its keys ([`Aws::open_each`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_seal::{KeyId, Keyring, OpenError};
use loanhook_stored::{HasSecrets, Sealed, place_of};

use crate::engine::Aws;
use crate::items::item::{Item, document, is_newer_text, json, number, parse_json, unreadable};
use crate::items::key_schema::{DOC, SECRETS, VERSION};
use crate::items::unreadable::UnreadableItems;
use crate::sealing::NoKeyring;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::StoreResult;

pub(crate) struct StoredSubscription {
    /// Without signing secrets.
    subscription: Sealed<Subscription>,
    secrets: Option<Sealed<Secrets>>,
}

impl StoredSubscription {
    pub(crate) fn read(item: &Item) -> StoreResult<Self> {
        let secrets = item.contains_key(SECRETS).then(|| parse_json(item, SECRETS)).transpose()?;
        Ok(Self { subscription: document(item)?, secrets })
    }

    /// What an item says, but for its signing secrets.
    pub(crate) fn read_settings(item: &Item) -> StoreResult<Self> {
        Ok(Self { subscription: document(item)?, secrets: None })
    }

    /// What a document says, which has no signing secrets.
    pub(crate) fn of_document(json: &str) -> StoreResult<Self> {
        let subscription = loanhook_stored::read(json).map_err(|error| unreadable(&error))?;
        Ok(Self { subscription, secrets: None })
    }

    pub(crate) fn seal(subscription: &Subscription, keyring: &Keyring) -> Self {
        let place = place_of(&subscription.tenant, subscription.id);
        let without = Subscription { secrets: Secrets::without_expired(), ..subscription.clone() };
        Self {
            subscription: Sealed::seal(without, keyring, &place),
            secrets: Some(Sealed::seal(subscription.secrets.clone(), keyring, &place)),
        }
    }

    pub(crate) fn without_secrets(self) -> Self {
        Self { secrets: None, ..self }
    }

    /// It as it is stored, its secrets sealed: what is no secret of it.
    pub(crate) const fn as_stored(&self) -> &Subscription {
        self.subscription.as_stored()
    }

    /// Its flow settings, for which it need not be opened.
    pub(crate) const fn flow(&self) -> FlowSettings {
        self.subscription.as_stored().settings.flow
    }

    /// The document of its settings.
    pub(crate) fn document(&self) -> StoreResult<AttributeValue> {
        json(&self.subscription)
    }

    /// The document of its signing secrets.
    pub(crate) fn secrets(&self) -> StoreResult<Option<AttributeValue>> {
        self.secrets.as_ref().map(json).transpose()
    }

    /// Its attributes, added to those of its key.
    pub(super) fn add_to(&self, item: &mut Item) -> StoreResult<()> {
        item.insert(VERSION.into(), number(self.subscription.as_stored().version));
        item.insert(DOC.into(), self.document()?);
        item.extend(self.secrets()?.map(|secrets| (SECRETS.into(), secrets)));
        Ok(())
    }

    /// The IDs of the data keys that it is sealed with.
    pub(crate) fn keys(&mut self) -> BTreeSet<KeyId> {
        let mut keys = self.subscription.keys();
        keys.extend(self.secrets.as_mut().map(Sealed::keys).unwrap_or_default());
        keys
    }

    /// Whether all of it is sealed with the key that seals in this keyring.
    pub(crate) fn is_current(&mut self, keyring: &Keyring) -> bool {
        let secrets = self.secrets.as_mut().is_none_or(|secrets| secrets.is_current(keyring));
        secrets && self.subscription.is_current(keyring)
    }

    /// The subscription, by a keyring that has its keys. None is enough where it has none.
    pub(crate) fn open(self, keyring: Option<&Keyring>) -> StoreResult<Subscription> {
        let (tenant, id) = (&self.subscription.as_stored().tenant, self.subscription.as_stored().id);
        let place = place_of(tenant, id);
        let mut subscription = opened(self.subscription, keyring, &place)?;
        if let Some(secrets) = self.secrets {
            subscription.secrets = opened(secrets, keyring, &place)?;
        }
        Ok(subscription)
    }
}

fn opened<T: HasSecrets>(sealed: Sealed<T>, keyring: Option<&Keyring>, place: &str) -> StoreResult<T> {
    let opened: Result<T, OpenError> = match keyring {
        Some(keyring) => sealed.open(keyring, place),
        None => sealed.open_without_key(),
    };
    opened.map_err(|error| unreadable(&error))
}

impl Aws {
    /// The subscription of an item.
    pub(crate) async fn open(&self, item: &Item) -> StoreResult<Arc<Subscription>> {
        let mut stored = StoredSubscription::read(item)?;
        let keyring = self.keyring_of(stored.keys()).await.map_err(NoKeyring::into_store_error)?;
        stored.open(keyring.as_ref()).map(Arc::new)
    }

    /// The subscriptions of items, in their order. Those that cannot be read are left out, but not for want of a data key, nor
    /// where a newer loanhook wrote them: then nothing is read, since they are not damaged, and an event that was accepted without
    /// them would lose webhooks without a word.
    pub(super) async fn open_each(&self, items: &[Item]) -> StoreResult<Vec<Arc<Subscription>>> {
        self.open_all(items.iter().map(|item| (item, StoredSubscription::read(item)))).await
    }

    /// The same, of what was read from these items.
    pub(super) async fn open_all<'a>(
        &self,
        read: impl Iterator<Item = (&'a Item, StoreResult<StoredSubscription>)>,
    ) -> StoreResult<Vec<Arc<Subscription>>> {
        let (mut left_out, mut all) = (UnreadableItems::default(), Vec::new());
        for (item, stored) in read {
            match stored {
                Err(why) if is_newer(item) => return Err(why),
                stored => all.extend(left_out.readable(item, stored).map(|stored| (item, stored))),
            }
        }
        let keys = all.iter_mut().flat_map(|(_, stored)| stored.keys()).collect();
        let keyring = self.keyring_of(keys).await.map_err(NoKeyring::into_store_error)?;
        let opened = all.into_iter().filter_map(|(item, stored)| {
            left_out.readable(item, stored.open(keyring.as_ref())).map(Arc::new)
        });
        Ok(opened.collect())
    }
}

/// Whether a newer loanhook wrote a document of an item.
fn is_newer(item: &Item) -> bool {
    is_newer_text::<Sealed<Subscription>>(item, DOC) || is_newer_text::<Sealed<Secrets>>(item, SECRETS)
}
