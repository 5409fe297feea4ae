use super::*;
use loanhook_core::model::attempt::{Completion, StoredResponse};
use loanhook_core::model::credentials::CredentialsVersion;
use loanhook_core::model::id::{EventId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::payload::Payload;
use loanhook_core::model::subscription::Method;

use crate::items::item::json;
use crate::items::item_size::write_units;
use loanhook_core::model::id::AttemptId;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn row(number: AttemptNumber, state: AttemptState) -> Attempt {
    Attempt {
        id: AttemptId::at(NOW),
        tenant: TenantId::try_from("default".to_owned()).expect("a tenant"),
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        trace_id: TraceId::of(EventId::at(NOW), SubscriptionId::at(NOW)),
        subscription_id: SubscriptionId::at(NOW),
        event_title: "Core banking: payment posted".into(),
        event_name: "Payment Posted to Account".into(),
        occurred_at: Some("2026-11-23T10:00:00Z".into()),
        test: false,
        method: Method::Post,
        destination: "https://core.example.com/hooks/loans".into(),
        content_type: Some("application/json".into()),
        source: Payload::of(b"{}"),
        number,
        requested_by: None,
        resend_of: None,
        address_version: None,
        credentials: CredentialsVersion::Own,
        sent_at: NOW,
        state,
        next_attempt_at: None,
    }
}

/// The end of an attempt, with a header of so many bytes, or without a response.
fn complete(header_bytes: usize) -> AttemptState {
    let response = StoredResponse {
        payload: Payload::of(b"a body"),
        content_type: Some("application/json".into()),
        truncated: false,
        headers: vec![("set-cookie".into(), "0123456789".repeat(header_bytes / 10))],
        headers_truncated: false,
        headers_dropped: 0,
    };
    AttemptState::Complete(Completion {
        ended_at: NOW,
        response_time_ms: Some(41.7),
        source_ip: None,
        result: Ok(200),
        response: (header_bytes > 0).then_some(response),
    })
}

fn delivery(first: Option<AttemptId>) -> Item {
    let mut item = Item::from([(EXPIRES.into(), number(NOW.seconds()))]);
    item.extend(first.map(|id| (FIRST_AUTO.into(), text(id.to_string()))));
    item
}

#[test]
fn a_document_is_packed_where_it_saves_a_write_unit_and_read_in_either_form() {
    for (header_bytes, packed, units) in [(0, false, 1), (500, true, 1), (20_000, true, 1)] {
        let row = row(AttemptNumber::Manual, complete(header_bytes));
        let item = new(&row, &delivery(None)).expect("an item");
        assert_eq!((item[DOC].is_b(), write_units(bytes_of(&item))), (packed, units), "{header_bytes}");
        assert_eq!(updated_document(&row).expect("a document"), item[DOC]);
        assert_eq!(read(&item).expect("a row"), row);
        let as_text = Item::from([(DOC.into(), json(&row).expect("JSON"))]);
        assert_eq!(read(&as_text).expect("a row"), row);
    }
}

/// A document as the first version that packed any stored it: it is readable for ever.
#[test]
fn a_packed_document_that_was_stored_is_read() {
    let packed = include_bytes!("golden/attempt.status-200.packed");
    let json = include_str!("../../../stored/tests/golden/attempt.status-200.json");
    let item = Item::from([("doc".into(), AttributeValue::B(packed.to_vec().into()))]);
    assert_eq!(read(&item).expect("a row"), loanhook_stored::read(json).expect("a row"));
}

#[test]
fn a_damaged_document_is_an_error() {
    let mut item = new(&row(AttemptNumber::Manual, complete(500)), &delivery(None)).expect("an item");
    let AttributeValue::B(bytes) = &item[DOC] else { panic!("it is not packed") };
    let part = bytes.as_ref()[..100].to_vec();
    item.insert(DOC.into(), AttributeValue::B(part.into()));
    let error = read(&item).expect_err("a part");
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn a_row_is_in_the_index_unless_its_delivery_names_it_as_the_first_attempt() {
    let sending = || AttemptState::Sending { token: uuid::Uuid::from_u128(7) };
    let first = row(AttemptNumber::Auto(1), sending());
    let other = AttemptId::at(NOW);
    for (named, indexed) in [(Some(first.id), false), (Some(other), true), (None, true)] {
        let item = new(&first, &delivery(named)).expect("an item");
        assert_eq!(item.contains_key(TRACE), indexed, "{named:?}");
    }
}
