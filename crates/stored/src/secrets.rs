//! Stored signing secrets: within a subscription, and on AWS an attribute of their own.

use std::borrow::Cow;

use loanhook_core::model::secret::{PreviousSecret, Secrets, SigningSecret};
use serde::{Deserialize, Serialize};

use crate::values::StoredTime;
use crate::{Document, Version};

const VERSION: u32 = 1;

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

impl Document for Secrets {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredSecrets<'a>;

    fn to_stored(&self) -> StoredSecrets<'_> {
        let Self { current, previous } = self;
        let previous = previous.as_ref().map(|PreviousSecret { secret, until }| StoredPrevious {
            secret: secret.expose().into(),
            until: StoredTime(*until),
        });
        StoredSecrets { v: Version::NEWEST, current: current.expose().into(), previous }
    }

    fn from_stored(stored: StoredSecrets<'_>) -> Self {
        let StoredSecrets { v: _, current, previous } = stored;
        let secret = |text: Cow<'_, str>| SigningSecret::from_stored(text.into_owned());
        let previous = previous.map(|StoredPrevious { secret: text, until }| PreviousSecret {
            secret: secret(text),
            until: until.0,
        });
        Self { current: secret(current), previous }
    }
}
