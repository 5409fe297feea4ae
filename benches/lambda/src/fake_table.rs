//! As much of DynamoDB as one intake and one delivery ask for: items by key, and updates of whole attributes.
//!
//! Nothing here is contended, so every condition is taken to hold and none is read; reads give all attributes.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

type Item = Map<String, Value>;

/// Items by table and partition key, then by sort key.
#[derive(Default)]
pub(crate) struct Tables(HashMap<(String, String), BTreeMap<String, Item>>);

impl Tables {
    /// What an operation answers.
    pub(crate) fn call(&mut self, operation: &str, asked: &Value) -> Value {
        match operation {
            "GetItem" => match self.at(asked, &asked["Key"]).get(&sort(&asked["Key"])) {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            },
            "PutItem" => self.put(asked),
            "UpdateItem" => json!({ "Attributes": self.update(asked) }),
            "Query" => self.query(asked),
            "TransactWriteItems" => {
                for part in asked["TransactItems"].as_array().into_iter().flatten() {
                    self.put_or_update(part);
                }
                json!({})
            }
            other => panic!("nothing here knows {other}"),
        }
    }

    fn put_or_update(&mut self, part: &Value) {
        if part["Put"].is_object() {
            self.put(&part["Put"]);
        } else if part["Update"].is_object() {
            self.update(&part["Update"]);
        }
    }

    fn at(&mut self, asked: &Value, key: &Value) -> &mut BTreeMap<String, Item> {
        let partition = text(&key["pk"]["S"]);
        self.0.entry((text(&asked["TableName"]), partition)).or_default()
    }

    fn put(&mut self, asked: &Value) -> Value {
        let item = asked["Item"].as_object().cloned().unwrap_or_default();
        self.at(asked, &asked["Item"]).insert(sort(&asked["Item"]), item);
        json!({})
    }

    /// `SET #a = :b, …`, `REMOVE #a, …` and `ADD #a :b, …`, in any order.
    fn update(&mut self, asked: &Value) -> Item {
        let key = asked["Key"].as_object().cloned().unwrap_or_default();
        let item = self.at(asked, &asked["Key"]).entry(sort(&asked["Key"])).or_insert(key);
        let name = |alias: &str| text(&asked["ExpressionAttributeNames"][alias]);
        let value = |alias: &str| asked["ExpressionAttributeValues"][alias].clone();
        let mut clause = "";
        let expression = text(&asked["UpdateExpression"]).replace([',', '='], " ");
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

    /// A partition, or what of it begins with a prefix.
    fn query(&mut self, asked: &Value) -> Value {
        let values = &asked["ExpressionAttributeValues"];
        let prefix = values[":prefix"]["S"].as_str().unwrap_or_default();
        let key = json!({ "pk": values[":pk"] });
        let items = self.at(asked, &key).iter().filter(|(sort, _)| sort.starts_with(prefix));
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
