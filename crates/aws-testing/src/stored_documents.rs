//! Documents of subscriptions as they stand in the table: sealed, and in clear as earlier versions of loanhook stored them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws::Aws;
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::Subscription;
use loanhook_seal::{Keyring, SealingKey};
use loanhook_stored::{Sealed, place_of};
use serde_json::{Value, json};

use crate::TestStack;

/// The document of a subscription, sealed as an engine seals it.
///
/// # Panics
///
/// When AWS refuses.
pub async fn sealed_document(engine: &Aws, of: &Subscription) -> String {
    let place = place_of(&of.tenant, of.id);
    let mut headers = BTreeMap::new();
    for (name, value) in &of.settings.request.headers {
        headers.insert(name, engine.seal_text(value, &place).await.expect("sealed"));
    }
    let mut document = document_with(of, &json!(headers));
    document["v"] = json!(2);
    document.to_string()
}

/// The document of a subscription in clear.
pub fn document_in_clear(of: &Subscription) -> String {
    document_with(of, &json!(of.settings.request.headers)).to_string()
}

/// The document of signing secrets in clear.
pub fn secrets_in_clear(secrets: &Secrets) -> String {
    let previous = secrets
        .previous
        .as_ref()
        .map(|previous| json!({ "secret": previous.secret.expose(), "until": previous.until.millis() }));
    json!({ "current": secrets.current.expose(), "previous": previous }).to_string()
}

/// Makes the items of a subscription in this version what an earlier version of loanhook would have stored.
///
/// # Panics
///
/// When AWS refuses.
pub async fn put_in_clear(stack: &TestStack, of: &Subscription) {
    let pk = format!("S#{}", of.tenant);
    for sk in [format!("C#{}", of.id), format!("V#{}#{:020}", of.id, of.version)] {
        let mut item = stack.item(&pk, &sk).await.unwrap_or_else(|| panic!("no item {pk} {sk}"));
        item.insert("doc".into(), AttributeValue::S(document_in_clear(of)));
        if item.contains_key("secrets") {
            item.insert("secrets".into(), AttributeValue::S(secrets_in_clear(&of.secrets)));
        }
        stack.dynamodb.put_item().table_name(&stack.name).set_item(Some(item)).send().await.expect("put");
    }
}

fn document_with(of: &Subscription, headers: &Value) -> Value {
    let without = Subscription { secrets: Secrets::without_expired(), ..of.clone() };
    let keyring = Keyring::new(&SealingKey::generate().expect("randomness"));
    let sealed = loanhook_stored::write(&Sealed::seal(without, &keyring, "")).expect("JSON");
    let mut document: Value = serde_json::from_str(&sealed).expect("JSON");
    document.as_object_mut().expect("an object").remove("v");
    document["settings"]["request"]["headers"] = headers.clone();
    document
}
