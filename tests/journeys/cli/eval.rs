//! `eval`: a formula tried with no server.

use serde_json::json;

use super::run_command;
use crate::harness::server::loanhook_command;

#[tokio::test]
async fn eval_needs_no_server() {
    let eval = async |arguments: &[&str], input: &str| {
        let arguments: Vec<_> = ["eval"].iter().chain(arguments).copied().collect();
        run_command(loanhook_command(), &arguments, input).await
    };
    assert_eq!(eval(&["(+ 1/2 1/3)"], "").await.expect_success(), "5/6\n");
    assert_eq!(eval(&["-5"], "").await.expect_success(), "-5\n");
    let context = r#"{"status-days-past-due": 31, "amount": 250.00}"#;
    assert_eq!(
        eval(&["(> status-days-past-due 30)", "--context", "-"], context).await.expect_success(),
        "true\n"
    );
    let whole = eval(&["[amount :a]", "--context", "-", "--json"], context).await.json();
    assert_eq!(whole, json!({"value": [250.0, "a"], "printed": "[250.0 :a]"}));

    let error = eval(&["(and true\n (conut [1]))"], "").await.expect_failure(1);
    assert!(error.contains("did you mean `count`") && error.contains("line 2, column 2"), "{error}");
    assert!(eval(&["1", "--context", "-"], "[1]").await.expect_failure(1).contains("must be a JSON object"));
    assert!(eval(&["1", "--context", "-"], "{").await.expect_failure(1).contains("not JSON"));
}
