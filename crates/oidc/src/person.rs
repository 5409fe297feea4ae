//! Who signed in.

use std::fmt;

use crate::claims::Claims;
use loanhook_core::model::key::KeyHash;

/// A person, as the provider's ID token has them.
#[derive(Clone)]
pub struct Person {
    /// The hash of the issuer and of the subject, which is the provider's name for the person: the same for each sign-in.
    pub id: KeyHash,
    /// The provider's name for the person.
    pub subject: String,
    /// What the person is called, with what tells them from others of that name: at most 256 characters, none of them a control
    /// character.
    pub name: String,
    pub(crate) claims: Claims,
}

/// It shows no claims.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Person {
    /// The person of this subject.
    pub(crate) fn new(issuer: &str, subject: &str, claims: Claims) -> Self {
        // No issuer has a line break.
        let id = KeyHash::of(&format!("{issuer}\n{subject}"));
        let name = claims.display_name().unwrap_or_else(|| "a person without a name".to_owned());
        Self { id, subject: subject.to_owned(), name, claims }
    }

    /// The names of the claims that came, with spaces between them, and no values.
    pub fn claim_names(&self) -> String {
        self.claims.names()
    }
}
