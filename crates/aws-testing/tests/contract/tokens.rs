//! OAuth tokens in the table: one of many instances fetches, the others see what came of it.

use std::time::Duration;

use futures_util::future::try_join_all;
use loanhook_aws::Aws;
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    BeginFetchOutcome, FetchLease, FetchOutcome, StoreResult, StoredToken, TokenKey, Tokens as _,
};
use uuid::Uuid;

fn key(version: u64) -> TokenKey {
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    TokenKey { tenant, subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(1)), version }
}

fn lease(until: Timestamp) -> FetchLease {
    FetchLease { fetch: Uuid::new_v4(), until }
}

fn issued(value: &str, at: Timestamp) -> FetchOutcome {
    let use_until = at + Duration::from_secs(60);
    FetchOutcome { at, result: Ok(StoredToken { value: value.into(), use_until }) }
}

async fn fetched(engine: &Aws, generation: u64, outcome: FetchOutcome) -> StoreResult<()> {
    let (now, lease) = (Timestamp::now(), lease(Timestamp::now() + Duration::from_secs(10)));
    assert_eq!(engine.begin_fetch(&key(1), generation, lease, now).await?, BeginFetchOutcome::Begun);
    engine.end_fetch(&key(1), lease.fetch, outcome).await
}

#[test]
fn of_many_instances_one_fetches() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let instances: Vec<Aws> = (0..20).map(|_| aws.stack.engine()).collect();
        let (now, until) = (Timestamp::now(), Timestamp::now() + Duration::from_secs(10));
        let key = &key(1);
        let begin = |engine: &Aws| {
            let engine = engine.clone();
            async move { engine.begin_fetch(key, 0, lease(until), now).await }
        };
        let begun = try_join_all(instances.iter().map(begin)).await?;
        assert_eq!(begun.iter().filter(|outcome| **outcome == BeginFetchOutcome::Begun).count(), 1);
        for outcome in begun {
            let BeginFetchOutcome::NotBegun(record) = outcome else { continue };
            assert_eq!((record.generation, record.outcome, record.fetching_until), (0, None, Some(until)));
        }
        Ok(())
    });
}

#[test]
fn every_instance_sees_how_a_fetch_ended_and_none_fetches_that_again() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let (one, other) = (aws.stack.engine(), aws.stack.engine());
        assert_eq!(other.token(&key(1)).await?, Default::default());
        let first = issued("the-first-token", Timestamp::now());
        fetched(&one, 0, first.clone()).await?;
        for engine in [&one, &other] {
            let record = engine.token(&key(1)).await?;
            assert_eq!(
                (record.generation, record.outcome, record.fetching_until),
                (1, Some(first.clone()), None)
            );
        }
        assert_eq!(other.token(&key(2)).await?, Default::default(), "another version has another token");
        let until = Timestamp::now() + Duration::from_secs(10);
        let late = other.begin_fetch(&key(1), 0, lease(until), Timestamp::now()).await?;
        assert!(matches!(late, BeginFetchOutcome::NotBegun(record) if record.generation == 1));
        assert_eq!(other.token(&key(1)).await?.generation, 1);
        // A receiver refused the token: one fetches another, and who still knows the old one learns it from its own refusal.
        let second = issued("the-second-token", Timestamp::now());
        fetched(&one, 1, second.clone()).await?;
        assert_eq!(other.token(&key(1)).await?.generation, 1, "it is kept while it may be used");
        let refused = other.begin_fetch(&key(1), 1, lease(until), Timestamp::now()).await?;
        assert!(
            matches!(refused, BeginFetchOutcome::NotBegun(record) if record.outcome == Some(second.clone()))
        );
        assert_eq!(other.token(&key(1)).await?.outcome, Some(second));
        Ok(())
    });
}

#[test]
fn a_failure_is_seen_and_the_next_fetch_begins_behind_it() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let engine = aws.ports();
        let failure = Failure::at(Phase::Prepare, ErrorKind::Auth, "no token could be had");
        let failed = FetchOutcome { at: Timestamp::now(), result: Err(failure) };
        fetched(engine, 0, failed.clone()).await?;
        assert_eq!(aws.stack.engine().token(&key(1)).await?.outcome, Some(failed));
        let good = issued("the-second-token", Timestamp::now());
        fetched(engine, 1, good.clone()).await?;
        let record = engine.token(&key(1)).await?;
        assert_eq!((record.generation, record.outcome), (2, Some(good)));
        Ok(())
    });
}

#[test]
fn the_lease_of_an_instance_that_died_ends() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let engine = aws.ports();
        let now = Timestamp::now();
        let until = now + Duration::from_secs(10);
        let (dead, next) = (lease(until), lease(until + Duration::from_secs(10)));
        assert_eq!(engine.begin_fetch(&key(1), 0, dead, now).await?, BeginFetchOutcome::Begun);
        assert_eq!(engine.begin_fetch(&key(1), 0, next, until).await?, BeginFetchOutcome::Begun);
        // What it says after that changes nothing.
        engine.end_fetch(&key(1), dead.fetch, issued("the-late-token", now)).await?;
        assert_eq!(engine.token(&key(1)).await?.generation, 0);
        engine.end_fetch(&key(1), next.fetch, issued("a-token-of-ours", now)).await?;
        let record = engine.token(&key(1)).await?;
        assert_eq!(record.outcome, Some(issued("a-token-of-ours", now)));
        // The item outlives its token, and no longer.
        let id = key(1).subscription_id;
        let item = aws.stack.item(&format!("Y#acme#{id}#1"), "-").await.expect("the item");
        let expires: i64 = item["expires"].as_n().expect("a number").parse().expect("seconds");
        assert!(expires > (now + Duration::from_secs(60)).seconds());
        assert!(!item.contains_key("fetch") && !item.contains_key("fetchUntil"));
        Ok(())
    });
}
