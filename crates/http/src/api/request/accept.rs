//! The media types that a request accepts.

use http::{HeaderMap, header};

/// The media types that the `Accept` headers name, in small letters, without parameters.
pub(in crate::api) fn accepted_types(headers: &HeaderMap) -> Vec<String> {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .collect()
}

/// The first of these media types that the `Accept` headers name; none where they name JSON, which is what everything is
/// answered in, or none of these.
pub(in crate::api) fn instead_of_json(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let accepted = accepted_types(headers);
    if accepted.iter().any(|of| of == "application/json") {
        return None;
    }
    accepted.iter().find_map(|of| offered.iter().copied().find(|offer| offer == of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_type_is_given_to_who_asks_for_it_and_not_for_json() {
        for (accept, given) in [
            ("text/plain", Some("text/plain")),
            ("Text/Plain; charset=utf-8", Some("text/plain")),
            ("text/plain, */*;q=0.1", Some("text/plain")),
            ("text/html, text/csv, text/plain", Some("text/csv")),
            ("application/json, text/plain", None),
            ("*/*", None),
            ("text/html", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().expect("a value"))]);
            assert_eq!(instead_of_json(&headers, &["text/plain", "text/csv"]), given, "{accept}");
        }
        assert_eq!(instead_of_json(&HeaderMap::new(), &["text/plain"]), None);
    }
}
