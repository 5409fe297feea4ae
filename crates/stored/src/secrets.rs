//! Stored signing secrets: within a subscription, whose document says whether they are sealed, and on AWS an attribute of their
//! own.

use std::borrow::Cow;

use loanhook_core::model::secret::{PreviousSecret, Secrets, SigningSecret};
use serde::{Deserialize, Serialize};

use crate::sealed::{FIRST_SEALED, Sealed};
use crate::values::StoredTime;
use crate::{Document, Version};

const VERSION: u32 = FIRST_SEALED;

#[derive(Serialize, Deserialize)]
pub struct StoredSecrets<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    /// Empty where the secrets are not kept with their subscription, or not any more.
    current: Cow<'a, str>,
    previous: Option<StoredPrevious<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredPrevious<'a> {
    secret: Cow<'a, str>,
    until: StoredTime,
}

/// Signing secrets within the document of their subscription, which says whether they are sealed.
pub(crate) fn within(secrets: &Secrets) -> StoredSecrets<'_> {
    stored(secrets, Version::default())
}

fn stored(secrets: &Secrets, v: Version<VERSION>) -> StoredSecrets<'_> {
    let Secrets { current, previous } = secrets;
    let previous = previous.as_ref().map(|PreviousSecret { secret, until }| StoredPrevious {
        secret: secret.expose().into(),
        until: StoredTime(*until),
    });
    StoredSecrets { v, current: current.expose().into(), previous }
}

impl Document for Sealed<Secrets> {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredSecrets<'a>;

    fn to_stored(&self) -> StoredSecrets<'_> {
        stored(&self.value, Version::of_sealed(self.is_sealed))
    }

    fn from_stored(stored: StoredSecrets<'_>) -> Self {
        let is_sealed = stored.v.number() >= FIRST_SEALED;
        Self { value: stored.into(), is_sealed }
    }
}

impl From<StoredSecrets<'_>> for Secrets {
    fn from(stored: StoredSecrets<'_>) -> Self {
        let StoredSecrets { v: _, current, previous } = stored;
        let secret = |text: Cow<'_, str>| SigningSecret::from_stored(text.into_owned());
        let previous = previous.map(|StoredPrevious { secret: text, until }| PreviousSecret {
            secret: secret(text),
            until: until.0,
        });
        Self { current: secret(current), previous }
    }
}
