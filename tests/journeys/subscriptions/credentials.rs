//! Credentials: header values without placeholders are those that the subscription has when a request leaves, and go to the host
//! that they were given for.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use crate::harness::{
    ApiResponse, Gate, Journey, Received, Receiver, Reply, attempts_of, event, scaled_seconds,
    subscription_path,
};

/// Changes the headers of a subscription: those that are null are removed.
async fn set_headers(j: &Journey, created: &Value, headers: Value) -> ApiResponse {
    j.api.patch(&subscription_path(created), &json!({"request": {"headers": headers}})).await
}

/// The versions of the subscription that gave the credentials of a delivery's attempts.
fn versions(delivery: &Value) -> Vec<Value> {
    attempts_of(delivery).iter().map(|row| row["subscriptionVersion"].clone()).collect()
}

fn header_of<'a>(requests: &'a [Received], name: &str) -> Vec<Option<&'a str>> {
    requests.iter().map(|request| request.header(name)).collect()
}

#[tokio::test]
async fn a_retry_and_a_resend_have_the_headers_that_the_subscription_has_then() {
    let j = Journey::start().await;
    let headers = json!({"Authorization": "Bearer old", "X-Gone": "1", "X-Loan": "loan [[v('loan-id')]]"});
    let retry = json!({"delays": [scaled_seconds(3)]});
    let created = j.subscribe("/hook", json!({"request": {"headers": headers}, "retry": retry})).await;
    j.receiver.replies("/hook", [Reply::status(401)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;

    let rotated = json!({"Authorization": "Bearer new", "X-Gone": null, "X-Loan": "another", "X-New": "yes"});
    set_headers(&j, &created, rotated).await.expect_status(200);
    j.api.ended_delivery(&trace).await;
    j.api.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, 3).await;
    j.api.delete(&subscription_path(&created)).await.expect_status(204);
    // A deleted subscription gives what it had last.
    j.api.resend(&trace).await;
    let delivery = j.api.delivery_after_attempts(&trace, 4).await;

    let sent = j.receiver.requests_of(&trace);
    let (old, new) = (Some("Bearer old"), Some("Bearer new"));
    assert_eq!(header_of(&sent, "authorization"), [old, new, new, new]);
    assert_eq!(header_of(&sent, "x-gone"), [Some("1"), None, None, None]);
    assert_eq!(header_of(&sent, "x-new"), [None, Some("yes"), Some("yes"), Some("yes")]);
    // A header that was rendered stays, and wins over a newer one of its name.
    assert_eq!(header_of(&sent, "x-loan"), [Some("loan 727"); 4]);
    assert!(
        sent.iter().all(|request| request.headers.iter().filter(|(name, _)| name == "x-loan").count() == 1)
    );
    assert_eq!(versions(&delivery), [json!(1), json!(2), json!(2), json!(2)]);
}

#[tokio::test]
async fn a_credential_goes_to_the_host_that_it_was_given_for() {
    let j = Journey::start().await;
    let retry = json!({"delays": [scaled_seconds(3)]});
    let headers = json!({"Authorization": "Bearer old"});
    let created = j.subscribe("/hook", json!({"request": {"headers": headers}, "retry": retry})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    let path = subscription_path(&created);
    set_headers(&j, &created, json!({"Authorization": "Bearer new"})).await.expect_status(200);
    // Another port of the same machine is another receiver.
    let other = Receiver::start().await;
    let headers = json!({"Authorization": "Bearer of-another", "X-Team": "another"});
    let moved = json!({"request": {"url": other.url("/hook"), "headers": headers}});
    j.api.patch(&path, &moved).await.expect_status(200);

    j.api.ended_delivery(&trace).await;
    let second = j.api.send_one(&event("728")).await;
    j.api.ended_delivery(&second).await;
    j.api.delete(&path).await.expect_status(204);
    j.api.resend(&trace).await;
    let delivery = j.api.delivery_after_attempts(&trace, 3).await;
    let here = j.receiver.requests();
    let (old, new) = (Some("Bearer old"), Some("Bearer new"));
    assert_eq!(header_of(&here, "authorization"), [old, new, new]);
    assert_eq!(header_of(&here, "x-team"), [None; 3]);
    assert_eq!(header_of(&other.requests(), "authorization"), [Some("Bearer of-another")]);
    // The version that went there last.
    assert_eq!(versions(&delivery), [json!(1), json!(2), json!(2)]);
}

#[tokio::test]
async fn a_row_names_no_version_before_its_request_has_ended() {
    let j = Journey::start().await;
    j.subscribe("/slow", json!({})).await;
    let gate = Gate::closed();
    j.receiver.replies("/slow", [Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    let sending = j.api.delivery_when(&trace, |delivery| attempts_of(delivery).len() == 1).await;
    assert_eq!(
        (&attempts_of(&sending)[0]["outcome"], versions(&sending)),
        (&json!("sending"), vec![json!(null)])
    );
    gate.open();
    assert_eq!(versions(&j.api.ended_delivery(&trace).await), [json!(1)]);
}

#[tokio::test]
async fn a_credential_is_stored_in_clear_nowhere() {
    const CREDENTIAL: &str = "Bearer nothing-holds-me-in-clear";
    let Some(j) = Journey::on_own_process().await else { return };
    let headers = json!({"Authorization": CREDENTIAL, "X-Loan": "loan [[v('loan-id')]]"});
    let retry = json!({"delays": [3600]});
    j.subscribe("/hook", json!({"request": {"headers": headers}, "retry": retry})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let keyed = j.api.request("POST", "/v1/events").header("idempotency-key", "a").json(&event("727"));
    let accepted = keyed.send().await.expect_status(202).json();
    let trace = accepted["deliveries"][0]["traceId"].as_str().expect("a trace").to_owned();
    j.api.delivery_after_attempts(&trace, 1).await;
    j.api.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, 2).await;
    let job = json!({"filter": {"traceIds": [trace]}, "force": true});
    j.api.post("/v1/resends", &job).await.expect_status(202);
    j.api.delivery_after_attempts(&trace, 3).await;
    let sent = j.receiver.requests_of(&trace);
    assert_eq!(header_of(&sent, "authorization"), [Some(CREDENTIAL); 3]);

    j.server.stop().await;
    let database = Connection::open(j.server.data_folder().join("loanhook.db")).expect("the database");
    // Its subscription has it sealed, and nothing else has it.
    assert_eq!(tables_with(&database, CREDENTIAL), Vec::<String>::new());
    assert!(tables_with(&database, "loan 727").contains(&"deliveries".to_owned()));
}

/// The tables that hold a text in any column.
fn tables_with(database: &Connection, text: &str) -> Vec<String> {
    let mut tables = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .expect("tables");
    let tables = tables.query_map([], |row| row.get(0)).expect("tables");
    let tables: Vec<String> = tables.collect::<rusqlite::Result<_>>().expect("names");
    let holds = |table: &String| {
        let mut statement = database.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("rows");
        let mut found = false;
        while let Some(row) = rows.next().expect("a row") {
            found |= (0..columns).any(|column| match row.get_ref(column).expect("a column") {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    bytes.windows(text.len()).any(|window| window == text.as_bytes())
                }
                _ => false,
            });
        }
        found
    };
    tables.into_iter().filter(holds).collect()
}
