//! Patterns of texts in the OpenAPI document, each written once.
//!
//! An attribute of a schema or parameter takes nothing but a literal, so it gives the name of a pattern, as in
//! `pattern = "loanId"`. [`Patterns`] puts the regular expression, and the bounds of the length that go with it, in
//! place of the name.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Names of patterns, their regular expressions, and the most characters of a text of at least one where that is
/// not said by the expression.
const PATTERNS: [(&str, &str, Option<usize>); 6] = [
    // No control characters.
    ("name", r"^[^\u0000-\u001f\u007f-\u009f]+$", Some(256)),
    // A name that can stand in a path.
    ("loanId", r"^[^/\\?#%\u0000-\u001f\u007f-\u009f]+$", Some(256)),
    ("tenantId", "^[a-z0-9-]{1,64}$", None),
    ("cursor", "^[A-Za-z0-9_-]{22}$", None),
    ("deliveryCursor", "^[A-Za-z0-9_-]{32}$", None),
    ("attemptNumber", "^(manual|[1-9][0-9]{0,8})$", None),
];

/// Replaces the names of patterns in the whole document.
pub(in crate::api) struct Patterns;

impl Modify for Patterns {
    fn modify(&self, openapi: &mut OpenApi) {
        for schema in openapi.components.iter_mut().flat_map(|components| components.schemas.values_mut()) {
            replace_names(schema);
        }
        for path in openapi.paths.paths.values_mut() {
            for operation in [&mut path.get, &mut path.put, &mut path.post, &mut path.patch, &mut path.delete]
            {
                parameters(operation)
                    .filter_map(|parameter| parameter.schema.as_mut())
                    .for_each(replace_names);
            }
        }
    }
}

fn parameters(operation: &mut Option<Operation>) -> impl Iterator<Item = &mut Parameter> {
    let all = operation.iter_mut().filter_map(|operation| operation.parameters.as_mut()).flatten();
    all.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

/// Replaces the name of the schema's own pattern, and of those of its fields.
fn replace_names(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    let named = PATTERNS.iter().find(|(name, ..)| object.pattern.as_deref() == Some(name));
    if let Some((_, expression, max_chars)) = named {
        object.pattern = Some((*expression).to_owned());
        if max_chars.is_some() {
            (object.min_length, object.max_length) = (Some(1), *max_chars);
        }
    }
    object.properties.values_mut().for_each(replace_names);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::api::openapi;

    /// Every `pattern` in the document.
    fn patterns(value: &Value) -> Vec<&str> {
        match value {
            Value::Object(fields) => {
                let own = fields.get("pattern").and_then(Value::as_str);
                own.into_iter().chain(fields.values().flat_map(patterns)).collect()
            }
            Value::Array(items) => items.iter().flat_map(patterns).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_pattern_of_the_document_is_a_regular_expression() {
        let document: Value = serde_json::from_str(&openapi::document()).expect("JSON");
        let patterns = patterns(&document);
        assert!(patterns.len() > 20, "{patterns:?}");
        assert!(patterns.iter().all(|pattern| pattern.starts_with('^')), "{patterns:?}");
    }
}
