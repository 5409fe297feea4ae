//! Versions of a subscription, as people read them: page by page, with who made each.

use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::{Setting, Subscription};
use loanhook_core::ports::{DeleteOutcome, ReplaceOutcome, StoreResult, Subscriptions};
use loanhook_core::subscription_versions::{VersionChange, compare, page};
use loanhook_core::subscriptions::{ExpectedVersions, rotate_secret};

use crate::engine::Engine;
use crate::scene::{SECOND, START, subscription, tenant};

/// A subscription with so many versions, each of another title and by another person.
async fn versions<E: Engine>(engine: &E, count: u64) -> StoreResult<Vec<Subscription>> {
    let mut one = subscription(&tenant("acme"), "Version 1", &[300], START);
    assert!(engine.ports().create(one.clone(), 10).await?);
    let mut all = vec![one.clone()];
    for version in 2..=count {
        one.version = version;
        one.settings.title = format!("Version {version}");
        one.updated_by = Some(format!("Person {version}"));
        assert_eq!(engine.ports().replace(one.clone()).await?, ReplaceOutcome::Replaced);
        all.push(one.clone());
    }
    Ok(all)
}

pub(crate) async fn versions_are_read_page_by_page_the_newest_first<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let all = versions(&engine, 13).await?;
    let other = subscription(&tenant("acme"), "Another", &[], START + SECOND);
    assert!(engine.ports().create(other, 10).await?);
    let of = (&tenant("acme"), all[0].id);
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = engine.ports().subscription_versions(of.0, of.1, before, 5).await?;
        before = page.last().map(|last| last.version);
        let is_last = page.len() < 5;
        read.extend(page);
        if is_last {
            break;
        }
    }
    let told = |one: &Subscription| (one.version, one.settings.clone(), one.updated_by.clone());
    let read: Vec<_> = read.iter().map(|one| told(one)).collect();
    assert_eq!(read, all.iter().rev().map(told).collect::<Vec<_>>());
    assert_eq!(engine.ports().subscription_versions(of.0, of.1, Some(1), 5).await?, []);
    // A deleted one has them still. Another tenant, and another ID, have none.
    assert_eq!(engine.ports().delete(of.0, of.1, None).await?, DeleteOutcome::Deleted);
    assert_eq!(engine.ports().subscription_versions(of.0, of.1, None, 50).await?.len(), 13);
    for (tenant, id) in
        [(tenant("other"), of.1), (tenant("acme"), SubscriptionId::at(START + SECOND + SECOND))]
    {
        assert_eq!(engine.ports().subscription_versions(&tenant, id, None, 5).await?, []);
    }
    Ok(())
}

pub(crate) async fn what_changed_is_told_of_each_version_and_between_two<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let all = versions(&engine, 3).await?;
    let of = (&tenant("acme"), all[0].id);
    let rotated = rotate_secret(engine.ports(), of.0, of.1, &ExpectedVersions::Any, "Ann", START + SECOND)
        .await
        .expect("a new secret");
    assert_eq!((rotated.version, rotated.updated_by.as_deref()), (4, Some("Ann")));
    let settings_of = |change: &VersionChange| match change {
        VersionChange::Settings(changed) => changed.iter().map(|one| one.setting).collect(),
        _ => Vec::new(),
    };
    let first = page(engine.ports(), of, None, 2).await?;
    assert_eq!(first.versions[0].change, VersionChange::SigningSecret);
    assert_eq!(
        settings_of(&first.versions[1].change),
        [Setting::Title],
        "of the one that is on the next page"
    );
    let second = page(engine.ports(), of, first.next, 2).await?;
    assert_eq!(second.versions[1].change, VersionChange::Created);
    assert_eq!((first.next, second.next), (Some(3), None));

    for (from, to, changed, secret) in
        [(1, 3, &[Setting::Title][..], false), (2, 4, &[Setting::Title], true), (3, 4, &[], true)]
    {
        let compared = compare(engine.ports(), of, (from, to)).await?.expect("both are kept");
        let settings: Vec<_> = compared.changes.iter().map(|one| one.setting).collect();
        assert_eq!((&*settings, compared.secret_rotated), (changed, Some(secret)), "{from} to {to}");
    }
    for (from, to) in [(2, 2), (3, 2), (1, 5), (0, 1)] {
        assert!(compare(engine.ports(), of, (from, to)).await?.is_none(), "{from} to {to}");
    }
    Ok(())
}
