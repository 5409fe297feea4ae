//! Unreadable data is left out, and hides nothing else.

use loanhook_core::history;
use loanhook_core::intake::{self, Submission};
use loanhook_core::model::filter::HistoryFilter;
use loanhook_core::model::id::EventId;
use loanhook_core::model::key::{Key, KeyHash, KeySource};
use loanhook_core::model::subscription::MAX_SUBSCRIPTIONS;
use loanhook_core::ports::{
    AttemptRange, Attempts, EnvironmentKeyOutcome, Keys, Ledger, StoreResult, Subscriptions,
};

use crate::engine::{Engine, Kept};
use crate::history::{ids, resent};
use crate::scene::{MILLISECOND, SECOND, START, event, loan, subscription, tenant};
use crate::triggers::{IN_TIME, LATE, send, submit, traces, watching, with};

pub(crate) async fn an_unreadable_row_hides_no_other<E: Engine>() -> StoreResult<()> {
    let scene = resent::<E>(6).await?;
    let (loan, mut rows) = (loan("727"), scene.rows().await?);
    let spoilt = [rows.remove(4), rows.remove(3), rows.remove(0)];
    for row in &spoilt {
        scene.engine.spoil(Kept::Row(row));
    }
    let oldest_first = ids(&rows);
    let newest_first: Vec<_> = oldest_first.iter().rev().copied().collect();
    assert_eq!(ids(&scene.rows().await?), oldest_first);
    // As many as there are to be, where some between cannot be read.
    for limit in 1..=5 {
        let (ports, of) = (scene.ports(), scene.tenant());
        let found = ports.rows(of, &loan, None, None, limit).await?;
        assert_eq!(ids(&found), newest_first[..limit.min(4)], "{limit} at once");
        let page = history::page(ports, (of, &loan), &HistoryFilter::default(), None, limit, START).await?;
        assert_eq!(page.rows.len(), limit.min(4));
        assert_eq!(page.next.is_some(), limit < 4, "{limit} a page");
        for (span, expected) in [
            (AttemptRange::OLDEST_FIRST, &oldest_first),
            (AttemptRange::NewestFirst { before: None }, &newest_first),
        ] {
            let (_, part) =
                ports.delivery_with_attempts(of, scene.trace(), span, limit).await?.expect("the delivery");
            assert_eq!(ids(&part), expected[..limit.min(4)], "{limit} at once");
        }
    }
    // Asked for by itself it is there, and cannot be shown.
    for row in &spoilt {
        let failure = scene.ports().row(scene.tenant(), &loan, row.id).await.expect_err("it cannot be read");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
    Ok(())
}

pub(crate) async fn an_unreadable_subscription_hides_no_other_and_can_be_deleted<E: Engine>()
-> StoreResult<()> {
    let acme = tenant("acme");
    let [first, spoilt, last] =
        [0_u32, 1, 2].map(|i| subscription(&acme, &format!("Webhook {i}"), &[], START + i * MILLISECOND));
    let engine = with::<E>(&[&first, &spoilt, &last]).await?;
    engine.spoil(Kept::Subscription(&spoilt));
    let engine = engine.restarted();
    let listed = engine.ports().subscriptions(&acme).await?;
    assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [first.id, last.id]);
    let receipt = send(&engine, "727", IN_TIME, 0).await;
    assert_eq!(receipt.deliveries.len(), 2);

    assert!(engine.ports().delete(&acme, spoilt.id).await?);
    assert!(!engine.ports().delete(&acme, spoilt.id).await?);
    let another = subscription(&acme, "Webhook 3", &[], START + SECOND);
    assert!(engine.ports().create(another, 3).await?, "it counts no more");
    Ok(())
}

pub(crate) async fn an_unreadable_key_hides_no_other<E: Engine>() -> StoreResult<()> {
    let (engine, mut all) = crate::keys::keys::<E>(4).await?;
    let (spoilt, hash) = all.remove(1);
    engine.spoil(Kept::Key(&spoilt, hash));
    let engine = engine.restarted();
    let keys: Vec<_> = all.iter().map(|(key, _)| key.clone()).collect();
    let listed = async |limit| {
        let listed = engine.ports().keys(&spoilt.tenant, None, limit).await?;
        StoreResult::Ok(listed.into_iter().map(|listed| listed.key).collect::<Vec<_>>())
    };
    assert_eq!(listed(10).await?, keys);
    assert_eq!(listed(2).await?, keys[..2]);
    for (key, hash) in &all {
        assert_eq!(engine.ports().key(*hash).await?.as_ref().map(|found| found.id), Some(key.id));
    }
    assert!(!matches!(engine.ports().key(hash).await, Ok(Some(_))), "it opens nothing");
    // Nor does it stop a start that names another.
    let named = Key::admin(spoilt.tenant.clone(), KeySource::Environment, START);
    let ensured = engine.ports().ensure_environment_key(named, KeyHash::of("named")).await?;
    assert!(matches!(ensured, EnvironmentKeyOutcome::Added { .. }), "{ensured:?}");
    assert!(engine.ports().delete_key(&spoilt.tenant, spoilt.id).await?);
    Ok(())
}

pub(crate) async fn an_unreadable_trigger_state_counts_as_unknown<E: Engine>() -> StoreResult<()> {
    let late = watching(0);
    let engine = with::<E>(&[&late]).await?;
    assert_eq!(send(&engine, "727", LATE, 0).await.deliveries.len(), 1);
    assert_eq!(send(&engine, "727", LATE, 1).await.deliveries.len(), 0);
    engine.spoil(Kept::Memory(&late.tenant, &loan("727")));
    // From unknown to true, once.
    assert_eq!(send(&engine, "727", LATE, 2).await.deliveries.len(), 1);
    assert_eq!(send(&engine, "727", LATE, 3).await.deliveries.len(), 0);
    Ok(())
}

pub(crate) async fn an_unreadable_idempotency_record_does_not_allow_a_second_send<E: Engine>()
-> StoreResult<()> {
    let engine = E::fresh().await;
    let acme = tenant("acme");
    let hook = subscription(&acme, "Core banking", &[], START);
    assert!(engine.ports().create(hook, MAX_SUBSCRIPTIONS).await?);
    let submit = || {
        let submission = Submission { event: event("727", "{}"), key: Some("a".to_owned()) };
        intake::accept(engine.ports(), &acme, submission, START)
    };
    submit().await.expect("accepted");
    assert_eq!(engine.drain().await.len(), 1);
    engine.spoil(Kept::Record(&acme, "a"));
    let refused = submit().await.expect_err("whether it was used for the same event is not known");
    assert!(matches!(refused, intake::IntakeError::Store(_)), "{refused:?}");
    assert!(!refused.to_string().contains("secret"), "{refused}");
    assert_eq!(engine.drain().await, []);
    Ok(())
}

pub(crate) async fn an_unreadable_event_hides_no_other_and_a_repeat_of_its_call_is_answered<E: Engine>()
-> StoreResult<()> {
    let (late, acme) = (watching(0), tenant("acme"));
    let engine = with::<E>(&[&late]).await?;
    let first = submit(&engine, "727", LATE, Some("a"), START).await;
    let other = send(&engine, "727", IN_TIME, 1).await;
    let stored = engine.ports().event(&acme, first.event_id).await?.expect("it is kept");
    engine.spoil(Kept::Event(&stored));
    let listed = engine.ports().events(&acme, &loan("727"), None, None, 10).await?;
    assert_eq!(listed.iter().map(|event| event.id).collect::<Vec<_>>(), [other.event_id]);
    let failure = engine.ports().event(&acme, first.event_id).await.expect_err("it cannot be read");
    assert!(!failure.to_string().contains("secret"), "{failure}");

    let again = submit(&engine, "727", LATE, Some("a"), START + SECOND).await;
    assert_eq!((again.event_id, traces(&[again])), (first.event_id, traces(&[first])));
    assert_eq!(
        engine.ports().events(&acme, &loan("727"), None, None, 10).await?,
        listed,
        "nothing was added"
    );
    for (of_loan, id, is_kept) in
        [("727", stored.id, true), ("728", other.event_id, false), ("727", EventId::at(START), false)]
    {
        assert_eq!(engine.ports().has_event(&acme, &loan(of_loan), id).await?, is_kept, "{of_loan} {id}");
        assert!(!engine.ports().has_event(&tenant("other"), &loan(of_loan), id).await?);
    }
    Ok(())
}
