//! The sizes of a webhook's items: DynamoDB charges a write by the size of the item in KiB, before or after, whichever is
//! larger. `docs/cost.md` calculates with these units.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, SECOND, START, ended, subscription, tenant};
use loanhook_contract::sender::TYPICAL;
use loanhook_contract::submission;
use loanhook_core::intake::accept;
use loanhook_core::model::attempt::{Attempt, AttemptState, ResendTo, StoredResponse};
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::id::{AttemptId, EventId, JobId, LoanId, SubscriptionId, TraceId};
use loanhook_core::model::job::{ItemState, Job, JobChunk, JobItem, JobKind, JobRequest, Selection};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::payload::{Payload, PayloadKey};
use loanhook_core::ports::{
    Attempts, ClaimOutcome, Deliveries, DueWork, Jobs, Ledger, QueueMessage, StoreResult, Subscriptions,
};
use uuid::Uuid;

/// Variables of a loan, of which the payload is 1 KiB.
const CONTEXT: &str = concat!(
    r#"{"loan-display-id": "LN00000727", "loan-title": "Auto loan, used vehicle", "#,
    r#""loan-status-text": "Open", "loan-sub-status-text": "Repaying", "source-company": "Lender One", "#,
    r#""contract-date": "2025-03-14", "first-payment-date": "2025-04-14", "#,
    r#""final-payment-date": "2030-03-14", "loan-amount": 24850.00, "loan-rate": 7.4900, "loan-term": 60, "#,
    r#""payment-frequency": "monthly", "status-days-past-due": 13, "status-amount-due": 497.83, "#,
    r#""status-amount-past-due": 0.00, "status-principal-balance": 18204.17, "#,
    r#""status-interest-accrued": 52.31, "status-fees-balance": 15.00, "status-payoff": 18271.48, "#,
    r#""next-payment-date": "2026-12-14", "next-payment-amount": 497.83, "last-payment-date": "2026-11-23", "#,
    r#""last-payment-amount": 250.00, "last-payment-method": "ACH", "last-payment-id": 4410923, "#,
    r#""autopay-enabled": true, "autopay-next-date": "2026-12-12", "portfolio": "Prime 2025-1", "#,
    r#""agent": null, "customer-id": "C-88213", "#,
    r#""note": "Partial payment by phone, customer called back, again."}"#,
);

/// The size of an item in bytes, by the rules of "DynamoDB item sizes and formats" in DynamoDB's guide.
fn size(item: &HashMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

fn size_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        // A byte for every two digits, and one more.
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::Bool(_) => 1,
        AttributeValue::M(map) => 3 + map.len() + size(map),
        other => panic!("none of ours is {other:?}"),
    }
}

/// The write units of an item of so many bytes.
const fn write_units(bytes: usize) -> usize {
    bytes.div_ceil(1024)
}

/// The item of a payload, in the table of small payloads.
async fn payload_item(aws: &AwsEngine, key: PayloadKey) -> HashMap<String, AttributeValue> {
    let name = AttributeValue::S(format!("acme/{key}"));
    let get = aws.stack.dynamodb.get_item().table_name(aws.stack.payloads_table()).key("pk", name);
    get.send().await.expect("read").item.expect("an item")
}

async fn item(aws: &AwsEngine, pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    aws.stack.item(pk, sk).await.expect("an item")
}

/// The row with a response that has the headers that servers commonly send.
fn with_typical_response(mut row: Attempt) -> Attempt {
    if let AttemptState::Complete(completion) = &mut row.state {
        completion.source_ip = Some([203, 0, 113, 7].into());
        completion.response = Some(StoredResponse {
            payload: Payload::of(b"a body"),
            content_type: Some("application/json; charset=utf-8".into()),
            truncated: false,
            headers: TYPICAL.map(|(name, value)| (name.into(), value.into())).into(),
            headers_truncated: false,
            headers_dropped: 0,
        });
    }
    row
}

#[test]
fn items_of_a_webhook_have_the_write_units_of_the_cost_document() {
    loanhook_contract::run_on::<AwsEngine>(assert_sizes());
}

/// With a payload of 1 KiB, a header with a credential, six retries, and a response with common headers.
async fn assert_sizes() -> StoreResult<()> {
    let aws = AwsEngine::fresh().await;
    let delays = [300, 1800, 7200, 18_000, 36_000, 36_000];
    let mut webhook = subscription(&tenant("acme"), "Core banking: payment posted", &delays, START);
    webhook.settings.request.headers =
        [("Authorization".to_owned(), format!("Bearer {}", "x".repeat(40)))].into();
    assert!(aws.ports().create(webhook, 200).await?);
    let event = submission(CONTEXT, None);
    accept(aws.ports(), &tenant("acme"), event, START).await.expect("accepted");
    let first = aws.receive().await;
    let delivery = format!("T#acme#{}", first.trace_id);
    let accepted = item(&aws, &delivery, "-").await;

    let token = Uuid::new_v4();
    let ClaimOutcome::Claimed(won) = aws.ports().claim(&first, 1, token, START).await? else {
        panic!("lost")
    };
    let (claimed, row) = *won;
    assert_eq!(claimed.snapshot.request.payload.bytes, 1024);
    let id = row.id.to_string();
    let in_flight = item(&aws, &delivery, "-").await;
    let sending = item(&aws, "L#acme#727", &id).await;

    let end = with_typical_response(ended(row, Ok(503), START + SECOND));
    assert!(aws.ports().complete(&claimed, token, end, None).await?);
    let complete = item(&aws, "L#acme#727", &id).await;
    let moved_on = item(&aws, &delivery, "-").await;
    let key = claimed.snapshot.request.payload.key.expect("a payload");
    let payload = payload_item(&aws, key).await;
    let sizes = [&payload, &accepted, &in_flight, &sending, &complete, &moved_on].map(size);
    assert_eq!(sizes.map(write_units), [1; 6], "{sizes:?} bytes");
    assert!(!moved_on.contains_key("attention"), "it is retried");

    // An attempt beyond the first is an entry of the index, too.
    let second = QueueMessage { work: DueWork::Attempt(2), ..first };
    let ClaimOutcome::Claimed(won) = aws.ports().claim(&second, 2, token, START + SECOND).await? else {
        panic!("lost")
    };
    let sending = item(&aws, "L#acme#727", &won.1.id.to_string()).await;
    let in_flight = item(&aws, &delivery, "-").await;
    let sizes = [&in_flight, &sending].map(size);
    assert_eq!(sizes.map(write_units), [1; 2], "{sizes:?} bytes");
    assert!(sending.contains_key("trace"));
    Ok(())
}

/// An event of loan 727 with the context above, and its item.
async fn stored_event(aws: &AwsEngine) -> StoreResult<(LedgerEvent, HashMap<String, AttributeValue>)> {
    let event = submission(CONTEXT, None);
    let receipt = accept(aws.ports(), &tenant("acme"), event, START).await.expect("accepted");
    let id: EventId = receipt.event_id;
    let event = aws.ports().event(&tenant("acme"), id).await?.expect("an event");
    let item = item(aws, "V#acme#727", &id.to_string()).await;
    // Its entry in the index, of keys only, is another unit.
    assert!(item.contains_key("acceptedDay"));
    Ok((event, item))
}

/// Its entry in the index of deliveries that failed is another unit.
#[test]
fn a_delivery_whose_schedule_runs_out_is_a_write_unit_and_one_in_its_index() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let webhook = subscription(&tenant("acme"), "Core banking: payment posted", &[], START);
        assert!(aws.ports().create(webhook, 200).await?);
        let event = submission(CONTEXT, None);
        accept(aws.ports(), &tenant("acme"), event, START).await.expect("accepted");
        let first = aws.receive().await;
        let token = Uuid::new_v4();
        let ClaimOutcome::Claimed(won) = aws.ports().claim(&first, 1, token, START).await? else {
            panic!("lost")
        };
        let (claimed, row) = *won;
        let end = with_typical_response(ended(row, Ok(503), START + SECOND));
        assert!(aws.ports().complete(&claimed, token, end, None).await?);
        let failed = item(&aws, &format!("T#acme#{}", first.trace_id), "-").await;
        assert!(failed.contains_key("attention"));
        assert_eq!(write_units(size(&failed)), 1);
        Ok(())
    });
}

#[test]
fn an_event_of_the_ledger_has_the_write_units_of_the_cost_document() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let (event, item) = stored_event(&aws).await?;
        let payload = payload_item(&aws, event.context.payload).await;
        let sizes = [&payload, &item].map(size);
        assert_eq!(sizes.map(write_units), [1; 2], "{sizes:?} bytes of an event that nothing matched");

        // Of ten webhooks that send the default body, the payload is the event's own.
        for of in 1..=10 {
            let at = START + of * MILLISECOND;
            let webhook = subscription(&tenant("acme"), &format!("Core banking {of}"), &[300], at);
            assert!(aws.ports().create(webhook, 200).await?);
            let (event, item) = stored_event(&aws).await?;
            assert_eq!(event.verdicts.len(), of as usize);
            let bytes = size(&item);
            assert_eq!(write_units(bytes), 1, "{bytes} bytes of an event with {of} webhooks");
        }
        let first = aws.drain().await.pop().expect("a message");
        let delivery = aws.ports().delivery(&first.tenant, first.trace_id).await?.expect("a delivery");
        assert_eq!(delivery.snapshot.request.payload.key, Some(event.context.payload));
        Ok(())
    });
}

/// A whole chunk of a job's list, all of it resent, with loans of ten characters.
fn chunk() -> JobChunk {
    let uuid = |of: &str, number: u32| Uuid::new_v5(&Uuid::nil(), format!("{of} {number}").as_bytes());
    let item = |number: u32| JobItem {
        trace: TraceId::from_uuid(uuid("trace", number)),
        subscription: SubscriptionId::from_uuid(uuid("subscription", 0)),
        loan: LoanId::try_from(format!("LN{:08}", 7 * number)).expect("a loan"),
        had_succeeded: false,
        state: ItemState::Succeeded(Some(AttemptId::from_uuid(uuid("attempt", number)))),
    };
    JobChunk { number: 0, items: (0..100).map(item).collect() }
}

#[test]
fn items_of_a_recovery_job_have_the_write_units_of_the_cost_document() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let request = JobRequest {
            kind: JobKind::Resend,
            selection: Selection::Traces,
            to: ResendTo::Original,
            per_second: 10.0,
            newest_per_loan: false,
            stop_after_failures: None,
            force: false,
        };
        let mut job = Job::new(JobId::at(START), tenant("acme"), request, "Servicing".into(), START);
        job.counts.total = 10_000;
        job.progress.open = (9_900..9_950).collect();
        let id = job.id;
        aws.ports().create_job(job, vec![chunk()], None, START).await?;
        let job = item(&aws, "J#acme#resend", &id.to_string()).await;
        let chunk = item(&aws, &format!("J#acme#{id}"), "00000").await;
        let turn = item(&aws, "O#", &format!("acme#{id}")).await;
        let sizes = [&job, &chunk, &turn].map(size);
        assert_eq!(sizes.map(write_units), [1, 6, 1], "{sizes:?} bytes");
        Ok(())
    });
}

#[test]
fn an_ordered_delivery_its_place_and_the_counter_are_a_write_unit_each() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let aws = AwsEngine::fresh().await;
        let mut made = subscription(&tenant("acme"), "Core banking: payment posted", &[300], START);
        made.settings.flow.order = DeliveryOrder::Loan;
        assert!(aws.ports().create(made.clone(), 1).await?);
        let receipt = accept(aws.ports(), &tenant("acme"), submission(CONTEXT, None), START).await;
        let trace = receipt.expect("accepted").deliveries[0].trace_id;
        let loan = format!("N#acme#{}#727", made.id);
        for (pk, sk) in
            [(format!("T#acme#{trace}"), "-"), (loan.clone(), "-"), (loan, "00000000000000000001")]
        {
            let item = aws.stack.item(&pk, sk).await.expect("the item");
            assert_eq!(write_units(size(&item)), 1, "{pk} {sk} is {} bytes", size(&item));
        }
        Ok(())
    });
}
