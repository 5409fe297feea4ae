//! Operational events where the list of a tenant's subscriptions cannot be read, and where nobody is told.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::{Added, Aws};
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::operational_facts::observer;
use loanhook_contract::operational_scene::{fail_and_hold, fail_four_times};
use loanhook_contract::scene::{MILLISECOND, SECOND, START, subscription, tenant};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::operational;
use loanhook_core::ports::{FlowControl as _, OperationalEvents as _, StoreResult, Subscriptions as _};

use super::settings::{Item, MANY, put, remove};

const TIMEOUT: Duration = Duration::from_secs(60);
async fn count(engine: &Aws) -> StoreResult<()> {
    engine.count_changes(Instant::now() + TIMEOUT, &mut Added::default()).await.map(drop)
}

/// The tenant and name of each event of the outbox, and the title that it says.
async fn told(engine: &Aws) -> StoreResult<Vec<(TenantId, &'static str, String)>> {
    let mut told = Vec::new();
    for event in engine.outbox(MANY, None).await?.events {
        let facts: serde_json::Value = serde_json::from_str(&event.context).expect("facts");
        let title = facts["title"].as_str().expect("a title").to_owned();
        told.push((event.tenant, event.kind.as_str(), title));
    }
    told.sort();
    Ok(told)
}

/// Makes a subscription one that a newer loanhook stored; gives what it was.
async fn make_unreadable(aws: &AwsEngine, of: &Subscription) -> Item {
    let pk = format!("S#{}", of.tenant);
    let item = aws.stack.item(&pk, &format!("C#{}", of.id)).await.expect("the subscription");
    let mut newer = item.clone();
    newer.insert("doc".into(), AttributeValue::S(r#"{"v":4000000000}"#.into()));
    put(&aws.stack, newer).await;
    remove(&aws.stack, &format!("{pk}#list"), "00").await;
    item
}

#[test]
fn a_tenant_whose_list_cannot_be_read_is_told_and_holds_up_no_other() {
    loanhook_contract::run_on::<AwsEngine>(async {
        // Another than those that matter, the one that fails, and the one that is told.
        for place in 0..3 {
            let aws = AwsEngine::fresh().await;
            let unread = tenant("unread");
            let (core, pager) = (subscription(&unread, "Core", &[], START), observer());
            let pager = Subscription { tenant: unread.clone(), ..pager };
            let other = subscription(&unread, "Other", &[], START + MILLISECOND);
            for one in [&core, &pager, &other] {
                assert!(aws.ports().create(one.clone(), MANY).await?);
            }
            aws.count().await;
            fail_four_times(&aws, &core, START + SECOND).await?;
            aws.ports().hold(&unread, pager.id, "Night shift", START + SECOND).await?;
            let spoilt = [&other, &core, &pager][place];
            let item = make_unreadable(&aws, spoilt).await;
            // What happens to another tenant comes after that.
            let core = subscription(&tenant("acme"), "Core", &[], START);
            for one in [core.clone(), observer()] {
                assert!(aws.ports().create(one, MANY).await?);
            }
            fail_four_times(&aws, &core, START + 10 * SECOND).await?;
            let cold = aws.stack.engine();
            assert!(cold.subscriptions(&unread).await.is_err());
            count(&cold).await?;
            let expected =
                ["acme", "unread"].map(|name| (tenant(name), "subscription.failing", "Core".to_owned()));
            assert_eq!(told(&cold).await?, expected, "{}", spoilt.settings.title);
            let failed = operational::advance(&cold, START).await?.failed.expect("an event");
            assert_eq!((failed.count, failed.tenant), (1, unread), "nobody knows who is told");
            put(&aws.stack, item).await;
            let cold = aws.stack.engine();
            count(&cold).await?;
            let advanced = operational::advance(&cold, START).await?;
            assert!(advanced.failure().is_none(), "once it can be read all is told: {advanced:?}");
            assert_eq!(told(&cold).await?, []);
        }
        Ok(())
    });
}

#[test]
fn nothing_is_stored_of_a_tenant_that_nobody_observes() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        // States, looks and events.
        let count = async |partition: &str| {
            let query = aws.stack.dynamodb.query().table_name(aws.stack.resources().reports);
            let query = query.key_condition_expression("pk = :pk");
            let query = query.expression_attribute_values(":pk", AttributeValue::S(partition.into()));
            query.send().await.expect("read").count
        };
        for (name, is_observed, expected) in [("unseen", false, [0, 0, 0]), ("acme", true, [2, 0, 2])] {
            fail_and_hold(&aws, &tenant(name), is_observed).await?;
            let found = [count("S#").await, count("L#").await, count("O#").await];
            assert_eq!(found, expected, "{name}: the state, who observes, and two events");
        }
        Ok(())
    });
}
