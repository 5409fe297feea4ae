//! The header `If-Match` (RFC 9110, 13.1.1): the versions of a subscription that its caller lets a change replace.

use http::HeaderMap;
use http::header::IF_MATCH;

use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::subscriptions::ExpectedVersions;

const MALFORMED: &str = "must be the ETag of an answer with its quotes, as in \"3\", a list of such, or *";

/// The versions that the headers of a request name: any, where there is no `If-Match`.
///
/// A weak tag names no version, as `If-Match` compares strongly, and neither does a tag that loanhook gives no version.
///
/// # Errors
///
/// It is no list of entity tags.
pub(in crate::api) fn of_headers(headers: &HeaderMap) -> Result<ExpectedVersions, ValidationErrors> {
    if !headers.contains_key(IF_MATCH) {
        return Ok(ExpectedVersions::Any);
    }
    // Lines of one name are one list (RFC 9110, 5.3).
    let lines: Vec<_> = headers.get_all(IF_MATCH).iter().map(|line| line.as_bytes()).collect();
    parse(&lines.join(&b',')).ok_or_else(|| ValidationErrors::one("If-Match", MALFORMED))
}

fn parse(list: &[u8]) -> Option<ExpectedVersions> {
    if list.trim_ascii() == b"*" {
        return Some(ExpectedVersions::Any);
    }
    let (mut versions, mut has_tag, mut rest) = (Vec::new(), false, list.trim_ascii_start());
    while let Some(first) = rest.first() {
        if *first != b',' {
            let (version, after) = parse_tag(rest)?;
            versions.extend(version);
            has_tag = true;
            rest = after.trim_ascii_start();
            if rest.first().is_some_and(|next| *next != b',') {
                return None;
            }
        }
        // Elements of a list may be empty (RFC 9110, 5.6.1).
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    }
    has_tag.then_some(ExpectedVersions::OneOf(versions))
}

/// The version that the entity tag at the beginning names, if any, and what is behind the tag.
fn parse_tag(text: &[u8]) -> Option<(Option<u64>, &[u8])> {
    let strong = text.strip_prefix(b"W/");
    let quoted = strong.unwrap_or(text).strip_prefix(b"\"")?;
    let end = quoted.iter().position(|byte| *byte == b'"')?;
    let (tag, after) = (&quoted[..end], &quoted[end + 1..]);
    let is_tag = tag.iter().all(|byte| matches!(byte, 0x21..=0x7e | 0x80..));
    is_tag.then(|| (version(tag).filter(|_| strong.is_none()), after))
}

/// The version of a tag, which is written in one way only.
fn version(tag: &[u8]) -> Option<u64> {
    let version: u64 = std::str::from_utf8(tag).ok()?.parse().ok()?;
    (version.to_string().as_bytes() == tag).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_entity_tags_by_table() {
        let one_of = |versions: &[u64]| Some(ExpectedVersions::OneOf(versions.to_vec()));
        for (list, expected) in [
            ("*", Some(ExpectedVersions::Any)),
            (" * ", Some(ExpectedVersions::Any)),
            ("\"3\"", one_of(&[3])),
            ("\"3\", \"4\" ,\"12\"", one_of(&[3, 4, 12])),
            (", \"3\",, \"4\",", one_of(&[3, 4])),
            ("W/\"3\"", one_of(&[])),
            ("W/\"3\", \"4\"", one_of(&[4])),
            ("\"03\"", one_of(&[])),
            ("\"+3\"", one_of(&[])),
            ("\"\"", one_of(&[])),
            ("\"of another,server\", \"3\"", None),
            ("\"of-another,server\", \"3\"", one_of(&[3])),
            ("\"\u{e4}\"", one_of(&[])),
            ("", None),
            (" , ", None),
            ("3", None),
            ("\"3", None),
            ("'3'", None),
            ("w/\"3\"", None),
            ("\"3\" \"4\"", None),
            ("\"3\"4", None),
            ("*, \"3\"", None),
            ("\"3\", *", None),
        ] {
            assert_eq!(parse(list.as_bytes()), expected, "{list}");
        }
    }

    #[test]
    fn lines_are_one_list_and_no_line_is_any_version() {
        let mut headers = HeaderMap::new();
        assert_eq!(of_headers(&headers), Ok(ExpectedVersions::Any));
        for line in ["\"3\"", "\"4\""] {
            headers.append(IF_MATCH, line.parse().expect("a header value"));
        }
        assert_eq!(of_headers(&headers), Ok(ExpectedVersions::OneOf(vec![3, 4])));
    }
}
