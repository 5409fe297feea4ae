use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn json(text: &str, cut: bool) -> Preview {
    Preview::Json { text: text.into(), cut }
}

#[test]
fn json_is_laid_out_and_spelt_as_it_came() {
    let sent = r#"{"b":250.00,"a":[1,2.50e3,"x\"y, {z}"],"c":{},"d":[ ],"é":"\u00e9"}"#;
    let shown = "{\n  \"b\": 250.00,\n  \"a\": [\n    1,\n    2.50e3,\n    \"x\\\"y, {z}\"\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"é\": \"\\u00e9\"\n}";
    assert_eq!(Preview::of(sent.as_bytes()), json(shown, false));
    assert_eq!(Preview::of(b"null"), json("null", false));
}

#[test]
fn what_is_no_json_is_shown_as_it_is() {
    for text in ["received", "<script>alert(1)</script>", "{\"a\":", "{'a': 1}", " "] {
        assert_eq!(Preview::of(text.as_bytes()), Preview::Text { text: text.into(), cut: false });
    }
    assert_eq!(Preview::of(b""), Preview::Empty);
}

#[test]
fn what_is_no_text_is_bytes() {
    let Preview::Binary { text, cut } = Preview::of(b"\x00\x01PNG\xff<b>") else { panic!("no text") };
    assert_eq!(text, format!("000000  {:47}  ..PNG.<b>\n", "00 01 50 4e 47 ff 3c 62 3e"));
    assert!(!cut);
    assert!(matches!(Preview::of(&[0xff; 2000]), Preview::Binary { cut: true, .. }));
    assert!(matches!(Preview::of(b"a\0b"), Preview::Binary { .. }));
}

#[test]
fn all_is_cut_at_the_bound_between_characters() {
    let Preview::Text { text, cut } = Preview::of("é".repeat(1 << 19).as_bytes()) else { panic!("text") };
    assert!(cut && text.len() <= MAX_TEXT_BYTES && text.chars().all(|c| c == 'é'));
    let line = format!("[{}1]", "1,".repeat(1 << 19));
    let Preview::Json { text, cut } = Preview::of(line.as_bytes()) else { panic!("JSON") };
    assert!(cut && text.len() < MAX_TEXT_BYTES + 1024);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let Preview::Json { text, cut } = Preview::of(deep.as_bytes()) else { panic!("JSON") };
    assert!(cut && text.len() < MAX_TEXT_BYTES + 1024);
}

#[test]
fn what_would_not_be_seen_is_named() {
    assert_eq!(
        text_parts("a\u{202e}b\r\n\tc"),
        [
            TextPart::Plain("a"),
            TextPart::Invisible('\u{202e}'),
            TextPart::Plain("b"),
            TextPart::Invisible('\r'),
            TextPart::Plain("\n\tc")
        ]
    );
    assert_eq!(text_parts(""), []);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn layout_changes_nothing_but_space(value in values()) {
        let Preview::Json { text, cut: false } = Preview::of(value.to_string().as_bytes()) else {
            // A NUL is written as an escape, so JSON never holds one.
            return Err(TestCaseError::fail("not JSON"));
        };
        prop_assert_eq!(serde_json::from_str::<Value>(&text).expect("still JSON"), value);
    }

    #[test]
    fn parts_are_the_whole(text in ".{0,40}") {
        let whole: String = text_parts(&text)
            .iter()
            .map(|part| match part {
                TextPart::Plain(text) => (*text).to_owned(),
                TextPart::Invisible(c) => c.to_string(),
            })
            .collect();
        prop_assert_eq!(whole, text);
    }
}
