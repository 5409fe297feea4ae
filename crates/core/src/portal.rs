//! Portal: who may see a loan's page. Links that an LMS asks for, the sessions they open, and signing in with a key or at an
//! OpenID provider.
//!
//! A link and a session are both a grant: a secret token of which only the hash is kept. Opening a link adds a session beside
//! it, so a link opens any number of times while it lives, and each browser can end its own. Nothing is written when a key is
//! deleted or is over: the key of a token is looked up with each use, so everything that a key made ends with it at once. A session
//! of a person who signed in at the provider has no key: it ends with the operator's settings of that sign-in, whose fingerprint
//! each look-up names.

use std::time::Duration;

use crate::model::grant::{DEFAULT_SESSION_SECONDS, Grant, GrantKind, GrantMaker, NewLink, Person, Token};
use crate::model::id::{LoanId, TenantId};
use crate::model::key::{Key, KeyHash, Scope};
use crate::model::time::Timestamp;
use crate::ports::{Grants, Keys, StoreError, StoreResult};

/// What pages can do for their viewer: the scopes that a session of a sign-in with a key can have.
const PAGE_SCOPES: [Scope; 5] =
    [Scope::HistoryRead, Scope::WebhooksResend, Scope::SubscriptionsWrite, Scope::Admin, Scope::Operator];

/// What of it a person can have who signs in at a provider: an operator is made by an operator only, with a key.
pub const PERSON_SCOPES: [Scope; 4] =
    [Scope::HistoryRead, Scope::WebhooksResend, Scope::SubscriptionsWrite, Scope::Admin];

/// How long a session of a sign-in lasts at most.
const SESSION_LIFE: Duration = Duration::from_secs(DEFAULT_SESSION_SECONDS as u64);

#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    #[error("no randomness for a token: {0}")]
    Randomness(#[from] getrandom::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A grant that was made, and its token, in clear here and never again.
#[derive(Debug)]
pub struct IssuedGrant {
    pub grant: Grant,
    pub token: Token,
}

async fn issue<S: Grants>(store: &S, grant: Grant, now: Timestamp) -> Result<IssuedGrant, PortalError> {
    let token = Token::generate()?;
    store.add_grant(token.hash(), grant.clone(), now).await?;
    Ok(IssuedGrant { grant, token })
}

/// Makes a link for one loan of the key's tenant.
///
/// # Errors
///
/// When the link could not be kept.
pub async fn issue_link<S: Grants>(
    store: &S,
    (key, hash): (&Key, KeyHash),
    link: NewLink,
    now: Timestamp,
) -> Result<IssuedGrant, PortalError> {
    let grant = Grant {
        kind: GrantKind::Link { session_seconds: link.session_seconds },
        tenant: key.tenant.clone(),
        loan: Some(link.loan),
        scopes: link.scopes,
        name: link.viewer.unwrap_or_else(|| key.name.clone()),
        until: key.expires_at.map_or(now + link.ttl, |end| end.min(now + link.ttl)),
        maker: GrantMaker::Key(hash),
    };
    issue(store, grant, now).await
}

/// The link of a token, if it stands.
///
/// # Errors
///
/// When the store fails.
pub async fn link<S: Grants + Keys>(store: &S, shown: &str, now: Timestamp) -> StoreResult<Option<Grant>> {
    let grant = valid_grant(store, shown, None, now).await?;
    Ok(grant.filter(|grant| matches!(grant.kind, GrantKind::Link { .. })))
}

/// Opens a link: a session for its loan. None for a grant that is no link.
///
/// # Errors
///
/// When the session could not be kept.
pub async fn open<S: Grants>(
    store: &S,
    link: Grant,
    now: Timestamp,
) -> Result<Option<IssuedGrant>, PortalError> {
    match link.session(now) {
        Some(session) => issue(store, session, now).await.map(Some),
        None => Ok(None),
    }
}

/// Signs in with an API key: a session for any loan of its tenant, with what of the key a page can use. None where
/// the key lacks `history:read`.
///
/// # Errors
///
/// When the session could not be kept.
pub async fn sign_in<S: Grants>(
    store: &S,
    (key, hash): (&Key, KeyHash),
    now: Timestamp,
) -> Result<Option<IssuedGrant>, PortalError> {
    if !key.may(Scope::HistoryRead) {
        return Ok(None);
    }
    let until = now + SESSION_LIFE;
    let grant = Grant {
        kind: GrantKind::Session,
        tenant: key.tenant.clone(),
        loan: None,
        scopes: PAGE_SCOPES.into_iter().filter(|scope| key.may(*scope)).collect(),
        name: key.name.clone(),
        until: key.expires_at.map_or(until, |end| end.min(until)),
        maker: GrantMaker::Key(hash),
    };
    issue(store, grant, now).await.map(Some)
}

/// A person whom an OpenID provider vouches for, and what the operator's rules give them in one tenant.
#[derive(Debug, Clone)]
pub struct SignedInPerson {
    /// The hash of the issuer and of the name that it has for the person.
    pub id: KeyHash,
    /// What `requestedBy` of a resend shows.
    pub name: String,
    pub tenant: TenantId,
    pub scopes: Vec<Scope>,
    /// The fingerprint of the settings by which they have it.
    pub settings: KeyHash,
}

/// Signs a person in: a session for any loan of the tenant, with what of the scopes a page can use. None where
/// `history:read` is not among them.
///
/// # Errors
///
/// When the session could not be kept.
pub async fn sign_in_person<S: Grants>(
    store: &S,
    person: SignedInPerson,
    now: Timestamp,
) -> Result<Option<IssuedGrant>, PortalError> {
    if !person.scopes.contains(&Scope::HistoryRead) {
        return Ok(None);
    }
    let mut form_secret = [0; 32];
    getrandom::fill(&mut form_secret)?;
    let grant = Grant {
        kind: GrantKind::Session,
        tenant: person.tenant,
        loan: None,
        scopes: PERSON_SCOPES.into_iter().filter(|scope| person.scopes.contains(scope)).collect(),
        name: person.name,
        until: now + SESSION_LIFE,
        maker: GrantMaker::Person(Person { id: person.id, form_secret, settings: Some(person.settings) }),
    };
    issue(store, grant, now).await.map(Some)
}

/// The session of a token, if it is good for this loan. `settings` is the fingerprint of today's settings of the sign-in at the OpenID
/// provider, none where there are none.
///
/// # Errors
///
/// When the store fails.
pub async fn session<S: Grants + Keys>(
    store: &S,
    shown: &str,
    loan: &LoanId,
    settings: Option<KeyHash>,
    now: Timestamp,
) -> StoreResult<Option<Grant>> {
    let grant = valid_grant(store, shown, settings, now).await?;
    Ok(grant.filter(|grant| grant.kind == GrantKind::Session && grant.covers(loan)))
}

/// The session of a token, if it is good for every loan of its tenant: that of a sign-in, not that of a link. `settings` is as
/// for [`session`].
///
/// # Errors
///
/// When the store fails.
pub async fn tenant_session<S: Grants + Keys>(
    store: &S,
    shown: &str,
    settings: Option<KeyHash>,
    now: Timestamp,
) -> StoreResult<Option<Grant>> {
    let grant = valid_grant(store, shown, settings, now).await?;
    Ok(grant.filter(|grant| grant.kind == GrantKind::Session && grant.loan.is_none()))
}

/// Ends a session, and gives what it was; none where there is none to end. Whoever makes tokens up has nothing written.
///
/// # Errors
///
/// When the store fails.
pub async fn sign_out<S: Grants>(store: &S, shown: &str, now: Timestamp) -> StoreResult<Option<Grant>> {
    let hash = KeyHash::of(shown);
    let Some(grant) = store.grant(hash, now).await? else { return Ok(None) };
    store.end_grant(hash).await?;
    Ok(Some(grant))
}

/// The grant of a token, if it stands, and the key that made it or the settings by which a person signed in.
async fn valid_grant<S: Grants + Keys>(
    store: &S,
    shown: &str,
    settings: Option<KeyHash>,
    now: Timestamp,
) -> StoreResult<Option<Grant>> {
    let Some(grant) = store.grant(KeyHash::of(shown), now).await? else { return Ok(None) };
    let stands = match &grant.maker {
        GrantMaker::Key(maker) => {
            let key = store.key(*maker).await?;
            key.is_some_and(|key| key.tenant == grant.tenant && key.is_valid_at(now))
        }
        GrantMaker::Person(person) => person.settings.is_some() && person.settings == settings,
    };
    Ok(stands.then_some(grant))
}

#[cfg(test)]
#[path = "portal_tests.rs"]
mod tests;
