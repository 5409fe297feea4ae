//! OAuth tokens in the table: one of many instances fetches, the others see what came of it.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use loanhook_aws::Aws;
use loanhook_aws_testing::fault_proxy::{BROKEN, THROTTLED};
use loanhook_aws_testing::{AwsEngine, FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    BeginFetchOutcome, FetchLease, FetchOutcome, StoreResult, StoredToken, TokenKey, Tokens as _,
};
use uuid::Uuid;

use crate::settings::put;

fn key(version: u64) -> TokenKey {
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    TokenKey { tenant, subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(1)), version }
}

fn lease(until: Timestamp) -> FetchLease {
    FetchLease { fetch: Uuid::new_v4(), until }
}

fn lease_of(lease: FetchLease, until: Timestamp) -> FetchLease {
    FetchLease { until, ..lease }
}

fn issued(value: &str, at: Timestamp) -> FetchOutcome {
    let use_until = at + Duration::from_secs(60);
    FetchOutcome { at, result: Ok(StoredToken { value: value.into(), use_until }) }
}

async fn fetched(engine: &Aws, generation: u64, outcome: FetchOutcome) -> StoreResult<()> {
    let (now, lease) = (Timestamp::now(), lease(Timestamp::now() + Duration::from_secs(10)));
    assert_eq!(engine.begin_fetch(&key(1), generation, lease, now).await?, BeginFetchOutcome::Begun);
    engine.end_fetch(&key(1), lease.fetch, Some(outcome)).await
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
fn what_has_expired_is_no_news_and_another_fetch_begins_behind_it() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let long_ago = Timestamp::from_millis(Timestamp::now().millis() - 3 * 3_600_000);
        let detail = "the endpoint was down".to_owned();
        let failure = Failure::at(Phase::Prepare, ErrorKind::Auth, detail);
        fetched(&aws.stack.engine(), 0, FetchOutcome { at: long_ago, result: Err(failure) }).await?;
        let (engine, now) = (aws.stack.engine(), Timestamp::now());
        let seen = engine.token(&key(1)).await?;
        assert_eq!(seen.generation, 1, "DynamoDB has not deleted it yet");
        let lease = lease(now + Duration::from_secs(10));
        let begun = engine.begin_fetch(&key(1), seen.generation, lease, now).await?;
        assert_eq!(begun, BeginFetchOutcome::Begun);
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
        engine.extend_fetch(&key(1), lease_of(dead, next.until + Duration::from_secs(60))).await?;
        engine.end_fetch(&key(1), dead.fetch, Some(issued("the-late-token", now))).await?;
        let record = engine.token(&key(1)).await?;
        assert_eq!((record.generation, record.fetching_until), (0, Some(next.until)));
        engine.end_fetch(&key(1), next.fetch, Some(issued("a-token-of-ours", now))).await?;
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

#[test]
fn a_lease_is_extended_while_its_fetch_is_under_way_and_not_after_that() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let (engine, other, now) = (aws.ports(), aws.stack.engine(), Timestamp::now());
        let short = lease(now + Duration::from_secs(6));
        assert_eq!(engine.begin_fetch(&key(1), 0, short, now).await?, BeginFetchOutcome::Begun);
        let extended = short.until + Duration::from_secs(6);
        engine.extend_fetch(&key(1), lease_of(short, extended)).await?;
        let late = lease(extended + Duration::from_secs(6));
        let refused = other.begin_fetch(&key(1), 0, late, short.until).await?;
        assert!(
            matches!(refused, BeginFetchOutcome::NotBegun(record) if record.fetching_until == Some(extended))
        );
        engine.end_fetch(&key(1), short.fetch, Some(issued("the-first-token", now))).await?;
        engine.extend_fetch(&key(1), lease_of(short, extended)).await?;
        assert_eq!(other.token(&key(1)).await?.fetching_until, None);
        Ok(())
    });
}

#[test]
fn a_fetch_that_asked_nobody_leaves_the_next_one_to_others() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let engine = aws.ports();
        fetched(engine, 0, issued("the-first-token", Timestamp::now())).await?;
        let (now, second) = (Timestamp::now(), lease(Timestamp::now() + Duration::from_secs(6)));
        assert_eq!(engine.begin_fetch(&key(1), 1, second, now).await?, BeginFetchOutcome::Begun);
        engine.end_fetch(&key(1), second.fetch, None).await?;
        let record = aws.stack.engine().token(&key(1)).await?;
        assert_eq!((record.generation, record.outcome, record.fetching_until), (2, None, None));
        fetched(&aws.stack.engine(), 2, issued("the-third-token", now)).await?;
        assert_eq!(aws.stack.engine().token(&key(1)).await?.generation, 3);
        Ok(())
    });
}

#[test]
fn a_fetch_begins_where_its_end_can_be_sealed_and_ends_by_one_write() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        // The data key is made.
        engine.direct.ports().seal_text("something", "acme/1").await?;
        let (cold, now) = (engine.another(|_| ()), Timestamp::now());
        let first = lease(now + Duration::from_secs(10));
        engine.proxy.fault_from("Decrypt", 1, BROKEN);
        assert!(cold.begin_fetch(&key(1), 0, first, now).await.is_err());
        assert_eq!(cold.token(&key(1)).await?, Default::default(), "nobody waits for it");
        engine.proxy.clear_faults();
        assert_eq!(cold.begin_fetch(&key(1), 0, first, now).await?, BeginFetchOutcome::Begun);
        engine.proxy.take_calls();
        cold.end_fetch(&key(1), first.fetch, Some(issued("the-first-token", now))).await?;
        assert_eq!(engine.proxy.take_call_names(), ["UpdateItem Y"]);
        assert_eq!(engine.direct.ports().token(&key(1)).await?.outcome, Some(issued("the-first-token", now)));
        Ok(())
    });
}

#[test]
fn a_token_that_kms_does_not_open_is_not_taken_for_none() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let token = issued("the-first-token", Timestamp::now());
        fetched(engine.direct.ports(), 0, token.clone()).await?;
        for (call, fault) in [("Decrypt", BROKEN), ("Decrypt", THROTTLED), ("GetItem Z", BROKEN)] {
            let cold = engine.another(|_| ());
            engine.proxy.fault_from(call, 1, fault);
            assert!(cold.token(&key(1)).await.is_err(), "{call}");
            let until = lease(Timestamp::now() + Duration::from_secs(10));
            assert!(cold.begin_fetch(&key(1), 0, until, Timestamp::now()).await.is_err(), "{call}");
            engine.proxy.clear_faults();
            assert_eq!(cold.token(&key(1)).await?.outcome, Some(token.clone()));
        }
        Ok(())
    });
}

#[test]
fn a_token_that_is_damaged_or_whose_data_key_is_gone_is_fetched_anew() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        fetched(aws.ports(), 0, issued("the-first-token", Timestamp::now())).await?;
        let item = format!("Y#acme#{}#1", key(1).subscription_id);
        let good = aws.stack.item(&item, "-").await.expect("the item");
        let sealed = good["value"].as_s().expect("a text").clone();
        let (of_key, data) = sealed.rsplit_once('.').expect("a sealed value");
        let of_another = format!("s1.A256GCM.0123456789abcdef.{data}");
        for spoilt in [of_another, format!("{of_key}.AAAA"), "no sealed value".to_owned()] {
            let mut item = good.clone();
            item.insert("value".into(), AttributeValue::S(spoilt));
            put(&aws.stack, item).await;
            let record = aws.stack.engine().token(&key(1)).await?;
            assert_eq!((record.generation, record.outcome), (1, None));
        }
        let next = issued("the-second-token", Timestamp::now());
        fetched(&aws.stack.engine(), 1, next.clone()).await?;
        assert_eq!(aws.stack.engine().token(&key(1)).await?.outcome, Some(next));
        Ok(())
    });
}
