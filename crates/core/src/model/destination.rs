//! Destination of a webhook as callers see it: the values of its query are masked, as they may be secrets.

/// What stands in the place of a value that is not shown. In a header's place, a PUT keeps the stored value by it.
pub const HIDDEN: &str = "***";

/// A URL, or the template of one, as a caller sees it: whole to one that may write subscriptions, to others as
/// [`masked`].
pub fn shown(url: String, may_write: bool) -> String {
    if may_write { url } else { masked(&url) }
}

/// A URL, or the template of one, with the names of its query and no value of it. Of the query, what has no name is
/// hidden whole, and so are a user's name and a fragment.
pub fn masked(url: &str) -> String {
    let (url, fragment) = split(url, '#');
    let (place, query) = split(url, '?');
    let mut masked = without_user(place);
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{name}={HIDDEN}"),
            None if pair.is_empty() => String::new(),
            None => HIDDEN.into(),
        });
        masked.push('?');
        masked.push_str(&pairs.collect::<Vec<_>>().join("&"));
    }
    if fragment.is_some_and(|fragment| !fragment.is_empty()) {
        masked.push('#');
        masked.push_str(HIDDEN);
    }
    masked
}

/// Whether a value of a URL's query is what stands for one that is not shown.
pub fn has_masked_value(url: &str) -> bool {
    let query = split(split(url, '#').0, '?').1.unwrap_or_default();
    query.split('&').any(|pair| pair.split_once('=').map_or(pair, |(_, value)| value) == HIDDEN)
}

/// What is before the first such character, and what is behind it.
fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

fn without_user(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("://") else { return place.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}{path}"),
        None => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_by_table() {
        for (url, expected) in [
            ("https://h/p", "https://h/p"),
            ("https://h/p?", "https://h/p?"),
            ("https://h/p?token=secret", "https://h/p?token=***"),
            ("https://h?a=1&b=2=3&c=", "https://h?a=***&b=***&c=***"),
            ("https://h/p?secret", "https://h/p?***"),
            ("https://h/p?a=1&&secret&b", "https://h/p?a=***&&***&***"),
            ("https://h/p?a=b?c=d", "https://h/p?a=***"),
            ("https://h/p?a=b#secret", "https://h/p?a=***#***"),
            ("https://h/p#secret?a=b", "https://h/p#***"),
            ("https://u:secret@h/p@q", "https://***@h/p@q"),
            ("https://h/[[v('loan-id')]]?k=[[v('a','b&c')]]", "https://h/[[v('loan-id')]]?k=***&***"),
            ("ftp://h/a?b=c", "ftp://h/a?b=***"),
            ("no url", "no url"),
            ("", ""),
        ] {
            assert_eq!(masked(url), expected, "{url}");
            assert_eq!(masked(&masked(url)), expected, "{url}, twice");
            assert_eq!(shown(url.into(), true), url);
        }
    }

    #[test]
    fn a_masked_value_is_known_again() {
        for (url, masked) in [
            ("https://h/p?a=***", true),
            ("https://h/p?b=1&a=***#x", true),
            ("https://h/p?***", true),
            ("https://h/***?a=1", false),
            ("https://h/p?a=1***", false),
            ("https://h/p#a=***", false),
        ] {
            assert_eq!(has_masked_value(url), masked, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_value_is_ever_shown(
            pairs in prop::collection::vec(("[a-z]{0,3}", "VALUE[!-~&&[^&]]{0,8}"), 1..5),
            fragment in prop::option::of("VALUE[ -~]{0,8}"),
        ) {
            let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
            let url = format!("https://h/p?{}{fragment}", query.join("&"));
            prop_assert!(!masked(&url).contains("VALUE"), "{}", masked(&url));
        }
    }
}
