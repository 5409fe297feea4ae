//! API keys, found by their hash.

use std::time::Duration;

use futures_util::future::try_join_all;
use loanhook_core::keys::{KeyError, authenticate, delete};
use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::model::key::{Key, KeyHash, KeySource, Scope};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EnvironmentKeyOutcome, Keys, ListedKey, StoreResult};

use crate::engine::Engine;
use crate::scene::{MILLISECOND, SECOND, START, tenant};

const HOUR: Duration = Duration::from_secs(3600);

/// An engine with so many keys, the oldest first, each with its hash.
pub(crate) async fn keys<E: Engine>(count: u32) -> StoreResult<(E, Vec<(Key, KeyHash)>)> {
    let engine = E::fresh().await;
    let mut all = Vec::new();
    for i in 0..count {
        let scopes = Scope::ALL.into_iter().take(i as usize).collect();
        let key = Key::new(tenant("acme"), format!("Key {i}"), scopes, START + i * MILLISECOND);
        let hash = KeyHash::of(&key.name);
        engine.ports().add_key(key.clone(), hash).await?;
        all.push((key, hash));
    }
    Ok((engine, all))
}

async fn listed<E: Engine>(engine: &E, of: &TenantId) -> StoreResult<Vec<Key>> {
    let listed = engine.ports().keys(of, None, 100).await?;
    Ok(listed.into_iter().map(|listed| listed.key).collect())
}

pub(crate) async fn a_key_is_found_by_its_hash_alone<E: Engine>() -> StoreResult<()> {
    let (engine, all) = keys::<E>(4).await?;
    for (key, hash) in all {
        assert_eq!(engine.ports().key(hash).await?.as_deref(), Some(&key));
        assert_eq!(engine.ports().listed_key(&key.tenant, key.id).await?.as_ref(), Some(&key));
    }
    assert_eq!(engine.ports().key(KeyHash::of("Key 4")).await?, None);
    assert_eq!(engine.ports().listed_key(&tenant("acme"), KeyId::at(START)).await?, None);
    Ok(())
}

pub(crate) async fn keys_are_listed_in_pages_the_oldest_first<E: Engine>() -> StoreResult<()> {
    let (engine, all) = keys::<E>(7).await?;
    let all: Vec<_> = all.into_iter().map(|(key, _)| ListedKey { key, last_used_at: None }).collect();
    for limit in [1, 3, 7, 8] {
        let (mut after, mut listed) = (None, Vec::new());
        loop {
            let page = engine.ports().keys(&tenant("acme"), after, limit).await?;
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(last.key.id);
            listed.extend(page);
        }
        assert_eq!(listed, all, "{limit} a page");
    }
    Ok(())
}

pub(crate) async fn a_deleted_key_is_gone_at_once<E: Engine>() -> StoreResult<()> {
    let (engine, mut all) = keys::<E>(3).await?;
    let (gone, hash) = all.remove(1);
    let acme = tenant("acme");
    let deleted = try_join_all((0..8).map(|_| engine.ports().delete_key(&acme, gone.id))).await?;
    assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
    assert_eq!(engine.ports().key(hash).await?, None);
    assert_eq!(engine.ports().listed_key(&acme, gone.id).await?, None);
    let kept: Vec<_> = all.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(listed(&engine, &acme).await?, kept);
    for (key, hash) in all {
        assert_eq!(engine.ports().key(hash).await?.as_deref(), Some(&key));
    }
    Ok(())
}

pub(crate) async fn a_key_is_valid_until_its_end_and_is_listed_after_it<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let end = START + SECOND;
    let key =
        Key { expires_at: Some(end), ..Key::new(tenant("acme"), "CI".into(), vec![Scope::Admin], START) };
    engine.ports().add_key(key.clone(), KeyHash::of("lh_ci")).await?;
    // The second look at each time is at a cache.
    for (at, opens) in
        [(START, true), (START + (SECOND - MILLISECOND), true), (end, false), (end + HOUR, false)]
    {
        for _ in 0..2 {
            assert_eq!(
                authenticate(engine.ports(), KeyHash::of("lh_ci"), at).await?.is_some(),
                opens,
                "{at}"
            );
        }
    }
    assert_eq!(listed(&engine, &key.tenant).await?, [key]);
    Ok(())
}

pub(crate) async fn the_last_use_of_a_key_is_listed_to_the_hour<E: Engine>() -> StoreResult<()> {
    let (engine, all) = keys::<E>(2).await?;
    let uses = async || -> StoreResult<Vec<Option<Timestamp>>> {
        engine.finish().await;
        let listed = engine.ports().keys(&tenant("acme"), None, 10).await?;
        Ok(listed.into_iter().map(|listed| listed.last_used_at).collect())
    };
    assert_eq!(uses().await?, [None, None]);
    // A clock that was set back takes nothing back.
    for (at, shown) in [
        (START + 59 * SECOND, START),
        (START + (HOUR - MILLISECOND), START),
        (START + HOUR, START + HOUR),
        (START + 5 * SECOND, START + HOUR),
    ] {
        assert!(authenticate(engine.ports(), all[1].1, at).await?.is_some());
        assert_eq!(uses().await?, [None, Some(shown)], "{at}");
    }
    // A key that does not stand is not used by who shows it.
    engine.ports().delete_key(&tenant("acme"), all[0].0.id).await?;
    assert!(authenticate(engine.ports(), all[0].1, START).await?.is_none());
    assert_eq!(uses().await?, [Some(START + HOUR)]);
    Ok(())
}

pub(crate) async fn an_admin_deletes_all_keys_but_an_operators<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let of = tenant("acme");
    let key = |scopes: &[Scope]| Key::new(of.clone(), format!("{scopes:?}"), scopes.to_vec(), START);
    let (admin, operator) = (key(&[Scope::Admin]), key(&Scope::ALL));
    let sends = key(&[Scope::EventsWrite]);
    for key in [&admin, &operator, &sends] {
        engine.ports().add_key(key.clone(), KeyHash::of(&key.name)).await?;
    }
    let refused = delete(engine.ports(), &admin.scopes, &of, operator.id).await;
    assert!(matches!(refused, Err(KeyError::Above)), "{refused:?}");
    let refused = delete(engine.ports(), &sends.scopes, &of, sends.id).await;
    assert!(matches!(refused, Err(KeyError::Above)), "{refused:?}");
    assert_eq!(listed(&engine, &of).await?.len(), 3);
    for (caller, key) in [(&admin, &sends), (&operator, &admin), (&operator, &operator)] {
        delete(engine.ports(), &caller.scopes, &of, key.id).await.expect("deleted");
        let gone = delete(engine.ports(), &caller.scopes, &of, key.id).await;
        assert!(matches!(gone, Err(KeyError::Unknown)), "{gone:?}");
    }
    Ok(())
}

/// Has the environment name this key.
async fn name<E: Engine>(engine: &E, text: &str, at: Timestamp) -> StoreResult<EnvironmentKeyOutcome> {
    let key = Key::admin(tenant("default"), KeySource::Environment, at);
    engine.ports().ensure_environment_key(key, KeyHash::of(text)).await
}

fn ended(ensured: &EnvironmentKeyOutcome) -> usize {
    match ensured {
        EnvironmentKeyOutcome::Added { ended } => ended.len(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn the_environment_names_one_key<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let other = Key::admin(tenant("default"), KeySource::FirstStart, START);
    engine.ports().add_key(other.clone(), KeyHash::of("lh_first_start")).await?;
    assert_eq!(ended(&name(&engine, "lh_one", START).await?), 0);
    assert_eq!(name(&engine, "lh_one", START + SECOND).await?, EnvironmentKeyOutcome::Unchanged);
    let one = engine.ports().key(KeyHash::of("lh_one")).await?.expect("made");
    assert!(one.has_every_scope() && one.name != other.name, "{one:?}");

    assert_eq!(
        name(&engine, "lh_two", START + SECOND).await?,
        EnvironmentKeyOutcome::Added { ended: vec![(*one).clone()] }
    );
    assert_eq!(engine.ports().key(KeyHash::of("lh_one")).await?, None);
    let two = engine.ports().key(KeyHash::of("lh_two")).await?.expect("made");
    assert_eq!(listed(&engine, &other.tenant).await?, [other.clone(), (*two).clone()]);
    assert_eq!(engine.ports().key(KeyHash::of("lh_first_start")).await?.as_deref(), Some(&other));

    // Whoever goes back to the one before has it again.
    assert_eq!(ended(&name(&engine, "lh_one", START + 2 * SECOND).await?), 1);
    assert_eq!(engine.ports().key(KeyHash::of("lh_two")).await?, None);
    assert!(engine.ports().key(KeyHash::of("lh_one")).await?.is_some());
    assert_eq!(listed(&engine, &other.tenant).await?.len(), 2);
    Ok(())
}

pub(crate) async fn a_key_that_was_deleted_does_not_come_back_by_the_environment<E: Engine>()
-> StoreResult<()> {
    let engine = E::fresh().await;
    name(&engine, "lh_one", START).await?;
    let one = engine.ports().key(KeyHash::of("lh_one")).await?.expect("made");
    assert!(engine.ports().delete_key(&one.tenant, one.id).await?);
    for _ in 0..2 {
        assert_eq!(name(&engine, "lh_one", START + SECOND).await?, EnvironmentKeyOutcome::Deleted);
        assert_eq!(engine.ports().key(KeyHash::of("lh_one")).await?, None);
    }
    assert_eq!(listed(&engine, &one.tenant).await?, []);
    assert_eq!(ended(&name(&engine, "lh_two", START + SECOND).await?), 0);
    // What it would have ended stays.
    assert_eq!(name(&engine, "lh_one", START + SECOND).await?, EnvironmentKeyOutcome::Deleted);
    assert!(engine.ports().key(KeyHash::of("lh_two")).await?.is_some());
    Ok(())
}

pub(crate) async fn what_the_environment_names_has_every_scope<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let of = tenant("default");
    let reads = Key::new(of.clone(), "Reader".into(), vec![Scope::HistoryRead], START);
    let elsewhere = Key::new(tenant("acme"), "Reader".into(), vec![Scope::HistoryRead], START);
    for (key, text) in [(&reads, "lh_reads"), (&elsewhere, "lh_elsewhere")] {
        engine.ports().add_key(key.clone(), KeyHash::of(text)).await?;
        assert!(engine.ports().key(KeyHash::of(text)).await?.is_some(), "it is in caches now");
        name(&engine, text, START + SECOND).await?;
        let named = engine.ports().key(KeyHash::of(text)).await?.expect("there");
        assert!(named.is_environment_key(&of), "{named:?}");
        // There is one key of this hash, listed once.
        assert_eq!(listed(&engine, &of).await?, [(*named).clone()]);
    }
    assert_eq!(listed(&engine, &elsewhere.tenant).await?, []);
    Ok(())
}
