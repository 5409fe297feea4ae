//! `POST /v1/formulas/evaluate` and `POST /v1/templates/render`: a formula or a template tried before it is saved.

use serde_json::{Value, json};

use super::CONTEXT;
use crate::harness::{Journey, text};

#[tokio::test]
async fn a_formula_or_a_template_can_be_tried_without_a_subscription() {
    let j = Journey::start().await;
    let evaluate = async |formula: &str| {
        let body = format!(r#"{{"formula": {}, "context": {CONTEXT}}}"#, json!(formula));
        j.api.request("POST", "/v1/formulas/evaluate").body(body).send().await
    };
    for (formula, value, printed) in [
        ("(> last-payment-amount 100)", json!(true), "true"),
        ("last-payment-amount", json!(250.0), "250.0"),
        ("(/ 1 3)", Value::Null, "1/3"),
        ("(map :type payments)", json!(["ach"]), "(\"ach\")"),
        ("{:a #{1}}", json!({"a": [1]}), "{:a #{1}}"),
        ("unknown", Value::Null, "nil"),
        ("(= 1 1.0)", json!(false), "false"),
    ] {
        let answer = evaluate(formula).await.expect_status(200).json();
        assert_eq!(answer, json!({"value": value, "printed": printed}), "{formula}");
    }
    let problem = evaluate("(+ 1\n   borrower)").await.expect_problem(422);
    assert_eq!(
        (&problem["errors"][0]["line"], &problem["errors"][0]["column"]),
        (&json!(1), &json!(1)),
        "{problem}"
    );
    assert!(!problem.to_string().contains("Annie"), "a problem shows no value: {problem}");
    let problem = evaluate("(println borrower)").await.expect_problem(422);
    assert!(text(&problem["type"]).ends_with("/formula-unsupported"), "{problem}");
    evaluate("(count (range))").await.expect_problem(422);

    let render = async |body: Value| j.api.post("/v1/templates/render", &body).await;
    let answer = render(json!({"template": "{\"a\": [[v('a')]]}", "context": {"a": "\"b\""}}))
        .await
        .expect_status(200)
        .json();
    assert_eq!(answer, json!({"rendered": "{\"a\": \"\\\"b\\\"\"}"}));
    let url = json!({"template": "https://a.example.com/[[v('loan-id')]]?[[v('a')]]", "target": "url", "loanId": "7 27", "context": {"a": "&"}});
    assert_eq!(render(url).await.expect_status(200).json()["rendered"], "https://a.example.com/7%2027?%26");
    let plain = json!({"template": "[[v('event-name')]]: [[v('a')]]", "contentType": "text/plain", "eventName": "B", "context": {"a": "\"b\""}});
    assert_eq!(render(plain).await.expect_status(200).json()["rendered"], "B: \"b\"");
    let problem = render(json!({"template": "[[v('missing')]]"})).await.expect_problem(422);
    assert!(text(&problem["detail"]).contains("`missing`"), "{problem}");
    let problem = render(json!({"template": "{\"ü\":\n [[v('missing')]]}"})).await.expect_problem(422);
    let error = &problem["errors"][0];
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(2)), "{problem}");
    render(json!({"template": "[[v('a']]"})).await.expect_errors_at(&["/template"]);
    let form = json!({"template": "a=[[v('a')]]", "contentType": "application/x-www-form-urlencoded", "context": {"a": "b&c=1"}});
    assert_eq!(render(form).await.expect_status(200).json()["rendered"], "a=b%26c%3D1");
    let xml = json!({"template": "<a>[[v('a')]]</a>", "contentType": "text/xml; charset=utf-8", "context": {"a": "<b/>"}});
    assert_eq!(render(xml).await.expect_status(200).json()["rendered"], "<a>&lt;b/&gt;</a>");
    let header = json!({"template": "[[v('a')]]", "target": "header", "context": {"a": " b "}});
    assert_eq!(render(header).await.expect_status(200).json()["rendered"], "b");
    for (target, template) in
        [("url", "https://u:p@a.example.com/"), ("url", "/hook"), ("header", " a"), ("header", "ü")]
    {
        render(json!({"template": template, "target": target})).await.expect_errors_at(&["/template"]);
    }

    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    for path in ["/v1/formulas/evaluate", "/v1/templates/render"] {
        reader.post(path, &json!({"formula": "1"})).await.expect_problem(403);
        reader.with_key(None).post(path, &json!({})).await.expect_problem(401);
    }
}
