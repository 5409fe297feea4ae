//! A call to AWS, as its HTTP request shows it.

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use serde_json::Value;

use crate::service::Service;

/// A call, named by its operation and, in DynamoDB, by the kind of the first item that it names: the letter with which
/// that partition key begins. `PutItem L` puts the row of an attempt; `PutItem payload` puts a small payload.
#[derive(Debug, Clone)]
pub struct AwsCall {
    pub name: String,
    pub(crate) service: Service,
    /// The JSON of its body; null for S3.
    pub body: Value,
}

impl AwsCall {
    pub(crate) fn read(head: &Parts, body: &Bytes) -> Self {
        let (service, Some(operation)) = Service::of(head) else {
            return Self {
                name: object_operation(&head.method).into(),
                service: Service::S3,
                body: Value::Null,
            };
        };
        let body: Value = serde_json::from_slice(body).expect("a call in JSON");
        let kind = partition_of(&body).and_then(|key| key.chars().next());
        let name = match kind {
            _ if body["TableName"].as_str().is_some_and(|table| table.ends_with("-payloads")) => {
                format!("{operation} payload")
            }
            Some(kind) if service == Service::DynamoDb => format!("{operation} {kind}"),
            _ => operation.to_owned(),
        };
        Self { name, service, body }
    }
}

fn object_operation(method: &Method) -> &'static str {
    match *method {
        Method::PUT => "PutObject",
        Method::GET => "GetObject",
        _ => "an unknown operation",
    }
}

/// The partition key of the first item that a call of DynamoDB names.
fn partition_of(body: &Value) -> Option<&str> {
    let batch = || body["RequestItems"].as_object()?.values().next()?["Keys"].get(0);
    let item = [&body["Item"], &body["Key"]].into_iter().find(|item| item.is_object()).or_else(batch);
    let values = &body["ExpressionAttributeValues"];
    let of_query = || {
        [":pk", ":trace", ":bucket", ":day"].into_iter().map(|name| &values[name]).find(|key| key.is_object())
    };
    let key = item.map(|item| &item["pk"]).or_else(of_query)?;
    key["S"].as_str()
}
