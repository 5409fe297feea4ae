//! Texts of several lines, as a browser sends them.

/// A text of several lines. A browser sends each line break as two characters: what differs from the stored text in that alone is the
/// stored one.
pub(super) fn text(typed: &str, stored: Option<&str>) -> String {
    let unified = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    let typed = unified(typed);
    match stored {
        Some(stored) if unified(stored) == typed => stored.to_owned(),
        _ => typed,
    }
}

/// The same; an empty one is none.
pub(super) fn optional_text(typed: &str, stored: Option<&str>) -> Option<String> {
    (!typed.trim().is_empty()).then(|| text(typed, stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_of_a_browser_change_no_stored_text() {
        for (typed, stored, is) in [
            ("a\r\nb", None, "a\nb"),
            ("a\r\nb", Some("a\nb"), "a\nb"),
            ("a\r\nb", Some("a\r\nb"), "a\r\nb"),
            ("a\r\nb\r\nc", Some("a\r\nb\nc"), "a\r\nb\nc"),
            ("a\r\nc", Some("a\r\nb"), "a\nc"),
        ] {
            assert_eq!(text(typed, stored), is, "{typed:?} {stored:?}");
        }
        assert_eq!(optional_text(" \r\n", None), None);
    }
}
