//! Cursor of a list of deliveries across loans: a position as a text, in URLs of the API and of the pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use loanhook_core::model::delivery::DeliveryPosition;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;

/// A cursor is the time of a position in milliseconds, and its trace.
const TIME_BYTES: usize = 8;
/// The last moment that RFC 3339 can say, in milliseconds.
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// The cursor of the page after this position.
pub(crate) fn delivery_cursor(position: DeliveryPosition) -> String {
    let mut bytes = position.accepted_at.millis().to_be_bytes().to_vec();
    bytes.extend(position.trace.uuid().as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position of a cursor; none where the text is no cursor.
pub(crate) fn read_delivery_cursor(text: &str) -> Option<DeliveryPosition> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (time, trace) = bytes.split_at_checked(TIME_BYTES)?;
    let millis = i64::from_be_bytes(time.try_into().ok()?);
    (0..=LAST_MILLIS).contains(&millis).then_some(())?;
    let trace = TraceId::from_uuid(Uuid::from_slice(trace).ok()?);
    Some(DeliveryPosition { accepted_at: Timestamp::from_millis(millis), trace })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_given() {
        let trace = "01a207d9-217b-8000-8000-00000000002f".parse().expect("a trace");
        let position = DeliveryPosition { accepted_at: Timestamp::from_millis(1_795_428_000_123), trace };
        let cursor = delivery_cursor(position);
        assert_eq!(cursor.len(), 32);
        assert_eq!(read_delivery_cursor(&cursor), Some(position));
        for wrong in ["", "AAAA", &cursor[1..], &"_".repeat(32), &format!("{cursor}AAAA")] {
            assert_eq!(read_delivery_cursor(wrong), None, "{wrong}");
        }
    }
}
