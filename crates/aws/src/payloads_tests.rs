use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const EXPIRES_AT: Timestamp = Timestamp::from_millis(1_795_428_000_000);
/// As the name of a tenant of four letters and a hash.
const NAME: &str = "acme/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn payloads() -> impl Strategy<Value = Vec<u8>> {
    let text = vec(prop_oneof![Just("amount "), Just("status "), Just("loan-id ")], 0..900);
    prop_oneof![vec(any::<u8>(), 0..5000), text.prop_map(|words| words.concat().into_bytes())]
}

proptest! {
    #[test]
    fn the_table_gives_the_bytes_that_it_was_given(bytes in payloads(), limit in 0..4000_usize) {
        let bytes = Bytes::from(bytes);
        let key = PayloadKey::of(&bytes);
        match table_item(NAME, &bytes, EXPIRES_AT, limit) {
            Some(item) => {
                let stored = [BYTES, PACKED].into_iter().filter_map(|name| item.get(name)?.as_b().ok());
                prop_assert!(stored.map(|stored| stored.as_ref().len()).sum::<usize>() <= limit);
                prop_assert_eq!(table_bytes(item, key).ok(), Some(bytes));
            }
            None => prop_assert!(bytes.len() > limit),
        }
    }
}

#[test]
fn a_payload_is_packed_where_it_saves_a_write_unit_or_a_put_of_an_object() {
    let text = |length: usize| Bytes::from("12345678 ".repeat(length / 9));
    let attribute = |bytes: &Bytes| {
        let item = table_item(NAME, bytes, EXPIRES_AT, 1536)?;
        Some([BYTES, PACKED].into_iter().filter(|name| item.contains_key(*name)).collect::<Vec<_>>())
    };
    assert_eq!(attribute(&text(900)), Some(vec![BYTES]), "one unit as it is");
    assert_eq!(attribute(&text(1100)), Some(vec![PACKED]));
    assert_eq!(attribute(&text(6000)), Some(vec![PACKED]));
    assert_eq!(attribute(&text(6200)), None, "more than is tried");
}

/// As the first version that packed any stored it: it is readable for ever.
#[test]
fn a_packed_payload_that_was_stored_is_read() {
    let packed = include_bytes!("items/golden/attempt.status-200.packed");
    let original = include_bytes!("../../stored/tests/golden/attempt.status-200.json");
    let item = Item::from([("packed".into(), AttributeValue::B(packed.to_vec().into()))]);
    assert_eq!(table_bytes(item, PayloadKey::of(original)).expect("a payload"), original[..]);
}

#[test]
fn packed_bytes_of_another_payload_are_an_error() {
    let bytes = Bytes::from("12345678 ".repeat(200));
    let item = table_item(NAME, &bytes, EXPIRES_AT, 1536).expect("small");
    let error = table_bytes(item, PayloadKey::of(b"other bytes")).expect_err("other bytes");
    assert!(error.to_string().contains("damaged"), "{error}");
}
