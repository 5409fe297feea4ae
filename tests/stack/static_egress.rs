//! Fixed addresses: when the functions that connect to receivers move into the VPC, and how the VPC can be deleted again.

use serde_norway::Value;

use crate::least_privilege::one_or_many;
use crate::template::{properties, reference, resources, template, walk};

/// The private joins of a subnet to its route table: what is made last on the way out.
fn private_joins(template: &Value) -> Vec<(&str, &Value)> {
    let joins = resources(template, "AWS::EC2::SubnetRouteTableAssociation");
    joins.into_iter().filter(|(name, _)| name.starts_with("Private")).collect()
}

/// The functions that connect to receivers.
const SENDING: [&str; 2] = ["Delivery", "Subscriptions"];

#[test]
fn the_functions_that_connect_to_receivers_wait_for_their_whole_way_out() {
    let template = template();
    let joins = private_joins(&template);
    assert_eq!(joins.len(), 2);
    for (name, join) in joins {
        for function in SENDING.map(|function| format!("{function}Function")) {
            let (mut named, mut group) = (String::new(), String::new());
            walk(&properties(&template, &function)["Tags"], &mut |value| named.push_str(reference(value)));
            assert!(named.contains(&format!("${{{name}}}")), "{function}: {name}");
            walk(&properties(&template, &function)["VpcConfig"], &mut |value| {
                group.push_str(reference(value))
            });
            assert!(group.contains("EgressGroup"), "{function}");
        }
        let waits_for = one_or_many(&join["DependsOn"]);
        let table = reference(&join["Properties"]["RouteTableId"]);
        let routes = resources(&template, "AWS::EC2::Route").into_iter();
        let routes = routes.filter(|(_, route)| reference(&route["Properties"]["RouteTableId"]) == table);
        let endpoints = resources(&template, "AWS::EC2::VPCEndpoint").into_iter();
        let endpoints = endpoints
            .filter(|(_, endpoint)| one_or_many(&endpoint["Properties"]["RouteTableIds"]).contains(&table));
        let on_the_way: Vec<&str> = routes.chain(endpoints).map(|(name, _)| name).collect();
        assert_eq!(on_the_way.len(), 3, "{name}: {on_the_way:?}");
        assert!(on_the_way.iter().all(|part| waits_for.contains(part)), "{name}: {on_the_way:?}");
    }
}

/// The ID of a route contains a `|`, which neither a tag nor a variable of an environment should have.
#[test]
fn nothing_contains_the_id_of_a_route() {
    let template = template();
    let mut texts = Vec::new();
    walk(&template["Resources"], &mut |value| {
        if let Value::Tagged(_) = value {
            texts.push(reference(value));
        }
    });
    for (route, _) in resources(&template, "AWS::EC2::Route") {
        let placeholder = format!("${{{route}}}");
        assert!(!texts.iter().any(|text| *text == route || text.contains(&placeholder)), "{route}");
    }
}

/// Lambda deletes network interfaces in the name of the role, after the function has left the VPC.
#[test]
fn network_interfaces_can_be_deleted_after_the_function_has_left_the_vpc() {
    let template = template();
    for role in SENDING.map(|function| format!("{function}Role")) {
        assert_interfaces_are_lambdas(&template, &role);
        assert!(one_or_many(&template["Resources"]["EgressGroup"]["DependsOn"]).contains(&role.as_str()));
    }
}

fn assert_interfaces_are_lambdas(template: &Value, role: &str) {
    let statements = &properties(template, role)["Policies"][0]["PolicyDocument"]["Statement"];
    // Not within an `!If`: the statement is there whatever the parameters are.
    let plain = statements.as_sequence().into_iter().flatten().filter(|statement| statement.is_mapping());
    let of = |effect: &str| {
        plain.clone().find(|statement| {
            statement["Effect"] == effect
                && one_or_many(&statement["Action"]).contains(&"ec2:DeleteNetworkInterface")
        })
    };
    let (allowed, denied) = (of("Allow").expect("an Allow"), of("Deny").expect("a Deny"));
    assert_eq!(allowed["Condition"], Value::Null);
    assert_eq!(allowed["Action"], denied["Action"], "the function's own code may do none of it");
    let callers = reference(&denied["Condition"]["ArnLike"]["lambda:SourceFunctionArn"]);
    assert!(callers.ends_with(":function:*"), "{callers}");
}
