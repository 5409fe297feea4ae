//! `eval`: a formula tried with no server.

use serde_json::json;

use super::ran;
use crate::harness::server::loanhook;

#[tokio::test]
async fn a_formula_is_evaluated_where_no_loanhook_runs() {
    let eval = async |arguments: &[&str], input: &str| {
        let arguments: Vec<_> = ["eval"].iter().chain(arguments).copied().collect();
        ran(loanhook(), &arguments, input).await
    };
    assert_eq!(eval(&["(+ 1/2 1/3)"], "").await.printed(), "5/6\n");
    assert_eq!(eval(&["-5"], "").await.printed(), "-5\n");
    let context = r#"{"status-days-past-due": 31, "amount": 250.00}"#;
    assert_eq!(eval(&["(> status-days-past-due 30)", "--context", "-"], context).await.printed(), "true\n");
    let whole = eval(&["[amount :a]", "--context", "-", "--json"], context).await.json();
    assert_eq!(whole, json!({"value": [250.0, "a"], "printed": "[250.0 :a]"}));

    let told = eval(&["(and true\n (conut [1]))"], "").await.failed(1);
    assert!(told.contains("did you mean `count`") && told.contains("line 2, column 2"), "{told}");
    assert!(eval(&["1", "--context", "-"], "[1]").await.failed(1).contains("must be a JSON object"));
    assert!(eval(&["1", "--context", "-"], "{").await.failed(1).contains("not JSON"));
}
