//! Sessions of people who signed in at an OpenID provider: grants that no key made.

use loanhook_core::model::key::{KeyHash, Scope};
use loanhook_core::portal::{SignedInPerson, session, sign_in_person, sign_out, tenant_session};
use loanhook_core::ports::StoreResult;

use crate::engine::Engine;
use crate::grants::made;
use crate::scene::{MILLISECOND, SECOND, START, loan, tenant};

pub(crate) async fn a_session_of_a_person_ends_at_its_time_and_with_the_settings<E: Engine>()
-> StoreResult<()> {
    let engine = E::fresh().await;
    let ports = engine.ports();
    let jane = |scopes: &[Scope]| SignedInPerson {
        id: KeyHash::of("jane at the provider"),
        name: "Jane Doe".into(),
        tenant: tenant("acme"),
        scopes: scopes.to_vec(),
        settings: KeyHash::of("these settings"),
    };
    let today = Some(KeyHash::of("these settings"));
    let scopes = [Scope::Operator, Scope::WebhooksResend, Scope::HistoryRead];
    let first = made(sign_in_person(ports, jane(&scopes), START).await)?.expect("signed in");
    let second = made(sign_in_person(ports, jane(&scopes), START).await)?.expect("signed in");
    assert_eq!(first.grant.scopes, [Scope::HistoryRead, Scope::WebhooksResend], "what a page can use");
    assert_eq!(first.grant.maker.id(), second.grant.maker.id());
    assert_ne!(first.grant.maker.form_secret(), second.grant.maker.form_secret());
    let (token, end) = (first.token.expose(), first.grant.until);
    assert_eq!(end, START + 8 * 3600 * SECOND);
    for (at, stands) in [(START, true), (START + (8 * 3600 * SECOND - MILLISECOND), true), (end, false)] {
        let found = tenant_session(ports, token, today, at).await?;
        assert_eq!(found, stands.then(|| first.grant.clone()), "{at}");
        assert_eq!(session(ports, token, &loan("727"), today, at).await?.is_some(), stands, "{at}");
    }
    for other in [None, Some(KeyHash::of("other settings"))] {
        assert_eq!(tenant_session(ports, token, other, START).await?, None, "{other:?}");
        assert_eq!(session(ports, token, &loan("727"), other, START).await?, None, "{other:?}");
    }
    assert_eq!(sign_out(ports, token, START).await?, Some(first.grant));
    assert_eq!(tenant_session(ports, token, today, START).await?, None);
    assert!(tenant_session(ports, second.token.expose(), today, START).await?.is_some());
    let resender = made(sign_in_person(ports, jane(&[Scope::WebhooksResend]), START).await)?;
    assert!(resender.is_none(), "there is nothing to see");
    Ok(())
}
