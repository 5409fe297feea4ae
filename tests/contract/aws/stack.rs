//! A table, a bucket and a queue, as the template makes them.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use loanhook::aws::counting::Calls;
use loanhook::aws::{Aws, Stack, sdk_config};
use loanhook::model::time::Timestamp;
use uuid::Uuid;

pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) queue_url: String,
    pub(crate) dead_letters_url: String,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) config: SdkConfig,
    pub(crate) calls: Calls,
}

impl Made {
    pub(crate) async fn new() -> Self {
        let config = sdk_config().await;
        let name = format!("loanhook-test-{}", Uuid::new_v4());
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        let sqs = aws_sdk_sqs::Client::new(&config);
        make_table(&dynamodb, &name).await;
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
        Self { name, queue_url, dead_letters_url, dynamodb, s3, sqs, config, calls: Calls::default() }
    }

    pub(crate) fn engine(&self) -> Aws {
        Aws::counted(&self.config, self.stack(), &self.calls)
    }

    pub(crate) fn stack(&self) -> Stack {
        Stack {
            table: self.name.clone(),
            bucket: self.name.clone(),
            queue_url: self.queue_url.clone(),
            dead_letters_url: Some(self.dead_letters_url.clone()),
            retention: Duration::from_secs(60 * 24 * 3600),
            egress: Vec::new(),
            first_key: None,
            clock: Timestamp::now,
        }
    }
}

async fn make_table(dynamodb: &aws_sdk_dynamodb::Client, name: &str) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .expect("an attribute")
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
    };
    let index = |name: &str, hash: &str, range: &str| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(hash, KeyType::Hash))
            .key_schema(key(range, KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .expect("an index")
    };
    dynamodb
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .attribute_definitions(attribute("trace", ScalarAttributeType::S))
        .attribute_definitions(attribute("exhausted", ScalarAttributeType::S))
        .attribute_definitions(attribute("exhaustedAt", ScalarAttributeType::N))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index("by-trace", "trace", "sk"))
        .global_secondary_indexes(index("exhausted", "exhausted", "exhaustedAt"))
        .send()
        .await
        .expect("a table");
}
