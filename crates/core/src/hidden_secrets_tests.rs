use proptest::prelude::*;

use super::*;
use crate::model::destination::HIDDEN;

fn answer(headers: &[(&str, &str)], body: &str, truncated: bool) -> Option<ReceivedResponse> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = Bytes::copy_from_slice(body.as_bytes());
    Some(ReceivedResponse { headers, headers_truncated: false, headers_dropped: 0, body, truncated })
}

fn hidden(secret: &str, body: &str, truncated: bool) -> String {
    let mut secrets = HiddenSecrets::default();
    secrets.add(secret);
    let mut answer = answer(&[], body, truncated);
    secrets.hide(&mut answer);
    String::from_utf8(answer.expect("an answer").body.to_vec()).expect("text")
}

#[test]
fn a_secret_is_hidden_however_it_is_written() {
    const SECRET: &str = "p\"ss/w&rd <1>";
    for (body, shown) in [
        ("nothing of it", "nothing of it"),
        ("a p\"ss/w&rd <1> b", "a *** b"),
        (r#"{"sent": "p\"ss/w&rd <1>"}"#, r#"{"sent": "***"}"#),
        (r#"{"sent": "p\"ss\/w&rd <1>"}"#, r#"{"sent": "***"}"#),
        ("<b>p&quot;ss/w&amp;rd &lt;1&gt;</b>", "<b>***</b>"),
        ("?a=p%22ss%2Fw%26rd%20%3C1%3E&b", "?a=***&b"),
        ("?a=p%22ss%2fw%26rd%20%3c1%3e&b", "?a=***&b"),
        ("a=p%22ss%2Fw%26rd+%3C1%3E&b", "a=***&b"),
        // In base64.
        ("cCJzcy93JnJkIDwxPg==", "***=="),
        ("p\"ss/w&rd <1>p\"ss/w&rd <1>", "******"),
    ] {
        assert_eq!(hidden(SECRET, body, false), shown, "{body}");
    }
}

#[test]
fn a_secret_is_hidden_however_json_and_html_escape_it() {
    const SECRET: &str = "a+b&c<d>e'f=gü😀\"";
    for written in [
        // Python, PHP.
        r#"a+b&c<d>e'f=g\u00fc\ud83d\ude00\""#,
        // Go.
        r#"a+b\u0026c\u003cd\u003ee'f=gü😀\""#,
        // Gson.
        r#"a+b\u0026c\u003cd\u003ee\u0027f\u003dgü😀\""#,
        // .NET.
        r#"a\u002Bb\u0026c\u003Cd\u003Ee\u0027f=g\u00FC\uD83D\uDE00\u0022"#,
        "a+b&amp;c&lt;d&gt;e&#39;f=gü😀&quot;",
        "a+b&amp;c&lt;d&gt;e&#x27;f=gü😀&quot;",
        "a&#43;b&amp;c&lt;d&gt;e&#39;f=gü😀&#34;",
    ] {
        assert_eq!(hidden(SECRET, &format!("said {written} so"), false), "said *** so", "{written}");
    }
}

#[test]
fn what_is_no_secret_is_not_hidden() {
    let mut secrets = HiddenSecrets::default();
    secrets.add_header("Accept", "application/json");
    secrets.add_header("cache-control", "no-store, no-cache");
    secrets.add_header("X-Format", "text/calendar");
    let body = "application/json, no-store, no-cache, text/calendar";
    let mut answer = answer(&[("Content-Type", "text/calendar"), ("x-other", "text/calendar")], body, false);
    secrets.hide(&mut answer);
    let answer = answer.expect("an answer");
    let values: Vec<_> = answer.headers.iter().map(|(_, value)| value.as_str()).collect();
    // The type of the answer stands whatever a header of ours says.
    assert_eq!(
        (values, &answer.body[..]),
        (vec!["text/calendar", "***"], &b"application/json, no-store, no-cache, ***"[..])
    );
}

#[test]
fn a_short_value_is_not_looked_for() {
    assert_eq!(hidden("1234567", "1234567", false), "1234567");
    assert_eq!(hidden("12345678", "12345678", false), "***");
}

#[test]
fn the_beginning_of_a_secret_at_the_end_of_what_was_cut_is_hidden() {
    assert_eq!(hidden("0123456789abcdef", "said 0123456789", true), "said ***");
    assert_eq!(hidden("0123456789abcdef", "said 0123456789", false), "said 0123456789");
    assert_eq!(hidden("0123456789abcdef", "said 01234", true), "said 01234");
}

#[test]
fn headers_of_an_answer_and_of_settings_by_table() {
    let mut secrets = HiddenSecrets::default();
    secrets.add_header("authorization", "Bearer abcdefgh-token");
    secrets.add_header("Authorization", "Basic YW5uOmh1c2gtaHVzaA==");
    secrets.add_header("X-Key", "the key of ours");
    let mut answer = answer(
        &[("x-echo", "Bearer abcdefgh-token"), ("x-other", "the key of ours; hush-hush"), ("date", "today")],
        "Bearer YW5uOmh1c2gtaHVzaA==",
        false,
    );
    secrets.hide(&mut answer);
    let answer = answer.expect("an answer");
    let values: Vec<_> = answer.headers.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["Bearer ***", "***; ***", "today"]);
    assert_eq!(answer.body, "Bearer ***");
}

proptest! {
    #[test]
    fn no_secret_is_left(
        secret in "[ -~]{8,40}",
        before in "[a-z]{0,20}",
        after in "[a-z]{0,20}",
    ) {
        prop_assume!(!HIDDEN.contains(&secret) && !format!("{before}{after}").contains(&secret));
        let shown = hidden(&secret, &format!("{before}\n{secret}\n{after}"), false);
        prop_assert!(!shown.contains(&secret), "{shown}");
    }
}
