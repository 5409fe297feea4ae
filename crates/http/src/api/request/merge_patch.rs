//! JSON Merge Patch (RFC 7396): the media types that a request may give it, and what it makes of a document.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::api::problem::Problem;

/// The media types of a merge patch.
const MEDIA_TYPES: [&str; 2] = ["application/merge-patch+json", "application/json"];

/// A request without a media type, or with one of a merge patch, whatever its parameters; else a 415.
pub(in crate::api) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let is_one = |value: &HeaderValue| {
        let media_type = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        MEDIA_TYPES.iter().any(|one| one.eq_ignore_ascii_case(media_type))
    };
    if headers.get(CONTENT_TYPE).is_none_or(is_one) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-a-merge-patch",
        "The body is no merge patch",
        "a PATCH takes a JSON Merge Patch (RFC 7396): send one with Content-Type: application/merge-patch+json",
    ))
}

/// Applies a patch: a member that is null removes that of the document, an object changes the members that it names,
/// anything else is put in place.
pub(in crate::api) fn apply(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        document.clone_from(patch);
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(document) = document else { return };
    for (name, value) in patch {
        if value.is_null() {
            document.remove(name);
        } else {
            apply(document.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn a_patch_changes_what_it_names() {
        for (mut document, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            apply(&mut document, &patch);
            assert_eq!(document, expected, "{patch}");
        }
    }

    #[test]
    fn media_types_by_table() {
        for (media_type, is_taken) in [
            (None, true),
            (Some("application/merge-patch+json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("application/json-patch+json"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some(""), false),
        ] {
            let headers = media_type.map(|text| (CONTENT_TYPE, HeaderValue::from_static(text)));
            let headers = HeaderMap::from_iter(headers);
            assert_eq!(check_media_type(&headers).is_ok(), is_taken, "{media_type:?}");
        }
    }
}
