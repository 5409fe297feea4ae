//! Portal links and sessions: grants, found by the hash of their token.

use std::time::Duration;

use loanhook_core::keys::authenticate;
use loanhook_core::model::grant::{Grant, GrantKind, GrantMaker, LinkInput, LinkScope, NewLink};
use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::key::{Key, KeyHash, Scope};
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal::{self, IssuedGrant, PortalError, issue_link, open, sign_in, sign_out};
use loanhook_core::ports::{Grants, Keys, StoreError, StoreResult};

use crate::engine::Engine;
use crate::scene::{DAY, MILLISECOND, SECOND, START, loan, tenant};

fn grant(of: &TenantId, kind: GrantKind) -> Grant {
    Grant {
        kind,
        tenant: of.clone(),
        loan: Some(loan("727")),
        scopes: vec![Scope::HistoryRead],
        name: "jane@lender.example".into(),
        until: START + SECOND,
        maker: GrantMaker::Key(KeyHash::of("the key")),
    }
}

/// The session of a token that a key made: it stands whatever the settings of the sign-in of people.
async fn session<E: Grants + Keys>(
    ports: &E,
    token: &str,
    of: &LoanId,
    at: Timestamp,
) -> StoreResult<Option<Grant>> {
    portal::session(ports, token, of, None, at).await
}

fn hash(number: u32) -> KeyHash {
    KeyHash::of(&format!("token {number}"))
}

pub(crate) async fn a_grant_is_found_by_the_hash_of_its_token_alone<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let kinds = [GrantKind::Session, GrantKind::Link { session_seconds: 60 }];
    let all: Vec<_> =
        kinds.into_iter().map(|kind| grant(&tenant("acme"), kind)).chain([any_loan()]).collect();
    for (grant, number) in all.iter().zip(0..) {
        engine.ports().add_grant(hash(number), grant.clone(), START).await?;
    }
    for (grant, number) in all.iter().zip(0..) {
        assert_eq!(engine.ports().grant(hash(number), START).await?.as_ref(), Some(grant));
    }
    assert_eq!(engine.ports().grant(hash(3), START).await?, None);
    Ok(())
}

fn any_loan() -> Grant {
    Grant { loan: None, scopes: Vec::new(), ..grant(&tenant("acme"), GrantKind::Session) }
}

pub(crate) async fn a_grant_is_over_at_its_time<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let grant = grant(&tenant("acme"), GrantKind::Session);
    engine.ports().add_grant(hash(0), grant.clone(), START).await?;
    let last = START + (SECOND - MILLISECOND);
    assert_eq!(engine.ports().grant(hash(0), last).await?, Some(grant));
    assert_eq!(engine.ports().grant(hash(0), START + SECOND).await?, None);
    // What is over may be taken away by what comes after it; what is not, stays.
    for number in 1..40 {
        let until = START + number * SECOND;
        let next = Grant { until, ..any_loan() };
        engine.ports().add_grant(hash(number), next, START + 20 * SECOND).await?;
    }
    for number in 1..40 {
        let stands = engine.ports().grant(hash(number), START + 20 * SECOND).await?.is_some();
        assert_eq!(stands, number > 20, "{number}");
    }
    Ok(())
}

pub(crate) async fn a_grant_that_was_ended_is_gone_at_once<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    for number in 0..2 {
        engine.ports().add_grant(hash(number), any_loan(), START).await?;
    }
    for gone in [0, 0, 2] {
        engine.ports().end_grant(hash(gone)).await?;
    }
    assert_eq!(engine.ports().grant(hash(0), START).await?, None);
    assert_eq!(engine.ports().grant(hash(1), START).await?, Some(any_loan()));
    assert_eq!(engine.ports().grant(hash(2), START).await?, None);
    Ok(())
}

/// A key of a tenant with these scopes, and its hash.
async fn key<E: Engine>(
    engine: &E,
    of: &TenantId,
    text: &str,
    scopes: &[Scope],
) -> StoreResult<(Key, KeyHash)> {
    let (name, scopes) = ("LMS".to_owned(), scopes.to_vec());
    let key = Key::new(of.clone(), name, scopes, START);
    engine.ports().add_key(key.clone(), KeyHash::of(text)).await?;
    Ok((key, KeyHash::of(text)))
}

/// A link to loan 727 for a viewer who may read its history.
fn link(change: impl FnOnce(&mut LinkInput)) -> NewLink {
    let mut input = LinkInput {
        loan_id: "727".into(),
        scopes: vec![LinkScope::HistoryRead],
        viewer: None,
        ttl_seconds: None,
        session_seconds: None,
    };
    change(&mut input);
    input.check().expect("a link")
}

pub(crate) fn made<T>(result: Result<T, PortalError>) -> StoreResult<T> {
    result.map_err(|failure| match failure {
        PortalError::Store(failure) => failure,
        PortalError::Randomness(failure) => StoreError::Failed(failure.to_string().into()),
    })
}

/// Opens a link by its token.
async fn opened<S: Grants + Keys>(ports: &S, token: &str, at: Timestamp) -> StoreResult<Option<IssuedGrant>> {
    match portal::link(ports, token, at).await? {
        Some(link) => made(open(ports, link, at).await),
        None => Ok(None),
    }
}

pub(crate) async fn a_link_opens_sessions_until_its_own_end<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let (key, hash) = key(&engine, &tenant("acme"), "lh_lms", &[Scope::PortalWrite]).await?;
    let asked = link(|input| {
        input.viewer = Some("Jane".into());
        input.ttl_seconds = Some(10);
        input.session_seconds = Some(60);
    });
    let ports = engine.ports();
    let link = made(issue_link(ports, (&key, hash), asked, START).await)?.token;
    let end = START + 10 * SECOND;
    let mut sessions: Vec<IssuedGrant> = Vec::new();
    for at in [START, START + SECOND, START + (10 * SECOND - MILLISECOND)] {
        sessions.extend(opened(ports, link.expose(), at).await?);
    }
    assert_eq!(sessions.len(), 3);
    assert!(opened(ports, link.expose(), end).await?.is_none());
    for session_made in &sessions {
        let token = session_made.token.expose();
        // It is a session for its loan, to its own end, and no link.
        let found = session(ports, token, &loan("727"), end).await?.expect("a session");
        assert_eq!((found.name.as_str(), &found.scopes[..]), ("Jane", &[Scope::HistoryRead][..]));
        assert_eq!(session(ports, token, &loan("7272"), end).await?, None);
        assert_eq!(session(ports, token, &loan("727"), found.until).await?, None);
        assert!(opened(ports, token, START).await?.is_none());
    }
    assert_eq!(session(ports, link.expose(), &loan("727"), START).await?, None);
    assert!(sign_out(ports, sessions[0].token.expose(), START).await?.is_some());
    assert!(sign_out(ports, sessions[0].token.expose(), START).await?.is_none(), "it has ended");
    for (made, stands) in sessions.iter().zip([false, true, true]) {
        assert_eq!(session(ports, made.token.expose(), &loan("727"), START).await?.is_some(), stands);
    }
    Ok(())
}

pub(crate) async fn grants_of_a_key_end_when_it_is_deleted<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let ports = engine.ports();
    let all = [Scope::HistoryRead, Scope::WebhooksResend, Scope::PortalWrite];
    let (gone, gone_hash) = key(&engine, &tenant("acme"), "lh_gone", &all).await?;
    let (stays, stays_hash) = key(&engine, &tenant("acme"), "lh_stays", &all).await?;
    let asked = || link(|input| input.scopes.push(LinkScope::WebhooksResend));
    let mut tokens = Vec::new();
    for (key, hash) in [(&gone, gone_hash), (&stays, stays_hash)] {
        let link = made(issue_link(ports, (key, hash), asked(), START).await)?.token;
        let of_link = opened(ports, link.expose(), START).await?.expect("opened").token;
        let signed_in = made(sign_in(ports, (key, hash), START).await)?.expect("signed in").token;
        tokens.push((link, of_link, signed_in));
    }
    ports.delete_key(&gone.tenant, gone.id).await?;
    for ((link, of_link, signed_in), stands) in tokens.iter().zip([false, true]) {
        assert_eq!(opened(ports, link.expose(), START).await?.is_some(), stands);
        for token in [of_link, signed_in] {
            assert_eq!(session(ports, token.expose(), &loan("727"), START).await?.is_some(), stands);
        }
    }
    Ok(())
}

pub(crate) async fn grants_of_a_key_end_when_it_expires<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let ports = engine.ports();
    let scopes = vec![Scope::HistoryRead, Scope::PortalWrite];
    let end = START + 600 * SECOND;
    let key = Key { expires_at: Some(end), ..Key::new(tenant("acme"), "LMS".into(), scopes, START) };
    let hash = KeyHash::of("lh_lms");
    ports.add_key(key.clone(), hash).await?;
    let asked = link(|input| input.ttl_seconds = Some(3600));
    let link = made(issue_link(ports, (&key, hash), asked, START).await)?;
    assert_eq!(link.grant.until, end, "what the link says of its end is so");
    let in_session = opened(ports, link.token.expose(), START).await?.expect("opened").token;
    let signed_in = made(sign_in(ports, (&key, hash), START).await)?.expect("signed in");
    assert_eq!(signed_in.grant.until, end, "nor does a session say that it lasts longer");
    for (at, stands) in [(START + (600 * SECOND - MILLISECOND), true), (end, false), (end + SECOND, false)] {
        assert_eq!(opened(ports, link.token.expose(), at).await?.is_some(), stands, "{at}");
        for token in [&in_session, &signed_in.token] {
            assert_eq!(session(ports, token.expose(), &loan("727"), at).await?.is_some(), stands, "{at}");
        }
        assert_eq!(authenticate(ports, hash, at).await?.is_some(), stands, "{at}: it signs nobody in");
    }
    Ok(())
}

pub(crate) async fn a_session_of_another_tenant_is_not_valid<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let ports = engine.ports();
    for (of, text) in [("acme", "lh_acme"), ("acme-2", "lh_acme_2")] {
        let (of, scopes) = (tenant(of), [Scope::HistoryRead]);
        let (key, hash) = key(&engine, &of, text, &scopes).await?;
        let made = made(sign_in(ports, (&key, hash), START).await)?.expect("signed in");
        let found = session(ports, made.token.expose(), &loan("727"), START).await?;
        assert_eq!(found.map(|grant| grant.tenant), Some(of));
    }
    // A key that is another tenant's by now makes nothing stand.
    let forged = Grant { maker: GrantMaker::Key(KeyHash::of("lh_acme_2")), until: START + DAY, ..any_loan() };
    ports.add_grant(KeyHash::of("forged"), forged, START).await?;
    assert_eq!(session(ports, "forged", &loan("727"), START + Duration::ZERO).await?, None);
    Ok(())
}
