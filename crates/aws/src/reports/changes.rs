//! Changes of counts, facts for metrics, and what may be told, made of the records of the stream: an item before its change, and
//! after it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::types::{AttributeValue as StreamValue, Record};

use crate::items::item::{Item, document, get_text, is_newer};
use crate::items::key_schema::{PK, is_job};
use crate::items::{delivery_item, event_item, row_item};
use crate::operational::Happening;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::model::flow::FlowState;
use loanhook_core::model::job::{Job, JobCounts};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::metrics::HistoryFact;
use loanhook_core::model::report::{CountChange, Counting};
use loanhook_core::ports::{StoreError, StoreResult};

/// By whom DynamoDB says that an item was deleted whose time was over
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html>).
const TIME_TO_LIVE: &str = "dynamodb.amazonaws.com";

/// Why a record cannot be counted.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordFault {
    /// A newer loanhook wrote an item of it, and counts it once its function of reports runs.
    #[error("a newer loanhook wrote it")]
    Newer,
    /// An item of it cannot be read, and never will be.
    #[error(transparent)]
    Unreadable(StoreError),
}

/// What a record says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// What it adds to the counts.
    pub(super) counts: Vec<CountChange>,
    /// What it adds to metrics, beside those.
    pub(super) facts: Vec<HistoryFact>,
    /// What may be told of it.
    pub(super) happening: Option<Happening>,
}

impl From<Vec<CountChange>> for Changes {
    fn from(counts: Vec<CountChange>) -> Self {
        Self { counts, ..Self::default() }
    }
}

impl From<Option<Happening>> for Changes {
    fn from(happening: Option<Happening>) -> Self {
        Self { happening, ..Self::default() }
    }
}

/// What a record says.
///
/// # Errors
///
/// Where an item cannot be read: then nothing of the record is counted or told.
pub(super) fn changes(counting: Counting, record: &Record) -> Result<Changes, RecordFault> {
    let deleter = record.user_identity().and_then(|identity| identity.principal_id());
    // What is too old is not taken back.
    if deleter == Some(TIME_TO_LIVE) {
        return Ok(Changes::default());
    }
    let images = record.dynamodb();
    let before = images.and_then(|images| images.old_image()).map(item);
    let after = images.and_then(|images| images.new_image()).map(item);
    let Some(partition) = after.as_ref().or(before.as_ref()).and_then(|item| get_text(item, PK)) else {
        return Ok(Changes::default());
    };
    let (before, after) = (before.as_ref(), after.as_ref());
    let (read, is_newer): (_, fn(&Item) -> bool) = match partition.split_once('#') {
        Some(("T", _)) => (of_delivery(counting, before, after), is_newer::<DeliverySnapshot>),
        Some(("L", _)) => (of_row(counting, before, after), is_newer::<Attempt>),
        Some(("V", _)) => (of_event(counting, before, after), is_newer::<LedgerEvent>),
        Some(("B", name)) => {
            (Happening::of_flow(name, before, after).map(Changes::from), is_newer::<FlowState>)
        }
        Some(("J", _)) if is_job(partition) => (of_job(before, after), is_newer::<Job>),
        Some(("S", name)) => return Ok(Happening::of_settings(name, before, after).into()),
        _ => return Ok(Changes::default()),
    };
    read.map_err(|fault| match before.is_some_and(is_newer) || after.is_some_and(is_newer) {
        true => RecordFault::Newer,
        false => RecordFault::Unreadable(fault),
    })
}

type Read = StoreResult<Changes>;

fn of_delivery(counting: Counting, before: Option<&Item>, after: Option<&Item>) -> Read {
    let [before, after] = [before, after].map(|item| item.map(delivery_item::read));
    let (before, after) = (before.transpose()?, after.transpose()?);
    let (before, after) = (before.as_ref(), after.as_ref());
    let counts = Vec::from_iter(counting.delivery(before, after));
    Ok(Changes { happening: Happening::of_delivery(before, after), ..Changes::from(counts) })
}

fn of_row(counting: Counting, before: Option<&Item>, after: Option<&Item>) -> Read {
    let [before, after] = [before, after].map(|item| item.map(row_item::read));
    let (before, Some(after)) = (before.transpose()?, after.transpose()?) else {
        return Ok(Changes::default());
    };
    let counts = Vec::from_iter(counting.attempt(before.as_ref(), &after));
    Ok(Changes { happening: Happening::of_row(before.as_ref(), &after), ..Changes::from(counts) })
}

/// The verdicts of an event that is taken away again stay counted: a counter does not shrink.
fn of_event(counting: Counting, before: Option<&Item>, after: Option<&Item>) -> Read {
    Ok(match (before, after) {
        (None, Some(after)) => {
            let event = event_item::read(after)?;
            let counts = Vec::from_iter(counting.event(&event));
            let facts = if counts.is_empty() { Vec::new() } else { HistoryFact::verdicts(&event).collect() };
            Changes { facts, ..Changes::from(counts) }
        }
        (Some(before), None) => Vec::from_iter(counting.event_taken_back(&event_item::read(before)?)).into(),
        _ => Changes::default(),
    })
}

fn of_job(before: Option<&Item>, after: Option<&Item>) -> Read {
    let Some(after) = after else { return Ok(Changes::default()) };
    let before: Option<Job> = before.map(document).transpose()?;
    let after: Job = document(after)?;
    let happening = Happening::of_job(before.as_ref(), &after);
    let before = before.map_or_else(JobCounts::default, |job| job.counts);
    let fact = HistoryFact::JobItems { kind: after.request.kind, before, after: after.counts };
    Ok(Changes { facts: vec![fact], ..Changes::from(happening) })
}

/// An image as the item that it is of: the SDK has types of its own for the stream.
fn item(image: &HashMap<String, StreamValue>) -> Item {
    image.iter().filter_map(|(name, of)| Some((name.clone(), value(of)?))).collect()
}

fn value(of: &StreamValue) -> Option<AttributeValue> {
    Some(match of {
        StreamValue::S(text) => AttributeValue::S(text.clone()),
        StreamValue::N(number) => AttributeValue::N(number.clone()),
        StreamValue::B(bytes) => AttributeValue::B(bytes.clone()),
        StreamValue::Bool(value) => AttributeValue::Bool(*value),
        StreamValue::M(values) => AttributeValue::M(item(values)),
        // No item that is counted has another type.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodbstreams::types::{Identity, StreamRecord};

    use super::*;
    use crate::items::item::text;
    use crate::items::key_schema::DOC;
    use loanhook_core::model::id::{EventId, LoanId, TenantId};
    use loanhook_core::model::ledger::{LedgerEvent, StoredContext};
    use loanhook_core::model::payload::PayloadKey;
    use loanhook_core::model::time::Timestamp;

    fn image(accepted_at: Timestamp) -> HashMap<String, StreamValue> {
        let event = LedgerEvent {
            id: EventId::at(accepted_at),
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
            name: "Posted".into(),
            occurred_at: None,
            accepted_at,
            test: false,
            context: StoredContext { payload: PayloadKey::of(b"{}"), offset: 0, bytes: 2 },
            verdicts: Vec::new(),
        };
        let item = event_item::new(&event, accepted_at).expect("an item");
        let value = |value: AttributeValue| match value {
            AttributeValue::S(text) => StreamValue::S(text),
            AttributeValue::N(number) => StreamValue::N(number),
            AttributeValue::B(bytes) => StreamValue::B(bytes),
            other => panic!("{other:?}"),
        };
        item.into_iter().map(|(name, of)| (name, value(of))).collect()
    }

    fn record(
        before: Option<HashMap<String, StreamValue>>,
        after: Option<HashMap<String, StreamValue>>,
        deleter: Option<&str>,
    ) -> Record {
        let change = StreamRecord::builder().set_old_image(before).set_new_image(after).build();
        let identity = deleter.map(|principal| Identity::builder().principal_id(principal).build());
        Record::builder().dynamodb(change).set_user_identity(identity).build()
    }

    #[test]
    fn an_event_is_counted_taken_back_or_left_to_expire_by_table() {
        let at = Timestamp::from_millis(1_795_428_000_123);
        let (since, later) = (Counting::since(at), Counting::since(at.plus_millis(1)));
        let event = || Some(image(at));
        for (counting, record, counted) in [
            (Counting::ALL, record(None, event(), None), vec![1]),
            (Counting::ALL, record(event(), None, None), vec![-1]),
            (Counting::ALL, record(event(), None, Some(TIME_TO_LIVE)), vec![]),
            (Counting::ALL, record(event(), event(), None), vec![]),
            (since, record(None, event(), None), vec![1]),
            (later, record(None, event(), None), vec![]),
        ] {
            let changes = changes(counting, &record).expect("an event");
            let accepted: Vec<_> =
                changes.counts.iter().map(|change| change.counts.events_accepted).collect();
            assert_eq!(accepted, counted, "{record:?}");
        }
    }

    #[test]
    fn other_items_are_not_counted_and_what_cannot_be_read_is_an_error() {
        let only = |pk: &str| {
            let AttributeValue::S(pk) = text(pk) else { panic!("a text") };
            Some(HashMap::from([(PK.to_owned(), StreamValue::S(pk))]))
        };
        let chunk = "J#acme#01a207d9-217b-7000-8000-00000000002f";
        for pk in ["S#acme", "I#acme#event#key", "M#acme#727", "TT#acme", chunk] {
            let nothing = changes(Counting::ALL, &record(None, only(pk), None)).expect(pk);
            assert_eq!(nothing, Changes::default(), "{pk}");
        }
        for pk in ["T#acme#trace", "L#acme#727", "V#acme#727", "J#acme#resend", "J#acme#cancel"] {
            let fault = changes(Counting::ALL, &record(None, only(pk), None)).expect_err(pk);
            assert!(matches!(fault, RecordFault::Unreadable(_)), "{pk}: {fault}");
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_told_from_what_cannot_be_read() {
        for pk in ["T#acme#trace", "L#acme#727", "V#acme#727"] {
            let item = |doc: &str| {
                let texts =
                    [(PK, pk), (DOC, doc)].map(|(name, of)| (name.to_owned(), StreamValue::S(of.to_owned())));
                Some(HashMap::from(texts))
            };
            let newer =
                changes(Counting::ALL, &record(None, item(r#"{"v":4000000000}"#), None)).expect_err(pk);
            assert!(matches!(newer, RecordFault::Newer), "{pk}: {newer}");
            let damaged = changes(Counting::ALL, &record(item("{"), None, None)).expect_err(pk);
            assert!(matches!(damaged, RecordFault::Unreadable(_)), "{pk}: {damaged}");
        }
    }
}
