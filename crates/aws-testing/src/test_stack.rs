//! The stack of one test: tables, a bucket and queues as the template describes them, under a name of their own. They
//! are left behind: an emulator forgets them when it stops.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, GlobalSecondaryIndex, KeySchemaElement, Projection,
    StreamSpecification, TableStatus,
};
use aws_types::SdkConfig;
use loanhook_aws::{Aws, Stack, sdk_config};
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::time::Timestamp;
use serde_norway::Value;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// How long to wait before a table's state is asked for again.
const TABLE_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The alias of the key of KMS that tests use.
const KMS_ALIAS: &str = "alias/loanhook-tests";

/// Tables, a bucket and queues of one name, and clients to look into them.
pub struct TestStack {
    pub name: String,
    /// The stream of the table; none where what stands for DynamoDB has no streams.
    pub stream_arn: Option<String>,
    pub queue_url: String,
    pub slow_queue_url: String,
    pub job_queue_url: String,
    pub dead_letters_url: String,
    /// The key of KMS that protects its data key.
    pub kms_key: String,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub s3: aws_sdk_s3::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub kms: aws_sdk_kms::Client,
    pub config: SdkConfig,
}

impl TestStack {
    /// Makes all of it.
    ///
    /// # Panics
    ///
    /// When AWS refuses.
    pub async fn create() -> Self {
        let config = sdk_config();
        let name = format!("loanhook-test-{}", Uuid::new_v4());
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        let sqs = aws_sdk_sqs::Client::new(&config);
        let kms = aws_sdk_kms::Client::new(&config);
        let kms_key = kms_key(&kms).await;
        let stream_arn = create_table(&dynamodb, "Table", &name).await;
        create_table(&dynamodb, "PayloadsTable", &payloads_table(&name)).await;
        create_table(&dynamodb, "ReportsTable", &reports_table(&name)).await;
        count_everything(&dynamodb, &reports_table(&name)).await;
        s3.create_bucket().bucket(&name).send().await.expect("a bucket");
        let queue = |name: String| {
            let sqs = sqs.clone();
            async move {
                let made = sqs.create_queue().queue_name(name).send().await.expect("a queue");
                made.queue_url.expect("its URL")
            }
        };
        let queue_url = queue(name.clone()).await;
        let slow_queue_url = queue(format!("{name}-slow")).await;
        let job_queue_url = queue(format!("{name}-jobs")).await;
        let dead_letters_url = queue(format!("{name}-dead")).await;
        Self {
            name,
            stream_arn,
            queue_url,
            slow_queue_url,
            job_queue_url,
            dead_letters_url,
            kms_key,
            dynamodb,
            s3,
            sqs,
            kms,
            config,
        }
    }

    /// An engine with empty caches.
    pub fn engine(&self) -> Aws {
        Aws::new(&self.config, self.resources())
    }

    /// Its names, as an engine takes them.
    pub fn resources(&self) -> Stack {
        Stack {
            table: self.name.clone(),
            payloads: self.payloads_table(),
            reports: reports_table(&self.name),
            stream_arn: self.stream_arn.clone(),
            bucket: self.name.clone(),
            kms_key: Some(self.kms_key.clone()),
            former_key_in_use: Duration::from_secs(120),
            small_payload: 1536,
            event_ledger: LedgerScope::All,
            queue_url: self.queue_url.clone(),
            slow_queue_url: self.slow_queue_url.clone(),
            slow_instances: 4,
            job_queue_url: self.job_queue_url.clone(),
            dead_letters_url: Some(self.dead_letters_url.clone()),
            // Cases accept events years ago: see `loanhook_contract::scene::START`.
            retention: Duration::from_secs(20 * 365 * 24 * 3600),
            egress: Vec::new(),
            deployed_key: None,
            clock: Timestamp::now,
        }
    }

    /// Announces instances of the delivery function, as they do themselves when they start.
    pub async fn announce_instances(&self, count: usize) {
        for _ in 0..count {
            let put = self.dynamodb.put_item().table_name(&self.name);
            let put = put
                .item("pk", AttributeValue::S("H#".into()))
                .item("sk", AttributeValue::S(format!("~{}", uuid::Uuid::new_v4())));
            put.send().await.expect("put");
        }
    }

    /// The item of this key in the table.
    ///
    /// # Panics
    ///
    /// When AWS refuses.
    pub async fn item(&self, pk: &str, sk: &str) -> Option<HashMap<String, AttributeValue>> {
        let key =
            [("pk", pk), ("sk", sk)].map(|(name, value)| (name.into(), AttributeValue::S(value.into())));
        let get = self.dynamodb.get_item().table_name(&self.name).set_key(Some(key.into()));
        get.consistent_read(true).send().await.expect("read").item
    }

    /// The name of the table of small payloads.
    pub fn payloads_table(&self) -> String {
        payloads_table(&self.name)
    }
}

/// The key of KMS that all stacks of a run have. It is found by its alias, as each key of an account costs money by the month.
async fn kms_key(kms: &aws_sdk_kms::Client) -> String {
    static KEY: OnceCell<String> = OnceCell::const_new();
    let find_or_make = || async {
        if let Ok(found) = kms.describe_key().key_id(KMS_ALIAS).send().await {
            return found.key_metadata.expect("a key").key_id;
        }
        let made = kms.create_key().send().await.expect("a key of KMS");
        let key = made.key_metadata.expect("a key").key_id;
        kms.create_alias().alias_name(KMS_ALIAS).target_key_id(&key).send().await.expect("an alias");
        key
    };
    KEY.get_or_init(find_or_make).await.clone()
}

/// Has everything counted, also what happened before the first run: in tests that is long ago.
async fn count_everything(dynamodb: &aws_sdk_dynamodb::Client, reports: &str) {
    let put = dynamodb.put_item().table_name(reports).item("pk", AttributeValue::S("P#".into()));
    put.item("sk", AttributeValue::S("counting".into())).send().await.expect("put");
}

fn reports_table(name: &str) -> String {
    format!("{name}-reports")
}

fn payloads_table(name: &str) -> String {
    format!("{name}-payloads")
}

/// Makes a table as the template describes it, so that tests and deployment cannot differ; gives its stream, if it has one.
async fn create_table(dynamodb: &aws_sdk_dynamodb::Client, resource: &str, name: &str) -> Option<String> {
    let template: Value =
        serde_norway::from_str(include_str!("../../../infra/template.yaml")).expect("the template is YAML");
    let table = &template["Resources"][resource]["Properties"];
    let attributes = each(&table["AttributeDefinitions"]).map(|attribute| {
        AttributeDefinition::builder()
            .attribute_name(text(&attribute["AttributeName"]))
            .attribute_type(text(&attribute["AttributeType"]).into())
            .build()
            .expect("an attribute")
    });
    let indexes = table["GlobalSecondaryIndexes"].as_sequence().map(|indexes| {
        indexes.iter().map(|index| {
            let projection = text(&index["Projection"]["ProjectionType"]).into();
            GlobalSecondaryIndex::builder()
                .index_name(text(&index["IndexName"]))
                .set_key_schema(Some(key_schema(index)))
                .projection(Projection::builder().projection_type(projection).build())
                .build()
                .expect("an index")
        })
    });
    dynamodb
        .create_table()
        .table_name(name)
        .billing_mode(text(&table["BillingMode"]).into())
        .set_attribute_definitions(Some(attributes.collect()))
        .set_key_schema(Some(key_schema(table)))
        .set_global_secondary_indexes(indexes.map(Iterator::collect))
        .set_stream_specification(stream_specification(table))
        .send()
        .await
        .expect("a table");
    // Most implementations take some time until the table can be used.
    loop {
        let described = dynamodb.describe_table().table_name(name).send().await.expect("a description");
        let table = described.table.expect("the table");
        if table.table_status == Some(TableStatus::Active) {
            return table.latest_stream_arn;
        }
        tokio::time::sleep(TABLE_POLL_INTERVAL).await;
    }
}

/// The stream of a table; none where what stands for DynamoDB alone has no streams.
fn stream_specification(table: &Value) -> Option<StreamSpecification> {
    let view = table["StreamSpecification"]["StreamViewType"].as_str()?;
    if std::env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some() {
        return None;
    }
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(view.into());
    Some(stream.build().expect("a stream"))
}

fn key_schema(described: &Value) -> Vec<KeySchemaElement> {
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
    value.as_str().expect("the template has text there")
}
