//! A table, a bucket and a queue, as the template makes them.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, Projection};
use loanhook_aws::call_counter::CallCounter;
use loanhook_aws::{Aws, Stack, sdk_config};
use loanhook_core::model::time::Timestamp;
use serde_norway::Value;
use uuid::Uuid;

pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) queue_url: String,
    pub(crate) dead_letters_url: String,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) config: SdkConfig,
    pub(crate) calls: CallCounter,
}

impl Made {
    pub(crate) async fn new() -> Self {
        let config = sdk_config().await;
        let name = format!("loanhook-test-{}", Uuid::new_v4());
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        let sqs = aws_sdk_sqs::Client::new(&config);
        make_table(&dynamodb, "Table", &name).await;
        make_table(&dynamodb, "PayloadsTable", &payloads(&name)).await;
        s3.create_bucket().bucket(&name).send().await.expect("a bucket");
        let queue = |name: String| {
            let sqs = sqs.clone();
            async move {
                let made = sqs.create_queue().queue_name(name).send().await.expect("a queue");
                made.queue_url.expect("its URL")
            }
        };
        let queue_url = queue(name.clone()).await;
        let dead_letters_url = queue(format!("{name}-dead")).await;
        Self { name, queue_url, dead_letters_url, dynamodb, s3, sqs, config, calls: CallCounter::default() }
    }

    pub(crate) fn engine(&self) -> Aws {
        Aws::with_call_counter(&self.config, self.stack(), &self.calls)
    }

    pub(crate) fn stack(&self) -> Stack {
        Stack {
            table: self.name.clone(),
            payloads: payloads(&self.name),
            bucket: self.name.clone(),
            small_payload: 1536,
            queue_url: self.queue_url.clone(),
            dead_letters_url: Some(self.dead_letters_url.clone()),
            retention: Duration::from_secs(60 * 24 * 3600),
            egress: Vec::new(),
            deployed_key: None,
            clock: Timestamp::now,
        }
    }
}

/// What the table of small payloads is called, beside a table of this name.
pub(crate) fn payloads(name: &str) -> String {
    format!("{name}-payloads")
}

/// A table of the template, so that there is one account of it.
async fn make_table(dynamodb: &aws_sdk_dynamodb::Client, described: &str, name: &str) {
    let template: Value = serde_norway::from_str(include_str!("../../../../infra/template.yaml"))
        .expect("the template is YAML");
    let table = &template["Resources"][described]["Properties"];
    let attributes = each(&table["AttributeDefinitions"]).map(|attribute| {
        AttributeDefinition::builder()
            .attribute_name(text(&attribute["AttributeName"]))
            .attribute_type(text(&attribute["AttributeType"]).into())
            .build()
            .expect("an attribute")
    });
    let indexes = table["GlobalSecondaryIndexes"].as_sequence().map(|indexes| {
        indexes.iter().map(|index| {
            let kept = text(&index["Projection"]["ProjectionType"]).into();
            GlobalSecondaryIndex::builder()
                .index_name(text(&index["IndexName"]))
                .set_key_schema(Some(key_of(index)))
                .projection(Projection::builder().projection_type(kept).build())
                .build()
                .expect("an index")
        })
    });
    dynamodb
        .create_table()
        .table_name(name)
        .billing_mode(text(&table["BillingMode"]).into())
        .set_attribute_definitions(Some(attributes.collect()))
        .set_key_schema(Some(key_of(table)))
        .set_global_secondary_indexes(indexes.map(Iterator::collect))
        .send()
        .await
        .expect("a table");
}

fn key_of(described: &Value) -> Vec<KeySchemaElement> {
    let parts = each(&described["KeySchema"]).map(|part| {
        let element = KeySchemaElement::builder().attribute_name(text(&part["AttributeName"]));
        element.key_type(text(&part["KeyType"]).into()).build().expect("a key")
    });
    parts.collect()
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_sequence().expect("the template lists them").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("the template says it in text")
}
