//! API keys, found by their hash.

use futures_util::future::try_join_all;
use loanhook::model::id::KeyId;
use loanhook::model::key::{Key, KeyHash, Scope};
use loanhook::ports::{Keys, Stored};

use crate::engine::Engine;
use crate::scene::{MILLISECOND, START, tenant};

/// An engine with so many keys, the oldest first, each with its hash.
pub(crate) async fn keys<E: Engine>(count: u32) -> Stored<(E, Vec<(Key, KeyHash)>)> {
    let engine = E::fresh().await;
    let mut all = Vec::new();
    for i in 0..count {
        let created_at = START + i * MILLISECOND;
        let scopes = Scope::ALL.into_iter().take(i as usize).collect();
        let name = format!("Key {i}");
        let key = Key { id: KeyId::at(created_at), tenant: tenant("acme"), name, scopes, created_at };
        let hash = KeyHash::of(&key.name);
        engine.ports().add_key(key.clone(), hash).await?;
        all.push((key, hash));
    }
    Ok((engine, all))
}

pub(crate) async fn a_key_is_found_by_its_hash_alone<E: Engine>() -> Stored<()> {
    let (engine, all) = keys::<E>(4).await?;
    for (key, hash) in all {
        assert_eq!(engine.ports().key(hash).await?.as_deref(), Some(&key));
    }
    assert_eq!(engine.ports().key(KeyHash::of("Key 4")).await?, None);
    Ok(())
}

pub(crate) async fn keys_are_listed_in_pages_the_oldest_first<E: Engine>() -> Stored<()> {
    let (engine, all) = keys::<E>(7).await?;
    let all: Vec<_> = all.into_iter().map(|(key, _)| key).collect();
    for limit in [1, 3, 7, 8] {
        let (mut after, mut listed) = (None, Vec::new());
        loop {
            let page = engine.ports().keys(&tenant("acme"), after, limit).await?;
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            listed.extend(page);
        }
        assert_eq!(listed, all, "{limit} a page");
    }
    Ok(())
}

pub(crate) async fn a_deleted_key_is_gone_at_once<E: Engine>() -> Stored<()> {
    let (engine, mut all) = keys::<E>(3).await?;
    let (gone, hash) = all.remove(1);
    let acme = tenant("acme");
    let deleted = try_join_all((0..8).map(|_| engine.ports().delete_key(&acme, gone.id))).await?;
    assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
    assert_eq!(engine.ports().key(hash).await?, None);
    let kept: Vec<_> = all.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(engine.ports().keys(&acme, None, 10).await?, kept);
    for (key, hash) in all {
        assert_eq!(engine.ports().key(hash).await?.as_deref(), Some(&key));
    }
    Ok(())
}
