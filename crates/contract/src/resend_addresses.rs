//! Resends to the current address: what was sent, to the URL that the subscription has now.

use std::collections::BTreeMap;

use loanhook_core::current_address::NoAddress;
use loanhook_core::model::attempt::{Attempt, ResendTo};
use loanhook_core::model::id::{AttemptId, EventId};
use loanhook_core::model::payload::Payload;
use loanhook_core::model::subscription::{Method, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    DeleteOutcome, Ledger, ReplaceOutcome, StoreResult, Subscriptions, WebhookRequest,
};
use loanhook_core::resend::{ResendError, ResendRequest, ResendTarget, resend};

use crate::engine::Engine;
use crate::resends::failed;
use crate::scene::{LEASE, SECOND, START, Scene, attempt_message, delivery_of, subscription, tenant};
use crate::triggers::{send, with};

const CONTEXT: &str = r#"{"code": "a/b", "amount": 250.00}"#;

pub(crate) fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A delivery of an event of the ledger, which failed once and has a retry after 300 seconds.
pub async fn failed_once<E: Engine>() -> StoreResult<Scene<E>> {
    let mut subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
    subscription.settings.request.url = "https://core.example.com/hooks/[[v('loan-id')]]".into();
    subscription.settings.request.headers =
        headers(&[("Authorization", "Bearer old"), ("X-Code", "code [[v('code')]]")]);
    let engine = with::<E>(&[&subscription]).await?;
    let receipt = send(&engine, "727", CONTEXT, 0).await;
    let first = engine.receive().await;
    let accepted = delivery_of(engine.ports(), &subscription.tenant, receipt.deliveries[0].trace_id).await?;
    let scene = Scene { engine, subscription, accepted: accepted.expect("the delivery"), first };
    scene.attempt(Ok(500), START).await?;
    Ok(scene)
}

/// The subscription in its next version, with this URL.
pub(crate) async fn edit<E: Engine>(
    scene: &mut Scene<E>,
    url: &str,
    change: impl FnOnce(&mut Subscription),
) -> StoreResult<()> {
    let mut next = scene.subscription.clone();
    next.version += 1;
    next.settings.request.url = url.into();
    change(&mut next);
    assert_eq!(scene.ports().replace(next.clone()).await?, ReplaceOutcome::Replaced);
    scene.subscription = next;
    Ok(())
}

async fn ask<E: Engine>(
    scene: &Scene<E>,
    to: ResendTo,
    key: Option<&str>,
    now: Timestamp,
) -> Result<AttemptId, ResendError> {
    let request = ResendRequest {
        trace_id: scene.trace(),
        attempt: ResendTarget::Newest,
        to,
        requested_by: "Servicing".into(),
        key: key.map(str::to_owned),
    };
    resend(scene.ports(), scene.tenant(), request, now).await
}

async fn row<E: Engine>(scene: &Scene<E>, id: AttemptId) -> StoreResult<Attempt> {
    Ok(scene.rows().await?.into_iter().find(|row| row.id == id).expect("its row"))
}

/// Sends the resend that is queued; what left.
async fn sent<E: Engine>(scene: &Scene<E>, now: Timestamp) -> StoreResult<WebhookRequest> {
    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(scene.engine.receive().await, now).await?;
    let [request] = deliver.sender.take_sent().try_into().expect("one request");
    Ok(request)
}

pub(crate) async fn a_resend_to_the_current_address_sends_what_was_sent_there<E: Engine>() -> StoreResult<()>
{
    let mut scene = failed_once::<E>().await?;
    let url = "https://new.example.com/in/[[v('code')]]?at=[[v('occurred-at')]]&of=[[v('trace-id')]]";
    let changed = |next: &mut Subscription| {
        let request = &mut next.settings.request;
        request.headers = headers(&[
            ("authorization", "Bearer new"),
            ("x-code", "another"),
            ("X-Later", "[[v('code')]]"),
            ("X-New", "yes"),
        ]);
        (request.method, request.payload) = (Method::Put, Some("{}".into()));
    };
    edit(&mut scene, url, changed).await?;
    let before = scene.delivery().await?.progress;

    let id = ask(&scene, ResendTo::Current, None, START + 2 * SECOND).await.expect("asked");
    let address =
        format!("https://new.example.com/in/a%2Fb?at=2020-01-01T10%3A00%3A00Z&of={}", scene.trace());
    let asked = row(&scene, id).await?;
    assert_eq!(
        (&asked.destination, asked.resend_to(), asked.address_version),
        (&address, ResendTo::Current, Some(2))
    );
    // What is changed after it was asked for does not change where it goes, nor what goes with it.
    edit(&mut scene, "https://newest.example.com/", |next| next.settings.request.headers.clear()).await?;
    let deleted = scene.ports().delete(scene.tenant(), scene.subscription.id, None).await?;
    assert_eq!(deleted, DeleteOutcome::Deleted);

    let request = sent(&scene, START + 3 * SECOND).await?;
    let frozen = &scene.accepted.snapshot.request;
    assert_eq!((&request.url, request.method, request.attempt_id), (&address, Method::Post, id));
    assert_eq!((Payload::of(&request.body), &request.content_type), (frozen.payload, &frozen.content_type));
    // A header with placeholders is as it was rendered; a credential goes to no host that it was not given for.
    let expected = headers(&[("X-Code", "code a/b"), ("X-New", "yes"), ("authorization", "Bearer new")]);
    assert_eq!(request.headers, expected);
    let ended = row(&scene, id).await?;
    assert_eq!((&ended.destination, ended.address_version), (&address, Some(2)));

    // The schedule goes on, to where it always went.
    let delivery = scene.delivery().await?;
    assert_eq!((delivery.progress, &delivery.snapshot), (before, &scene.accepted.snapshot));
    let next = before.waiting().expect("a retry");
    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(attempt_message(&scene.accepted, next.number, next.due), next.due).await?;
    let retries = deliver.sender.take_sent();
    let [retry] = retries.as_slice() else { panic!("{} retries", retries.len()) };
    let expected = headers(&[("Authorization", "Bearer old"), ("X-Code", "code a/b")]);
    assert_eq!((&retry.url, &retry.headers), (&frozen.url, &expected));
    Ok(())
}

pub(crate) async fn without_an_edit_the_current_address_is_the_original_one<E: Engine>() -> StoreResult<()> {
    let scene = failed_once::<E>().await?;
    let id = ask(&scene, ResendTo::Current, None, START + 2 * SECOND).await.expect("asked");
    let frozen = &scene.accepted.snapshot.request;
    assert_eq!(row(&scene, id).await?.destination, frozen.url);
    let request = sent(&scene, START + 3 * SECOND).await?;
    let expected = headers(&[("Authorization", "Bearer old"), ("X-Code", "code a/b")]);
    assert_eq!((&request.url, &request.headers), (&frozen.url, &expected));

    let id = ask(&scene, ResendTo::Original, None, START + 5 * SECOND).await.expect("asked");
    assert_eq!(row(&scene, id).await?.resend_to(), ResendTo::Original);
    Ok(())
}

pub(crate) async fn a_resend_to_the_current_address_is_refused_where_there_is_none<E: Engine>()
-> StoreResult<()> {
    let mut scene = failed_once::<E>().await?;
    let before = scene.rows().await?;
    let now = START + 2 * SECOND;
    let reason = async |scene: &Scene<E>| match ask(scene, ResendTo::Current, Some("a"), now).await {
        Err(ResendError::NoAddress(reason)) => reason,
        other => panic!("{other:?}"),
    };
    edit(&mut scene, "https://new.example.com/[[v('missing')]]", |_| ()).await?;
    let unrenderable = reason(&scene).await;
    assert!(
        matches!(&unrenderable, NoAddress::Unrenderable(why) if why.contains("`missing`")),
        "{unrenderable:?}"
    );

    edit(&mut scene, "https://new.example.com/", |_| ()).await?;
    let event_id: EventId = scene.accepted.snapshot.event_id;
    let event = scene.ports().event(scene.tenant(), event_id).await?.expect("the event");
    scene.engine.lose_payload(scene.tenant(), event.context.payload);
    assert_eq!(reason(&scene).await, NoAddress::EventGone);

    scene.ports().delete(scene.tenant(), scene.subscription.id, None).await?;
    assert_eq!(reason(&scene).await, NoAddress::SubscriptionDeleted);
    assert_eq!(scene.rows().await?, before);
    assert_eq!(scene.engine.drain().await, []);
    assert_eq!(scene.delivery().await?.history.resends, 0);
    // What was refused used up no key, and the original address is as it was.
    ask(&scene, ResendTo::Original, Some("a"), now).await.expect("asked");

    // An event that the ledger does not keep.
    let scene = failed::<E>(&[]).await?;
    assert_eq!(reason(&scene).await, NoAddress::EventGone);
    Ok(())
}

pub(crate) async fn an_idempotency_key_of_a_resend_names_its_address<E: Engine>() -> StoreResult<()> {
    let mut scene = failed_once::<E>().await?;
    edit(&mut scene, "https://new.example.com/", |_| ()).await?;
    let now = START + 2 * SECOND;
    let current = ask(&scene, ResendTo::Current, Some("current"), now).await.expect("asked");
    let original = ask(&scene, ResendTo::Original, Some("original"), now).await.expect("asked");
    let refused = |answer: Result<AttemptId, ResendError>| match answer {
        Err(ResendError::KeyReused) => (),
        other => panic!("{other:?}"),
    };
    let check = async |scene: &Scene<E>| {
        let again = async |to, key| ask(scene, to, Some(key), now + SECOND).await;
        assert_eq!(again(ResendTo::Current, "current").await.expect("known"), current);
        assert_eq!(again(ResendTo::Original, "original").await.expect("known"), original);
        refused(again(ResendTo::Original, "current").await);
        refused(again(ResendTo::Current, "original").await);
    };
    check(&scene).await;
    // Also where there is no current address any more.
    edit(&mut scene, "https://new.example.com/[[v('missing')]]", |_| ()).await?;
    check(&scene).await;
    scene.ports().delete(scene.tenant(), scene.subscription.id, None).await?;
    check(&scene).await;
    let refused = ask(&scene, ResendTo::Current, Some("new"), now).await;
    assert!(matches!(refused, Err(ResendError::NoAddress(NoAddress::SubscriptionDeleted))), "{refused:?}");

    assert_eq!(scene.rows().await?.len(), 3);
    assert_eq!(row(&scene, current).await?.destination, "https://new.example.com/");
    assert_eq!(row(&scene, original).await?.destination, scene.accepted.snapshot.request.url);
    assert_eq!(scene.delivery().await?.history.resends, 2);
    Ok(())
}
