//! A fake DynamoDB, as far as one intake and one delivery need it: items by key, and updates of whole attributes.
//!
//! There are no concurrent writers, so every condition is taken to hold without being read; reads return all attributes.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

type Item = Map<String, Value>;

/// Items by table and partition key, then by sort key.
#[derive(Default)]
pub(crate) struct Tables(HashMap<(String, String), BTreeMap<String, Item>>);

impl Tables {
    /// The result of an operation.
    pub(crate) fn call(&mut self, operation: &str, request: &Value) -> Value {
        match operation {
            "GetItem" => match self.at(request, &request["Key"]).get(&sort(&request["Key"])) {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            },
            "PutItem" => self.put(request),
            "UpdateItem" => json!({ "Attributes": self.update(request) }),
            "DeleteItem" => {
                self.at(request, &request["Key"]).remove(&sort(&request["Key"]));
                json!({})
            }
            "Query" => self.query(request),
            "TransactWriteItems" => {
                for part in request["TransactItems"].as_array().into_iter().flatten() {
                    self.put_or_update(part);
                }
                json!({})
            }
            other => panic!("the fake DynamoDB does not know {other}"),
        }
    }

    fn put_or_update(&mut self, part: &Value) {
        if part["Put"].is_object() {
            self.put(&part["Put"]);
        } else if part["Update"].is_object() {
            self.update(&part["Update"]);
        }
    }

    fn at(&mut self, request: &Value, key: &Value) -> &mut BTreeMap<String, Item> {
        let partition = text(&key["pk"]["S"]);
        self.0.entry((text(&request["TableName"]), partition)).or_default()
    }

    fn put(&mut self, request: &Value) -> Value {
        let item = request["Item"].as_object().cloned().unwrap_or_default();
        self.at(request, &request["Item"]).insert(sort(&request["Item"]), item);
        json!({})
    }

    /// `SET #a = :b, …`, `REMOVE #a, …` and `ADD #a :b, …`, in any order.
    fn update(&mut self, request: &Value) -> Item {
        let key = request["Key"].as_object().cloned().unwrap_or_default();
        let item = self.at(request, &request["Key"]).entry(sort(&request["Key"])).or_insert(key);
        let name = |alias: &str| text(&request["ExpressionAttributeNames"][alias]);
        let value = |alias: &str| request["ExpressionAttributeValues"][alias].clone();
        let mut clause = "";
        let expression = text(&request["UpdateExpression"]).replace([',', '='], " ");
        let mut words = expression.split_whitespace();
        while let Some(word) = words.next() {
            match (word, clause) {
                ("SET" | "REMOVE" | "ADD", _) => clause = word,
                (alias, "REMOVE") => drop(item.remove(&name(alias))),
                (alias, "SET") => {
                    item.insert(name(alias), value(words.next().unwrap_or_default()));
                }
                (alias, _) => {
                    let by = value(words.next().unwrap_or_default());
                    let sum = number(&item.get(&name(alias)).cloned().unwrap_or_default()) + number(&by);
                    item.insert(name(alias), json!({ "N": sum.to_string() }));
                }
            }
        }
        item.clone()
    }

    /// The items of a partition, or those whose sort key begins with a prefix.
    fn query(&mut self, request: &Value) -> Value {
        let values = &request["ExpressionAttributeValues"];
        let prefix = values[":prefix"]["S"].as_str().unwrap_or_default();
        let key = json!({ "pk": values[":pk"] });
        let items = self.at(request, &key).iter().filter(|(sort, _)| sort.starts_with(prefix));
        let items: Vec<&Item> = items.map(|(_, item)| item).collect();
        json!({ "Count": items.len(), "ScannedCount": items.len(), "Items": items })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn sort(key: &Value) -> String {
    text(&key["sk"]["S"])
}

fn number(value: &Value) -> i64 {
    value["N"].as_str().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
