//! Credentials: resolved when a request leaves, from the subscription as it is then, and never for another host.

use std::collections::BTreeMap;

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::credentials::FrozenHeaders;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::event_evaluation::EventEvaluation;
use loanhook_core::model::id::EventId;
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, Attempts, DeleteOutcome, Intake, StoreResult, Subscriptions, WebhookRequest,
};

use crate::engine::Engine;
use crate::resend_addresses::{edit, headers};
use crate::scene::{
    LEASE, SECOND, START, Scene, attempt_message, event, resend_message, subscription, tenant, unwatched,
};

const HERE: &str = "https://core.example.com/hooks";
const ELSEWHERE: &str = "https://elsewhere.example.com/";

/// A delivery by a subscription with these headers, as `change` leaves it before it is stored.
async fn accepted<E: Engine>(
    set: &[(&str, &str)],
    change: impl FnOnce(&mut Delivery),
) -> StoreResult<Scene<E>> {
    let engine = E::fresh().await;
    let mut subscription = subscription(&tenant("acme"), "Core banking", &[300, 300, 300], START);
    subscription.settings.request.headers = headers(set);
    assert!(engine.ports().create(subscription.clone(), 1).await?);
    let event = event("727", r#"{"code": "a/b"}"#);
    let evaluation = EventEvaluation::new(&event, START);
    let (mut accepted, bytes) = Delivery::render(&subscription, &evaluation, EventId::at(START));
    change(&mut accepted);
    let request = unwatched(&subscription.tenant, None, vec![(accepted.clone(), bytes)], START);
    let stored = engine.ports().accept(request, Default::default()).await?;
    assert_eq!(stored, AcceptOutcome::Stored { fired: vec![] });
    let first = engine.receive().await;
    Ok(Scene { engine, subscription, accepted, first })
}

/// Makes the next automatic attempt, which fails: what left, and when the next one is due.
async fn attempt<E: Engine>(scene: &Scene<E>) -> StoreResult<(WebhookRequest, Timestamp)> {
    let next = scene.delivery().await?.progress.waiting().expect("a next attempt");
    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(attempt_message(&scene.accepted, next.number, next.due), next.due).await?;
    scene.engine.drain().await;
    let [request] = deliver.sender.take_sent().try_into().expect("one request");
    Ok((request, next.due + 2 * SECOND))
}

/// Resends the newest attempt: what left.
async fn resent<E: Engine>(scene: &Scene<E>, now: Timestamp) -> StoreResult<WebhookRequest> {
    let (row, _) = scene.resend(None, now).await?;
    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(resend_message(&row, now), now).await?;
    scene.engine.drain().await;
    let [request] = deliver.sender.take_sent().try_into().expect("one request");
    Ok(request)
}

/// The versions that gave the credentials of its rows, the oldest first.
async fn versions<E: Engine>(scene: &Scene<E>) -> StoreResult<Vec<Option<u64>>> {
    let rows: Vec<Attempt> = scene.rows().await?;
    let rows = scene.ports().history_rows(scene.tenant(), rows).await?;
    Ok(rows.iter().map(|row| row.credentials_version()).collect())
}

pub(crate) async fn an_attempt_takes_the_headers_that_its_subscription_has_when_it_leaves<E: Engine>()
-> StoreResult<()> {
    let set = [("Authorization", "Bearer old"), ("X-Code", "code [[v('code')]]"), ("X-Gone", "1")];
    let mut scene = accepted::<E>(&set, |_| ()).await?;
    // No credential is stored with a delivery.
    let rendered = FrozenHeaders::Rendered(headers(&[("X-Code", "code a/b")]));
    assert_eq!(scene.delivery().await?.snapshot.request.headers, rendered);
    let (first, _) = attempt(&scene).await?;
    let old = headers(&[("Authorization", "Bearer old"), ("X-Code", "code a/b"), ("X-Gone", "1")]);
    assert_eq!(first.headers, old);

    let rotate = |next: &mut Subscription| {
        next.settings.request.headers = headers(&[
            ("authorization", "Bearer new"),
            ("x-code", "another"),
            ("X-Late", "[[v('code')]]"),
            ("X-New", "yes"),
        ]);
    };
    edit(&mut scene, HERE, rotate).await?;
    let new = headers(&[("X-Code", "code a/b"), ("X-New", "yes"), ("authorization", "Bearer new")]);
    let (second, now) = attempt(&scene).await?;
    assert_eq!(second.headers, new);
    assert_eq!(resent(&scene, now).await?.headers, new);
    let deleted = scene.ports().delete(scene.tenant(), scene.subscription.id, None).await?;
    assert_eq!(deleted, DeleteOutcome::Deleted);
    assert_eq!(resent(&scene, now + 2 * SECOND).await?.headers, new);
    assert_eq!(attempt(&scene).await?.0.headers, new);

    assert_eq!(versions(&scene).await?, [Some(1), Some(2), Some(2), Some(2), Some(2)]);
    assert_eq!(scene.delivery().await?.snapshot, scene.accepted.snapshot);
    Ok(())
}

pub(crate) async fn a_delivery_takes_the_credentials_of_its_own_host<E: Engine>() -> StoreResult<()> {
    let mut scene = accepted::<E>(&[("Authorization", "Bearer old")], |_| ()).await?;
    let set = |value: &str| {
        let value = headers(&[("Authorization", value), ("X-Team", value)]);
        move |next: &mut Subscription| next.settings.request.headers = value
    };
    edit(&mut scene, HERE, set("Bearer new")).await?;
    edit(&mut scene, "https://core.example.com:8443/hooks", set("another port")).await?;
    edit(&mut scene, "http://core.example.com/hooks", set("another scheme")).await?;
    edit(&mut scene, ELSEWHERE, set("another host")).await?;
    let own = headers(&[("Authorization", "Bearer new"), ("X-Team", "Bearer new")]);
    let (first, now) = attempt(&scene).await?;
    assert_eq!((&first.url, &first.headers), (&HERE.to_owned(), &own));
    assert_eq!(resent(&scene, now).await?.headers, own);
    // Back at its host, the newest version is the one again; it has no header any more.
    edit(&mut scene, HERE, |next| next.settings.request.headers.clear()).await?;
    assert_eq!(attempt(&scene).await?.0.headers, headers(&[]));
    edit(&mut scene, ELSEWHERE, set("another host")).await?;
    scene.ports().delete(scene.tenant(), scene.subscription.id, None).await?;
    assert_eq!(attempt(&scene).await?.0.headers, headers(&[]));
    assert_eq!(versions(&scene).await?, [Some(2), Some(2), Some(6), Some(6)]);
    Ok(())
}

pub(crate) async fn what_no_version_has_credentials_for_is_signed_and_has_none<E: Engine>() -> StoreResult<()>
{
    let set = [("Authorization", "Bearer x"), ("X-Code", "[[v('code')]]")];
    let elsewhere = |delivery: &mut Delivery| delivery.snapshot.request.url = ELSEWHERE.into();
    let scene = accepted::<E>(&set, elsewhere).await?;
    let (request, _) = attempt(&scene).await?;
    assert_eq!((&request.url, &request.headers), (&ELSEWHERE.to_owned(), &headers(&[("X-Code", "a/b")])));
    assert_eq!(request.secrets, [scene.subscription.secrets.current().clone()]);
    assert_eq!(versions(&scene).await?, [None]);
    Ok(())
}

/// The headers that an earlier version of loanhook stored.
fn stored_whole() -> BTreeMap<String, String> {
    headers(&[("Authorization", "Bearer old"), ("X-Code", "code a/b"), ("X-Gone", "1")])
}

pub(crate) async fn a_delivery_of_an_earlier_version_is_sent_with_live_credentials_and_keeps_none<
    E: Engine,
>() -> StoreResult<()> {
    let set = [("Authorization", "Bearer old"), ("X-Code", "code [[v('code')]]"), ("X-Gone", "1")];
    let whole = |delivery: &mut Delivery| {
        delivery.snapshot.request.headers = FrozenHeaders::WithCredentials(stored_whole());
    };
    let mut scene = accepted::<E>(&set, whole).await?;
    assert_eq!(scene.delivery().await?.snapshot, scene.accepted.snapshot);
    edit(&mut scene, HERE, |next| {
        next.settings.request.headers = headers(&[("Authorization", "Bearer new")]);
    })
    .await?;
    let sent = headers(&[("Authorization", "Bearer new"), ("X-Code", "code a/b")]);
    let (first, now) = attempt(&scene).await?;
    assert_eq!(first.headers, sent);
    let mut without = scene.accepted.snapshot.clone();
    without.request.headers = FrozenHeaders::Rendered(headers(&[("X-Code", "code a/b")]));
    assert_eq!(scene.delivery().await?.snapshot, without);
    assert_eq!(resent(&scene, now).await?.headers, sent);
    assert_eq!(attempt(&scene).await?.0.headers, sent);
    assert_eq!(scene.delivery().await?.snapshot, without);
    assert_eq!(versions(&scene).await?, [Some(2), Some(2), Some(2)]);
    Ok(())
}

pub(crate) async fn without_the_version_that_it_matched_only_what_is_known_to_be_rendered_stays<E: Engine>()
-> StoreResult<()> {
    let set = [("Authorization", "Bearer new"), ("x-code", "[[v('code')]]")];
    let whole = |delivery: &mut Delivery| {
        // A version that is gone.
        delivery.snapshot.subscription_version = 99;
        delivery.snapshot.request.headers = FrozenHeaders::WithCredentials(stored_whole());
    };
    let scene = accepted::<E>(&set, whole).await?;
    let (first, _) = attempt(&scene).await?;
    assert_eq!(first.headers, headers(&[("Authorization", "Bearer new"), ("X-Code", "code a/b")]));
    assert_eq!(versions(&scene).await?, [Some(1)]);
    Ok(())
}

pub(crate) async fn the_newest_version_to_a_host_is_found_among_all_versions<E: Engine>() -> StoreResult<()> {
    let mut scene = accepted::<E>(&[], |_| ()).await?;
    for url in ["https://core.example.com/other", "https://b.example.com/", "https://b.example.com:8443/"] {
        edit(&mut scene, url, |_| ()).await?;
    }
    let check = async |scene: &Scene<E>| {
        for (url, version) in [
            (HERE, Some(2)),
            ("https://CORE.example.com:443/", Some(2)),
            ("https://b.example.com/", Some(3)),
            ("https://b.example.com:8443/", Some(4)),
            ("http://b.example.com/", None),
            ("https://c.example.com/", None),
        ] {
            let origin = Origin::of(url).expect("a host");
            let id = scene.subscription.id;
            let found = scene.ports().newest_version_to(scene.tenant(), id, &origin).await?;
            assert_eq!(found.map(|found| found.version), version, "{url}");
        }
        StoreResult::Ok(())
    };
    check(&scene).await?;
    let deleted = scene.ports().delete(scene.tenant(), scene.subscription.id, None).await?;
    assert_eq!(deleted, DeleteOutcome::Deleted);
    check(&scene).await
}
