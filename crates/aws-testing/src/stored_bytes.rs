//! Every byte that a stack stores: the attributes of its tables, the objects of its bucket, the messages of its queues.
//!
//! Tests look for secrets in them. Packed documents and stored lists are unpacked.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use miniz_oxide::inflate::decompress_to_vec_zlib;

use crate::TestStack;

/// The version and the length that stand before a packed stream.
const PACKED_HEADER_BYTES: usize = 5;
/// How often a queue is asked for messages: each answer has ten at most.
const RECEIVES: usize = 5;

/// What is stored, by the place where it is: a table with the keys of an item, an object, a queue.
pub struct StoredBytes(Vec<(String, Vec<u8>)>);

impl StoredBytes {
    /// Reads all of it. Messages stay where they are.
    ///
    /// # Panics
    ///
    /// When AWS refuses.
    pub async fn of(stack: &TestStack) -> Self {
        let mut found = Vec::new();
        for table in [stack.name.clone(), stack.payloads_table(), stack.resources().reports] {
            read_table(stack, &table, &mut found).await;
        }
        read_bucket(stack, &mut found).await;
        let queues = [&stack.queue_url, &stack.slow_queue_url, &stack.job_queue_url, &stack.dead_letters_url];
        for queue in queues {
            for _ in 0..RECEIVES {
                let receive = stack.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
                let received = receive.visibility_timeout(0).send().await.expect("messages");
                for message in received.messages.unwrap_or_default() {
                    found.push((format!("queue {queue}"), message.body.unwrap_or_default().into_bytes()));
                }
            }
        }
        Self(found)
    }

    /// The places that hold a text, in clear or in base64.
    pub fn places_of(&self, text: &str) -> Vec<&str> {
        let forms = [
            text.as_bytes().to_vec(),
            STANDARD.encode(text).into_bytes(),
            STANDARD_NO_PAD.encode(text).into_bytes(),
            URL_SAFE_NO_PAD.encode(text).into_bytes(),
        ];
        let holds = |bytes: &[u8]| forms.iter().any(|form| contains(bytes, form));
        self.0.iter().filter(|(_, bytes)| holds(bytes)).map(|(place, _)| place.as_str()).collect()
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

async fn read_table(stack: &TestStack, table: &str, found: &mut Vec<(String, Vec<u8>)>) {
    let scan = stack.dynamodb.scan().table_name(table).consistent_read(true);
    let mut items = scan.into_paginator().items().send();
    // Streams that are cut into parts, as far as they were read: parts come in their order.
    let mut streams: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    while let Some(item) = items.next().await {
        let item = item.expect("an item");
        let key = |name: &str| item.get(name).and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
        let place = format!("{table} {} {}", key("pk"), key("sk"));
        if let Some(part) = item.get("docs").and_then(|docs| docs.as_b().ok()) {
            streams.entry(key("pk")).or_default().push((key("sk"), part.as_ref().to_vec()));
        }
        for value in item.values() {
            read_value(&place, value, found);
        }
    }
    for (partition, mut parts) in streams {
        parts.sort();
        let stream: Vec<u8> = parts.into_iter().flat_map(|(_, part)| part).collect();
        if let Ok(documents) = decompress_to_vec_zlib(&stream) {
            found.push((format!("{table} {partition}"), documents));
        }
    }
}

fn read_value(place: &str, value: &AttributeValue, found: &mut Vec<(String, Vec<u8>)>) {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => {
            found.push((place.to_owned(), text.clone().into_bytes()));
        }
        AttributeValue::B(bytes) => {
            let bytes = bytes.as_ref();
            for stream in [bytes, bytes.get(PACKED_HEADER_BYTES..).unwrap_or_default()] {
                if let Ok(original) = decompress_to_vec_zlib(stream) {
                    found.push((place.to_owned(), original));
                }
            }
            found.push((place.to_owned(), bytes.to_vec()));
        }
        AttributeValue::L(values) => values.iter().for_each(|value| read_value(place, value, found)),
        AttributeValue::M(values) => {
            for (name, value) in values {
                found.push((place.to_owned(), name.clone().into_bytes()));
                read_value(place, value, found);
            }
        }
        other => found.push((place.to_owned(), format!("{other:?}").into_bytes())),
    }
}

async fn read_bucket(stack: &TestStack, found: &mut Vec<(String, Vec<u8>)>) {
    let listed = stack.s3.list_objects_v2().bucket(&stack.name).send().await.expect("a list");
    for object in listed.contents.unwrap_or_default() {
        let key = object.key.expect("a key");
        let got = stack.s3.get_object().bucket(&stack.name).key(&key).send().await.expect("an object");
        let bytes = got.body.collect().await.expect("bytes").to_vec();
        found.push((format!("object {key}"), bytes));
    }
}
