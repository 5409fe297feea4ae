//! The headers that a subscription may set.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use super::write_only::{Moved, keep_stored};
use crate::model::template::{Target, Template};
use crate::model::validation::{ValidationErrors, pointer_segment};

/// The most that header names and values may have in all, in bytes.
pub const MAX_HEADERS: usize = 32 * 1024;
/// The most that a header name can have in any client, in bytes.
const MAX_NAME_BYTES: usize = u16::MAX as usize;

/// The headers with their values, those that `***` keeps taken from the `stored` request; `moved` says where no value is kept.
pub(super) fn check_headers(
    told: BTreeMap<String, String>,
    stored: Option<&Request>,
    moved: Moved,
    errors: &mut ValidationErrors,
) -> BTreeMap<String, String> {
    let mut seen = BTreeSet::new();
    let mut headers = BTreeMap::new();
    for (name, value) in told {
        let pointer = format!("/request/headers/{}", pointer_segment(&name));
        let lower = name.to_ascii_lowercase();
        let known = stored.and_then(|stored| {
            let mut headers = stored.headers.iter();
            headers.find(|(name, _)| name.eq_ignore_ascii_case(&lower)).map(|(_, value)| value)
        });
        let value = keep_stored(value, known, moved, &pointer, errors);
        if let Some(fault) = name_fault(&lower) {
            errors.add(&pointer, fault);
        } else {
            match Template::parse(&value, Target::Header) {
                Err(error) => errors.add_at(&pointer, error.to_string(), error.at),
                Ok(template) => {
                    if let Some(fault) = value_fault(&template) {
                        errors.add(&pointer, fault);
                    } else if !seen.insert(lower) {
                        errors.add(&pointer, "is there twice, in another case");
                    }
                }
            }
        }
        headers.insert(name, value);
    }
    if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_HEADERS {
        errors.add("/request/headers", "must have at most 32 KiB in all");
    }
    headers
}

fn name_fault(lower: &str) -> Option<&'static str> {
    const OURS: [&str; 13] = [
        "host",
        "content-length",
        "content-type",
        "user-agent",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "http2-settings",
    ];
    if !is_header_name(lower) {
        return Some("is not a header name");
    }
    if lower == "content-type" {
        return Some("cannot be set here: set request.contentType");
    }
    let ours = OURS.contains(&lower) || lower.starts_with("webhook-") || lower.starts_with("loanhook-");
    ours.then_some("cannot be set, as loanhook sets it itself")
}

/// Whether this is a token (RFC 9110, 5.6.2) that can be sent as a header name.
fn is_header_name(name: &str) -> bool {
    const SYMBOLS: &[u8] = b"!#$%&'*+-.^_`|~";
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || SYMBOLS.contains(&byte))
}

/// What is wrong with a header value's template. Names and defaults in a placeholder may be anything: what it
/// becomes is escaped.
pub fn value_fault(template: &Template) -> Option<&'static str> {
    (!is_header_value(&template.sample())).then_some("must be visible ASCII without spaces at its ends")
}

/// Visible ASCII, with spaces and tabs inside.
pub(in crate::model) fn is_header_value(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}
