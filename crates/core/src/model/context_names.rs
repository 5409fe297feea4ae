//! Names in an event's context, at any depth: each must be Unicode, as receivers, formulas and templates find a
//! value by its name.

use super::validation::pointer_segment;

/// What is open around a place in JSON text.
enum Open<'j> {
    /// An object, with the name read last as it is written, and whether a name comes next.
    Object { name: &'j str, name_comes: bool },
    /// A list, with the place of the current item, from 0.
    List(usize),
}

/// The place (a JSON pointer below the context) of the first name with a lone surrogate, which is half of a
/// character. In the pointer that name stands as it is written in the JSON, with its escape.
///
/// `json` is valid JSON.
pub(super) fn lone_surrogate(json: &str) -> Option<String> {
    // Surrogates can be written as escapes only, from \ud800 to \udfff.
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return None;
    }
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut rest = json;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match (next, open.last_mut()) {
            ('{', _) => open.push(Open::Object { name: "", name_comes: true }),
            ('[', _) => open.push(Open::List(0)),
            ('}' | ']', _) => {
                open.pop();
            }
            (',', Some(Open::Object { name_comes, .. })) => *name_comes = true,
            (',', Some(Open::List(place))) => *place += 1,
            ('"', around) => {
                let (text, after) = rest.split_at(string_end(rest));
                rest = after.get(1..).unwrap_or_default();
                if let Some(Open::Object { name, name_comes }) = around
                    && std::mem::take(name_comes)
                {
                    *name = text;
                    if unescaped(text).is_none() {
                        return Some(pointer(&open));
                    }
                }
            }
            _ => {}
        }
    }
    None
}

/// Where a string ends whose opening quote is passed.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => byte == b'"',
    });
    end.unwrap_or(text.len())
}

/// A name as it is meant; none where that is not Unicode.
fn unescaped(text: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{text}\"")).ok()
}

fn pointer(open: &[Open<'_>]) -> String {
    let segment = |open: &Open<'_>| match open {
        Open::Object { name, .. } => {
            let name = unescaped(name).unwrap_or_else(|| (*name).to_owned());
            format!("/{}", pointer_segment(&name))
        }
        Open::List(place) => format!("/{place}"),
    };
    open.iter().map(segment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_lone_surrogate_is_found_at_any_depth() {
        for (json, place) in [
            (r#"{"d": 40, "k\ud800": 1}"#, Some(r"/k\ud800")),
            (r#"{"\uDC00": 1}"#, Some(r"/\uDC00")),
            (r#"{"\ud800\ud800": 1}"#, Some(r"/\ud800\ud800")),
            (r#"{"a": {"b/~": [1, {"x": 1}, {"ok": 1, "k\ud800!": {}}]}}"#, Some(r"/a/b~1~0/2/k\ud800!")),
            (r#"{"a": [[], [{"\udfff": 1}]]}"#, Some(r"/a/1/0/\udfff")),
            (r#"{"a\"\\": {"\ud83d": 1}}"#, Some(r#"/a"\/\ud83d"#)),
            // Both halves, and halves in values.
            (r#"{"\ud83d\ude00": 1}"#, None),
            (r#"{"d": "\ud800", "list": ["\udc00", {"d": "\ud800"}]}"#, None),
            (r#"{"d": "{\"k\\ud800\": 1}"}"#, None),
            // A backslash, and then letters.
            (r#"{"\\ud800": 1}"#, None),
            (r"{}", None),
        ] {
            assert_eq!(lone_surrogate(json).as_deref(), place, "{json}");
        }
    }
}
