//! Signing secrets of a subscription, and their rotation.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::time::Timestamp;

/// How long the secret before a rotation goes on signing.
const ROTATION_OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// A signing secret as Standard Webhooks writes it: `whsec_` and the key's bytes in base64.
/// Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

impl SigningSecret {
    pub fn generate() -> Result<Self, getrandom::Error> {
        // The specification asks for 24 to 64 bytes.
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("whsec_{}", STANDARD.encode(bytes))))
    }

    /// A secret that was stored, from its text.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text, to show once to its owner or to sign with.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whsec_…")
    }
}

/// The secrets of a subscription: the current one, and for 24 hours the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    pub current: SigningSecret,
    pub previous: Option<PreviousSecret>,
}

/// The secret before the last rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    pub secret: SigningSecret,
    /// From then on it signs no more.
    pub until: Timestamp,
}

impl Secrets {
    pub const fn new(current: SigningSecret) -> Self {
        Self { current, previous: None }
    }

    pub const fn current(&self) -> &SigningSecret {
        &self.current
    }

    /// A new secret signs from now on, the current one with it for 24 h; an older one no more.
    pub fn rotate(&mut self, new: SigningSecret, now: Timestamp) {
        let secret = std::mem::replace(&mut self.current, new);
        self.previous = Some(PreviousSecret { secret, until: now + ROTATION_OVERLAP });
    }

    /// The texts of all, to seal or open them.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let previous = self.previous.as_mut().map(|previous| &mut previous.secret);
        std::iter::once(&mut self.current).chain(previous).map(|secret| &mut secret.0)
    }

    /// What an old version of a subscription keeps of its secrets: none.
    pub fn without_expired() -> Self {
        Self::new(SigningSecret(String::new()))
    }

    /// Those that sign now, the newest first.
    pub fn valid(&self, now: Timestamp) -> Vec<SigningSecret> {
        let previous = self.previous.as_ref().filter(|previous| now < previous.until);
        std::iter::once(&self.current)
            .chain(previous.map(|previous| &previous.secret))
            .filter(|secret| !secret.0.is_empty())
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sign_for_a_day_and_never_three() {
        let new = || SigningSecret::generate().expect("randomness");
        let (first, second, third) = (new(), new(), new());
        let now = Timestamp::from_millis(1_000_000);
        let mut secrets = Secrets::new(first.clone());
        assert_eq!(secrets.valid(now), std::slice::from_ref(&first));
        secrets.rotate(second.clone(), now);
        assert_eq!(secrets.valid(now + Duration::from_secs(86_399)), [second.clone(), first]);
        assert_eq!(secrets.valid(now + ROTATION_OVERLAP), std::slice::from_ref(&second));
        secrets.rotate(third.clone(), now);
        assert_eq!(secrets.valid(now), [third, second]);
    }

    #[test]
    fn debug_keeps_the_secret() {
        let secret = SigningSecret::generate().expect("randomness");
        let key = secret.expose().strip_prefix("whsec_").expect("the prefix");
        assert_eq!(STANDARD.decode(key).expect("base64").len(), 32);
        assert_ne!(secret, SigningSecret::generate().expect("randomness"));
        assert_eq!(format!("{secret:?}"), "whsec_…");
    }
}
