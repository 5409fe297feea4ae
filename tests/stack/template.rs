//! `infra/template.yaml` as values. CloudFormation's short functions (`!Ref`, `!If`) are tagged values.

use serde_norway::Value;

pub(crate) fn template() -> Value {
    let text = include_str!("../../infra/template.yaml");
    parse(text)
}

pub(crate) fn parse(text: &str) -> Value {
    serde_norway::from_str(text).expect("the template is YAML")
}

/// The resources of one type, with their names.
pub(crate) fn resources<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let all = template["Resources"].as_mapping().expect("a template has resources");
    all.iter()
        .filter(|(_, resource)| kind.is_empty() || resource["Type"] == kind)
        .map(|(name, resource)| (name.as_str().expect("a name is text"), resource))
        .collect()
}

pub(crate) fn properties<'a>(template: &'a Value, name: &str) -> &'a Value {
    let resource = &template["Resources"][name];
    assert!(!resource.is_null(), "the template has no {name}");
    &resource["Properties"]
}

/// The text of a `!Ref`, `!GetAtt` or `!Sub`.
pub(crate) fn reference(value: &Value) -> &str {
    match value {
        Value::Tagged(tagged) => tagged.value.as_str().unwrap_or_default(),
        plain => plain.as_str().unwrap_or_default(),
    }
}

pub(crate) fn number(value: &Value) -> u64 {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.unwrap_or_else(|| panic!("this is to be a number: {value:?}"))
}

/// Visits this value and every value within.
pub(crate) fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    visit(value);
    match value {
        Value::Sequence(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Mapping(fields) => fields.values().for_each(|field| walk(field, visit)),
        Value::Tagged(tagged) => walk(&tagged.value, visit),
        _ => {}
    }
}
