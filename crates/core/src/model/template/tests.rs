use chrono::DateTime;
use serde_json::value::RawValue;

use super::*;
use crate::model::id::{EventId, SubscriptionId, TraceId};
use crate::model::time::Timestamp;
use loanhook_formula::Context;

const CONTEXT: &str = r#"{"amount": 250.00, "name": "A \"B\" ü/&\n", "none": null, "yes": true, "dot": ".", "less": "'<b/>", "bell": "\u0007", "dots": "..",
    "payments": [{"amount": 1e2}, {"amount": 7}], "loan.status": "Open", "loan-id": "other", "tags": ["a", "b"],
    "spread": {
"c": [1,
2]}}"#;

fn rendered(template: &str, target: Target) -> Result<String, String> {
    let context: Box<RawValue> = serde_json::from_str(CONTEXT).expect("JSON");
    let context = Context::new(&context, DateTime::UNIX_EPOCH).expect("an object");
    let at = Timestamp::from_millis(0);
    let variables = Variables {
        context: &context,
        event_name: "Payment Posted",
        loan_id: Some("727"),
        trace_id: TraceId::of(EventId::at(at), SubscriptionId::at(at)),
        occurred_at: "2026-11-23T10:00:00.000Z".into(),
    };
    let template = Template::parse(template, target).map_err(|error| error.to_string())?;
    template.render(&variables, 10_000).map_err(|error| error.to_string())
}

const JSON: Target = Target::Body(Body::Json);
const PLAIN: Target = Target::Body(Body::Plain);
const FORM: Target = Target::Body(Body::Form);
const XML: Target = Target::Body(Body::Xml);

#[test]
fn values_are_escaped_for_where_they_stand() {
    for (template, target, expected) in [
        (r#"{"a": [[v('amount')]]}"#, JSON, r#"{"a": 250.00}"#),
        (r#"{"a": "[[v('amount')]] USD"}"#, JSON, r#"{"a": "250.00 USD"}"#),
        (r#"{"a": [[v('name')]]}"#, JSON, r#"{"a": "A \"B\" ü/&\n"}"#),
        (r#"{"a": "<[[v('name')]]>"}"#, JSON, r#"{"a": "<A \"B\" ü/&\n>"}"#),
        (r#"{"\"[[v('yes')]]": [[v('none')]]}"#, JSON, r#"{"\"true": null}"#),
        (r#"[[v('payments')]]"#, JSON, r#"[{"amount": 1e2}, {"amount": 7}]"#),
        (r#"{"tags": "[[v('tags')]]"}"#, JSON, r#"{"tags": "[\"a\", \"b\"]"}"#),
        (r#"[[1,2],[[v("payments[1].amount")]]]"#, JSON, "[[1,2],7]"),
        ("[[v('payments.0.amount')]] [[v('loan.status')]]", PLAIN, "1e2 Open"),
        ("[[ v( 'event-name' ) ]]|[[v('loan-id')]]|[[v('none')]]|[[x]]", PLAIN, "Payment Posted|727||[[x]]"),
        (
            "https://a.example.com/[[v('name')]]?b=[[v('amount')]]",
            Target::Url,
            "https://a.example.com/A%20%22B%22%20%C3%BC%2F%26%0A?b=250.00",
        ),
        (
            "a=[[v('name')]]&b=[[v('tags')]]",
            FORM,
            "a=A%20%22B%22%20%C3%BC%2F%26%0A&b=%5B%22a%22%2C%20%22b%22%5D",
        ),
        (
            "<a b='[[v('name')]]'>[[v('less')]]</a>",
            XML,
            "<a b='A &quot;B&quot; ü/&amp;&#10;'>&apos;&lt;b/&gt;</a>",
        ),
        ("Token [[v('name')]]", Target::Header, "Token A \"B\" %C3%BC/&%0A"),
    ] {
        assert_eq!(rendered(template, target).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn a_default_stands_for_what_is_missing_or_null() {
    for (template, target, expected) in [
        (r#"{"a": [[v('missing','0')]]}"#, JSON, r#"{"a": 0}"#),
        (r#"{"a": [[v('missing','no \'one\'')]]}"#, JSON, r#"{"a": "no 'one'"}"#),
        (r#"{"a": "[[v('none','0')]]"}"#, JSON, r#"{"a": "0"}"#),
        ("[[v('amount','0')]][[v('payments[9].amount','-')]]", PLAIN, "250.00-"),
        ("[[v('occurred-at','never')]]", PLAIN, "2026-11-23T10:00:00.000Z"),
    ] {
        assert_eq!(rendered(template, target).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (template, target, expected) in [
        (
            "a\n [[x('a')]]",
            PLAIN,
            "a placeholder is [[v('name')]] or [[v('name','default')]] (line 2, column 2)",
        ),
        (
            "<a>[[v('bell')]]</a>",
            XML,
            "`bell` holds a control character, which XML cannot hold in any way (line 1, column 4)",
        ),
        ("[[v('')]]", PLAIN, "a placeholder names a variable (line 1, column 1)"),
        (
            "ü[[v('missing')]]",
            PLAIN,
            "there is no variable `missing` in the event's context, and no default (line 1, column 2)",
        ),
        (
            "https://a/[[v('dots')]]",
            Target::Url,
            "`dots` makes `.` or `..` of a part of the URL's path, which would lead elsewhere (line 1, column 11)",
        ),
    ] {
        assert_eq!(rendered(template, target), Err(expected.to_owned()), "{template}");
    }
    for template in ["[[v(a)]]", "[[v('a'", "[[v('a')]", "[[v('a','b','c')]]", "[[v('a\n')]]"] {
        assert!(rendered(template, PLAIN).is_err(), "{template}");
    }
}

#[test]
fn no_value_leads_elsewhere_in_the_path() {
    for (template, expected) in [
        ("https://a/[[v('dots')]]/b", None),
        ("https://a/[[v('dot')]]?b", None),
        ("https://a/b/[[v('dot')]][[v('dot')]]", None),
        ("https://a/.[[v('dot')]]#b", None),
        ("https://a/[[v('none','')]]%2E", None),
        ("https://a/b\\[[v('dots')]]", None),
        ("https://a/x[[v('dots')]]/b", Some("https://a/x../b")),
        ("https://a/[[v('dots')]].", Some("https://a/...")),
        ("https://a/b?[[v('dots')]]", Some("https://a/b?..")),
        ("https://a/b?c=[[v('dot')]]&d=/[[v('dots')]]/", Some("https://a/b?c=.&d=/../")),
        ("https://a/b#[[v('dots')]]", Some("https://a/b#..")),
    ] {
        let rendered = rendered(template, Target::Url);
        assert_eq!(rendered.as_deref().ok(), expected, "{template}: {rendered:?}");
    }
}

#[test]
fn json_texts_one_after_the_other_are_escaped_as_json_on_their_lines() {
    let lines = Target::body("application/x-ndjson");
    for (template, expected) in [
        (
            "{\"a\": [[v('spread')]]}\n{\"b\": \"[[v('name')]]\"}\n",
            "{\"a\": { \"c\": [1, 2]}}\n{\"b\": \"A \\\"B\\\" ü/&\\n\"}\n",
        ),
        ("\u{1e}[[v('yes')]]\n\u{1e}[1]\n", "\u{1e}true\n\u{1e}[1]\n"),
    ] {
        assert_eq!(rendered(template, lines).as_deref(), Ok(expected), "{template}");
    }
    for wrong in ["{\"a\": [[v('yes')]]\n{}", "{} USD", "[\"\u{1e}\"]"] {
        assert!(Template::parse(wrong, lines).is_err(), "{wrong:?}");
    }
}

#[test]
fn what_is_no_json_is_told_with_its_line_and_column() {
    for (template, line, column) in [
        ("{\"a\": [[v('amount')]] USD}", 1, 23),
        ("{\"ü\": \"[[v('ü')]]\", b}", 1, 21),
        ("{\"a\": 1,\n \"b\": [[v('b')]]\n \"c\": 1}", 3, 2),
        ("{[[v('name')]]: 1}", 1, 2),
        ("[1,\n2", 2, 1),
    ] {
        let error = Template::parse(template, JSON).expect_err(template);
        assert_eq!((error.at.line, error.at.column), (line, column), "{template}: {error}");
    }
}

#[test]
fn a_body_of_json_must_be_json_whatever_the_values_are() {
    for (template, good) in [
        (r#"{"a": [[v('amount')]]}"#, true),
        (r#"{"a": [[v('amount')]] USD}"#, false),
        (r#"{[[v('name')]]: 1}"#, false),
        (r#"{"a": 1[[v('amount')]]}"#, false),
        (r#"{"a": "[[v('amount')]]"#, false),
    ] {
        assert_eq!(Template::parse(template, JSON).is_ok(), good, "{template}");
    }
    assert_eq!(Target::body("Application/JSON; charset=utf-8"), JSON);
    assert_eq!(Target::body("application/vnd.bank+json"), JSON);
    assert_eq!(Target::body("text/json"), JSON);
    assert_eq!(Target::body("text/plain"), PLAIN);
    assert_eq!(Target::body("text/notjson"), PLAIN);
    assert_eq!(Target::body("application/x-www-form-urlencoded;charset=UTF-8"), FORM);
    for xml in ["application/xml", "Text/XML; charset=utf-8", "application/soap+xml"] {
        assert_eq!(Target::body(xml), XML, "{xml}");
    }
}

#[test]
fn a_template_renders_to_so_much_and_no_more() {
    let long = "a".repeat(9_990);
    assert!(rendered(&format!("{long}[[v('amount')]]"), PLAIN).is_ok());
    assert!(rendered(&format!("{long}12345[[v('amount')]]"), PLAIN).is_err());
}

#[test]
fn no_value_chooses_the_host() {
    for template in [
        "[[v('name')]]",
        "https://[[v('name')]]/x",
        "https://api.example.com[[v('name')]]/x",
        "https://api.example.com:[[v('name')]]/x",
        "https://[[v('name')]]@api.example.com/x",
        "https:[[v('name')]]",
        "https:///api.example.com[[v('name')]]/x",
        "https://\t/api.example.com[[v('name')]]/x",
        "https:/\\api.example.com[[v('name')]]/x",
    ] {
        let error = Template::parse(template, Target::Url).expect_err(template);
        assert!(
            error.detail.starts_with("a placeholder in a URL stands after the host"),
            "{template}: {error}"
        );
    }
    for template in
        ["https://api.example.com/[[v('name')]]", "http://a:1?[[v('name')]]", "http://u:p@a#[[v('name')]]"]
    {
        assert!(Template::parse(template, Target::Url).is_ok(), "{template}");
    }
}

#[test]
fn a_path_that_leads_nowhere_is_told_when_it_is_read() {
    for name in ["a.", ".a", "a..b", "a[", "a[0", "a[]", "a[-1]", "a[x]", "a[0]b", "a]", "a[0]]", "a.[0]"] {
        assert!(Template::parse(&format!("[[v('{name}')]]"), PLAIN).is_err(), "{name}");
    }
    for name in ["a", "a.b", "a[0]", "a[0][1].b", "a.0.b", "status-days-past-due", "a b"] {
        assert!(Template::parse(&format!("[[v('{name}')]]"), PLAIN).is_ok(), "{name}");
    }
}
