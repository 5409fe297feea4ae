//! The byte order mark, which editors and writers on Windows put before UTF-8 text.

/// Text without the byte order mark before it (RFC 8259, 8.1: a reader of JSON may ignore one).
pub fn without(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_mark_before_the_text_is_no_part_of_it() {
        const TABLE: [(&[u8], &[u8]); 5] = [
            (b"\xef\xbb\xbf{}", b"{}"),
            (b"{}", b"{}"),
            (b"\xef\xbb\xbf", b""),
            (b"\xef\xbb\xbf\xef\xbb\xbf{}", b"\xef\xbb\xbf{}"),
            (b"\xef\xbb{}", b"\xef\xbb{}"),
        ];
        for (text, expected) in TABLE {
            assert_eq!(super::without(text), expected);
        }
    }
}
