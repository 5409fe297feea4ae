//! What a secret token lets a person see: a portal link, or the session it opens in a browser.
//!
//! Both are a grant. It names a tenant, one loan (or, for a sign-in, any loan of the tenant),
//! what may be done there and who is said to do it; it is over at its time, or with the key that made it. A person who signs in at
//! an OpenID provider has a grant that no key made.

use std::fmt;
use std::time::Duration;

use super::id::{LoanId, TenantId};
use super::key::{KeyHash, Scope, may_manage, random_text};
use super::time::Timestamp;
use super::validation::{ValidationErrors, name_error};

/// How long a link lives where its maker does not say, in seconds.
const DEFAULT_LINK_SECONDS: u32 = 15 * 60;
/// How long a session lasts where nobody says, in seconds.
pub const DEFAULT_SESSION_SECONDS: u32 = 8 * 3600;
/// The longest life of a link, and of a session, in seconds.
const MAX_LIFETIME_SECONDS: u32 = 24 * 3600;

/// What is kept of a token, beside its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub kind: GrantKind,
    pub tenant: TenantId,
    /// None is any loan of the tenant.
    pub loan: Option<LoanId>,
    pub scopes: Vec<Scope>,
    /// What `requestedBy` of a resend shows.
    pub name: String,
    /// From then on it is over.
    pub until: Timestamp,
    pub maker: GrantMaker,
}

/// By what a grant was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantMaker {
    /// By the key of this hash: the grant is over when the key is deleted.
    Key(KeyHash),
    /// By a sign-in at the OpenID provider: the grant is over with the operator's settings by which the person signed in.
    Person(Person),
}

/// A person who signed in at an OpenID provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The hash of the issuer and of the name that it has for the person: the same for each sign-in.
    pub id: KeyHash,
    /// Random, of this session: the tokens of its forms are made with it.
    pub form_secret: [u8; 32],
    /// The fingerprint of the operator's settings (issuer, client ID and rules) by which the person signed in. None in what was stored
    /// before it was kept: such a grant is over.
    pub settings: Option<KeyHash>,
}

/// It does not show the secret.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

impl GrantMaker {
    /// What is the same in all grants of one maker, as a key of limits.
    pub const fn id(&self) -> KeyHash {
        match self {
            Self::Key(hash) => *hash,
            Self::Person(person) => person.id,
        }
    }

    /// A secret that outsiders do not know, to make the tokens of forms with.
    pub const fn form_secret(&self) -> &[u8; 32] {
        match self {
            Self::Key(hash) => &hash.0,
            Self::Person(person) => &person.form_secret,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// Opens sessions that last so many seconds.
    Link {
        session_seconds: u32,
    },
    Session,
}

impl Grant {
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it may make and delete keys of these scopes.
    pub fn may_manage(&self, scopes: &[Scope]) -> bool {
        may_manage(&self.scopes, scopes)
    }

    /// Whether it is good for this loan of its tenant.
    pub fn covers(&self, loan: &LoanId) -> bool {
        self.loan.as_ref().is_none_or(|own| own == loan)
    }

    /// The session that this link opens now.
    pub fn session(self, now: Timestamp) -> Option<Self> {
        let GrantKind::Link { session_seconds } = self.kind else { return None };
        let until = now + Duration::from_secs(session_seconds.into());
        Some(Self { kind: GrantKind::Session, until, ..self })
    }
}

/// A secret that stands for a grant, in clear. Its `Debug` does not show it.
pub struct Token(String);

impl Token {
    pub fn generate() -> Result<Self, getrandom::Error> {
        random_text().map(Self)
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A portal link as its maker asks for it, before any rule was checked.
#[derive(Debug)]
pub struct LinkInput {
    pub loan_id: String,
    pub scopes: Vec<LinkScope>,
    /// The name that `requestedBy` of a resend shows; none is the key's.
    pub viewer: Option<String>,
    /// How long the link can be opened, in seconds; none is 900.
    pub ttl_seconds: Option<u32>,
    /// How long a session lasts that the link opens, in seconds; none is 28,800.
    pub session_seconds: Option<u32>,
}

/// What a portal link can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkScope {
    HistoryRead,
    WebhooksResend,
}

/// A link that keeps the rules and is not issued yet.
#[derive(Debug)]
pub struct NewLink {
    pub loan: LoanId,
    pub scopes: Vec<Scope>,
    pub viewer: Option<String>,
    pub ttl: Duration,
    pub session_seconds: u32,
}

impl LinkInput {
    /// The link, if it keeps every rule.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, each with the JSON pointer of its field.
    pub fn check(self) -> Result<NewLink, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        let loan = LoanId::try_from(self.loan_id).map_err(|fault| errors.add("/loanId", fault)).ok();
        let mut scopes = Vec::new();
        if self.scopes.contains(&LinkScope::HistoryRead) {
            scopes.push(Scope::HistoryRead);
        } else {
            errors.add("/scopes", "must have history:read: without it there is nothing to see");
        }
        if self.scopes.contains(&LinkScope::WebhooksResend) {
            scopes.push(Scope::WebhooksResend);
        }
        if let Some(fault) = self.viewer.as_deref().and_then(name_error) {
            errors.add("/viewer", fault);
        }
        let ttl = seconds(&mut errors, "/ttlSeconds", self.ttl_seconds, DEFAULT_LINK_SECONDS);
        let session_seconds =
            seconds(&mut errors, "/sessionSeconds", self.session_seconds, DEFAULT_SESSION_SECONDS);
        let ttl = Duration::from_secs(ttl.into());
        let Some(loan) = loan else { return Err(errors) };
        errors.ok_or_errors(NewLink { loan, scopes, viewer: self.viewer, ttl, session_seconds })
    }
}

fn seconds(errors: &mut ValidationErrors, pointer: &str, given: Option<u32>, default: u32) -> u32 {
    let seconds = given.unwrap_or(default);
    if !(1..=MAX_LIFETIME_SECONDS).contains(&seconds) {
        errors.add(pointer, "must be 1 to 86400 seconds");
    }
    seconds
}
