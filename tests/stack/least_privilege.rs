//! Least privilege: no role allows a wildcard that it does not explain.
//!
//! A resource of `*` is explained by `Metadata: Wildcards:` of the role, which gives the reason by the `Sid` of the statement.

use std::collections::BTreeSet;

use serde_norway::Value;

use crate::template::{parse, reference, resources, template, walk};

/// The faults in what the template allows.
fn faults(template: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, resource) in resources(template, "") {
        walk(&resource["Properties"], &mut |value| {
            if !value["ManagedPolicyArns"].is_null() || value["NotAction"] != Value::Null {
                faults.push(format!("{name} grants more than it lists"));
            }
        });
        let mut explained: BTreeSet<&str> = resource["Metadata"]["Wildcards"]
            .as_mapping()
            .into_iter()
            .flat_map(|reasons| reasons.iter())
            .filter(|(_, reason)| reason.as_str().is_some_and(|reason| reason.len() > 20))
            .filter_map(|(sid, _)| sid.as_str())
            .collect();
        for statement in granted(&resource["Properties"]) {
            let sid = statement["Sid"].as_str().unwrap_or_default();
            faults.extend(
                one_or_many(&statement["Action"])
                    .into_iter()
                    .filter(|action| action.contains('*') || !action.contains(':'))
                    .map(|action| format!("{name} allows {action} ({sid})")),
            );
            let everything = one_or_many(&statement["Resource"]).contains(&"*");
            if (everything && !explained.remove(sid)) || !statement["NotResource"].is_null() {
                faults.push(format!("{name} allows it on everything, and says not why ({sid})"));
            }
        }
        faults.extend(explained.iter().map(|sid| format!("{name} explains what it does not allow ({sid})")));
        if resource["Type"] == "AWS::Serverless::Function" && resource["Properties"]["Role"].is_null() {
            faults.push(format!("{name} has a role that nobody wrote"));
        }
    }
    faults
}

/// The statements that allow something, at any depth.
pub(crate) fn granted(properties: &Value) -> Vec<&Value> {
    let mut granted = Vec::new();
    walk(properties, &mut |value| {
        if value["Effect"] == "Allow" {
            granted.push(value);
        }
    });
    granted
}

pub(crate) fn one_or_many(value: &Value) -> Vec<&str> {
    match value {
        Value::Sequence(values) => values.iter().map(reference).collect(),
        Value::Null => Vec::new(),
        value => vec![reference(value)],
    }
}

#[test]
fn no_role_allows_more_than_it_lists() {
    assert_eq!(faults(&template()), Vec::<String>::new());
}

#[test]
fn each_function_has_a_role_of_its_own() {
    let template = template();
    let functions = resources(&template, "AWS::Serverless::Function");
    let roles: BTreeSet<_> =
        functions.iter().map(|(_, function)| reference(&function["Properties"]["Role"])).collect();
    assert_eq!((functions.len(), roles.len()), (7, 7));
}

/// A role with one statement.
fn role(statement: &str, metadata: &str) -> Value {
    parse(&format!(
        "Resources: {{R: {{Type: 'AWS::IAM::Role', Metadata: {{{metadata}}}, Properties: {{Policies: [\
         !If [C, {{PolicyDocument: {{Statement: [{{Effect: Allow, Sid: S, {statement}}}]}}}}, none]]}}}}}}"
    ))
}

#[test]
fn the_check_finds_every_wide_permission() {
    const WHY: &str = "Wildcards: {S: interfaces have no names before they exist}";
    for (statement, metadata, found) in [
        ("Action: 's3:GetObject', Resource: !GetAtt Bucket.Arn", "", false),
        ("Action: 's3:GetObject', Resource: !Sub '${Bucket.Arn}/*'", "", false),
        ("Action: '*', Resource: !GetAtt Bucket.Arn", "", true),
        ("Action: 's3:*', Resource: !GetAtt Bucket.Arn", "", true),
        ("Action: ['s3:GetObject', 's3:Get*'], Resource: !GetAtt Bucket.Arn", "", true),
        ("Action: 's3:GetObject', Resource: '*'", "", true),
        ("Action: 's3:GetObject', Resource: [!GetAtt Bucket.Arn, '*']", "", true),
        ("Action: 's3:GetObject', Resource: '*'", "Wildcards: {S: ''}", true),
        ("Action: 's3:GetObject', Resource: '*'", "Wildcards: {T: interfaces have no names}", true),
        ("Action: 's3:GetObject', Resource: '*'", WHY, false),
        ("Action: 's3:GetObject', Resource: !GetAtt Bucket.Arn", WHY, true),
        ("NotAction: 's3:GetObject', Resource: !GetAtt Bucket.Arn", "", true),
        ("Action: 's3:GetObject', NotResource: !GetAtt Bucket.Arn", "", true),
    ] {
        let faults = faults(&role(statement, metadata));
        assert_eq!(!faults.is_empty(), found, "{statement} {metadata}: {faults:?}");
    }
}
