//! Subscriptions: what they are now, and every version they had.

use futures_util::future::{join_all, try_join_all};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::{CriteriaInput, Subscription, SubscriptionInput};
use loanhook_core::ports::{DeleteOutcome, ReplaceOutcome, StoreResult, Subscriptions};
use loanhook_core::subscriptions::{ExpectedVersions, SubscriptionError, change};

use crate::engine::Engine;
use crate::scene::{MILLISECOND, SECOND, START, secret, subscription, tenant};

fn acme() -> loanhook_core::model::id::TenantId {
    tenant("acme")
}

async fn one<E: Engine>() -> StoreResult<(E, Subscription)> {
    let engine = E::fresh().await;
    let first = subscription(&acme(), "Core banking", &[300], START);
    assert!(engine.ports().create(first.clone(), 1).await?);
    Ok((engine, first))
}

fn next(current: &Subscription, title: &str) -> Subscription {
    let mut next = current.clone();
    next.version += 1;
    next.settings.title = title.into();
    next
}

/// The subscriptions that are listed, each as it is by itself: with its secrets, which a list may leave out.
async fn listed<E: Engine>(engine: &E) -> StoreResult<Vec<Subscription>> {
    let mut listed = Vec::new();
    for one in engine.ports().subscriptions(&acme()).await?.iter() {
        let whole = engine.ports().subscription(&acme(), one.id).await?.expect("it is listed");
        let one = Subscription { secrets: whole.secrets.clone(), ..(**one).clone() };
        assert_eq!(one, *whole);
        listed.push(one);
    }
    Ok(listed)
}

pub(crate) async fn subscriptions_are_listed_the_oldest_first_as_they_are_now<E: Engine>() -> StoreResult<()>
{
    let (engine, first) = one::<E>().await?;
    let mut all = vec![first];
    for i in 1..5_u32 {
        let title = format!("Webhook {i}");
        all.push(subscription(&acme(), &title, &[], START + i * MILLISECOND));
        assert!(engine.ports().create(all[all.len() - 1].clone(), 10).await?);
    }
    assert_eq!(listed(&engine).await?, all);
    all[1] = next(&all[1], "Edited");
    assert_eq!(engine.ports().replace(all[1].clone()).await?, ReplaceOutcome::Replaced);
    let gone = all.remove(3);
    assert_eq!(engine.ports().delete(&acme(), gone.id, None).await?, DeleteOutcome::Deleted);
    assert_eq!(listed(&engine).await?, all);
    Ok(())
}

pub(crate) async fn every_version_is_kept<E: Engine>() -> StoreResult<()> {
    let (engine, first) = one::<E>().await?;
    let second = next(&first, "Second");
    let third = next(&second, "Third");
    for version in [&second, &third] {
        assert_eq!(engine.ports().replace(version.clone()).await?, ReplaceOutcome::Replaced);
    }
    assert_eq!(engine.ports().delete(&acme(), first.id, None).await?, DeleteOutcome::Deleted);
    for version in [first, second, third] {
        let kept = engine.ports().subscription_version(&acme(), version.id, version.version).await?;
        let kept = kept.expect("the version");
        assert_eq!((kept.version, &kept.settings), (version.version, &version.settings));
        // Its secrets are not kept with it: those of now sign, or those of the last version of a deleted one.
        assert_eq!(kept.secrets.valid(START).is_empty(), version.version < 3);
        let unknown = engine.ports().subscription_version(&acme(), version.id, version.version + 3).await?;
        assert_eq!(unknown, None);
    }
    Ok(())
}

pub(crate) async fn of_concurrent_replacements_of_one_version_one_succeeds<E: Engine>() -> StoreResult<()> {
    let (engine, first) = one::<E>().await?;
    let seconds: Vec<_> = (0..16).map(|i| next(&first, &format!("Writer {i}"))).collect();
    let replaced = try_join_all(seconds.iter().map(|next| engine.ports().replace(next.clone()))).await?;
    let won: Vec<_> = seconds
        .iter()
        .zip(&replaced)
        .filter(|(_, replaced)| **replaced == ReplaceOutcome::Replaced)
        .collect();
    let [(winner, _)] = won.as_slice() else { panic!("{} won", won.len()) };
    assert_eq!(replaced.iter().filter(|replaced| **replaced == ReplaceOutcome::VersionConflict).count(), 15);
    assert_eq!(listed(&engine).await?, std::slice::from_ref(*winner));
    let kept = engine.ports().subscription_version(&acme(), first.id, 2).await?;
    assert_eq!(kept.as_deref(), Some(*winner));
    Ok(())
}

/// Settings with a title, and all else by default.
fn titled(title: String) -> SubscriptionInput {
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    SubscriptionInput::with_defaults(title, criteria, "https://core.example.com/".into())
}

pub(crate) async fn of_concurrent_changes_none_is_lost<E: Engine>() -> StoreResult<()> {
    const WRITERS: u64 = 8;
    let (engine, first) = one::<E>().await?;
    let changes = (0..WRITERS).map(|writer| {
        let title = move |current: &Subscription| Ok(titled(format!("{}+{writer}", current.settings.title)));
        change(engine.ports(), &first.tenant, first.id, &ExpectedVersions::Any, title, "Writer", START)
    });
    for changed in join_all(changes).await {
        changed.expect("each change is made of some version");
    }
    let last = engine.ports().subscription(&acme(), first.id).await?.expect("it is there");
    assert_eq!(last.version, 1 + WRITERS);
    for writer in 0..WRITERS {
        let title = &last.settings.title;
        assert_eq!(title.matches(&format!("+{writer}")).count(), 1, "{title}");
    }
    Ok(())
}

pub(crate) async fn a_change_replaces_an_expected_version_only<E: Engine>() -> StoreResult<()> {
    let (engine, first) = one::<E>().await?;
    let to = async |expected: ExpectedVersions, title: &str| {
        let title = |_: &Subscription| Ok(titled(title.into()));
        change(engine.ports(), &first.tenant, first.id, &expected, title, "Writer", START).await
    };
    let expected = || ExpectedVersions::OneOf(vec![1, 7]);
    let both = join_all([to(expected(), "One"), to(expected(), "Other")]).await;
    let (made, refused): (Vec<_>, Vec<_>) = both.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 1));
    assert!(matches!(refused[0], Err(SubscriptionError::OtherVersion(2))), "{refused:?}");
    let winner = made.into_iter().flatten().next().expect("one was made");
    assert_eq!(listed(&engine).await?, [winner]);

    let none = to(ExpectedVersions::OneOf(vec![]), "Nobody").await;
    assert!(matches!(none, Err(SubscriptionError::OtherVersion(2))), "{none:?}");
    assert_eq!(to(ExpectedVersions::Any, "Any").await.expect("any version").version, 3);
    assert_eq!(engine.ports().delete(&acme(), first.id, None).await?, DeleteOutcome::Deleted);
    let gone = to(ExpectedVersions::OneOf(vec![1]), "Late").await;
    assert!(matches!(gone, Err(SubscriptionError::Unknown)), "{gone:?}");
    Ok(())
}

pub(crate) async fn an_unknown_or_deleted_subscription_cannot_be_replaced<E: Engine>() -> StoreResult<()> {
    let (engine, first) = one::<E>().await?;
    let mut skipping = next(&first, "Third");
    skipping.version += 1;
    for stale in [first.clone(), skipping] {
        assert_eq!(engine.ports().replace(stale).await?, ReplaceOutcome::VersionConflict);
    }
    let mut unknown = next(&first, "Unknown");
    unknown.id = SubscriptionId::at(START);
    assert_eq!(engine.ports().replace(unknown).await?, ReplaceOutcome::NotFound);
    assert_eq!(listed(&engine).await?, std::slice::from_ref(&first));

    assert_eq!(engine.ports().delete(&acme(), first.id, None).await?, DeleteOutcome::Deleted);
    assert_eq!(engine.ports().replace(next(&first, "Late")).await?, ReplaceOutcome::NotFound);
    assert_eq!(listed(&engine).await?, []);
    for gone in [first.id, SubscriptionId::at(START)] {
        assert_eq!(engine.ports().subscription(&acme(), gone).await?, None);
    }
    assert_eq!(engine.ports().subscription_version(&acme(), first.id, 2).await?, None);
    Ok(())
}

pub(crate) async fn a_subscription_is_deleted_at_an_expected_version_only<E: Engine>() -> StoreResult<()> {
    let (engine, first) = one::<E>().await?;
    for (version, expected) in [
        (Some(first.version + 1), DeleteOutcome::VersionConflict),
        (Some(first.version), DeleteOutcome::Deleted),
        (Some(first.version), DeleteOutcome::NotFound),
    ] {
        assert_eq!(engine.ports().delete(&acme(), first.id, version).await?, expected, "{version:?}");
        let is_there = engine.ports().subscription(&acme(), first.id).await?.is_some();
        assert_eq!(is_there, expected == DeleteOutcome::VersionConflict);
    }
    Ok(())
}

pub(crate) async fn a_subscription_is_deleted_once<E: Engine>() -> StoreResult<()> {
    let (engine, first) = one::<E>().await?;
    let acme = acme();
    let deletes = (0..8).map(|_| engine.ports().delete(&acme, first.id, None));
    let deleted = try_join_all(deletes).await?;
    assert_eq!(deleted.iter().filter(|outcome| **outcome == DeleteOutcome::Deleted).count(), 1);
    assert_eq!(engine.ports().delete(&acme, SubscriptionId::at(START), None).await?, DeleteOutcome::NotFound);
    Ok(())
}

pub(crate) async fn the_newest_version_has_the_secrets_even_of_a_deleted_subscription<E: Engine>()
-> StoreResult<()> {
    let (engine, first) = one::<E>().await?;
    let newest = async |version| engine.ports().newest_version(&acme(), first.id, version).await;
    assert_eq!(newest(1).await?.as_deref(), Some(&first));
    let mut rotated = next(&first, "Rotated");
    rotated.secrets.rotate(secret(), START + SECOND);
    assert_eq!(engine.ports().replace(rotated.clone()).await?, ReplaceOutcome::Replaced);
    // A delivery of the first version takes its credentials from what is valid now.
    assert_eq!(newest(1).await?.as_deref(), Some(&rotated));
    assert_eq!(newest(2).await?.as_deref(), Some(&rotated));
    assert_eq!(engine.ports().delete(&acme(), first.id, None).await?, DeleteOutcome::Deleted);
    assert_eq!(newest(1).await?.as_deref(), Some(&rotated));
    assert_eq!(engine.ports().newest_version(&acme(), SubscriptionId::at(START), 1).await?, None);
    Ok(())
}

pub(crate) async fn the_limit_holds_under_concurrent_creates<E: Engine>() -> StoreResult<()> {
    let (engine, first) = one::<E>().await?;
    let many: Vec<_> =
        (0..16).map(|i| subscription(&acme(), &format!("Webhook {i}"), &[], START + SECOND)).collect();
    let created = try_join_all(many.iter().map(|new| engine.ports().create(new.clone(), 5))).await?;
    assert_eq!(created.iter().filter(|created| **created).count(), 4, "one was there before");
    let stored = listed(&engine).await?;
    assert_eq!(stored.len(), 5);
    for (new, created) in many.iter().zip(&created) {
        assert_eq!(stored.contains(new), *created);
    }
    // An edit takes no room, and a deleted one makes room again.
    assert_eq!(engine.ports().replace(next(&first, "Edited")).await?, ReplaceOutcome::Replaced);
    assert_eq!(engine.ports().delete(&acme(), first.id, None).await?, DeleteOutcome::Deleted);
    let last = subscription(&acme(), "Last", &[], START + SECOND);
    assert!(engine.ports().create(last.clone(), 5).await?);
    assert!(!engine.ports().create(subscription(&acme(), "More", &[], START), 5).await?);
    assert!(listed(&engine).await?.contains(&last));
    Ok(())
}
