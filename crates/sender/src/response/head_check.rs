//! The check of a response's head as it came on the wire, beside what hyper parsed of it.
//!
//! A receiver that answers 200 with one malformed header line has taken the webhook. So hyper's parser is set to accept
//! what RFC 9112 tells a user agent to accept: a folded line (section 5.2), white space before the colon (section 5.1),
//! and a line that is no header, which it drops. This module finds out whether it had to, and counts the dropped lines
//! for the history.
//!
//! A dropped line may have been the one that says where the response ends. So a connection over which a nonconforming
//! head came is not used again: nothing that follows could be told from the rest of this response.

/// What the check of a head found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HeadCheck {
    /// How many header lines the parser dropped.
    pub(crate) dropped_lines: u32,
    /// There were dropped or folded lines, or white space before a colon, or the end of the head is not known.
    pub(crate) nonconforming: bool,
}

/// Checks the first head in `raw_head`, the beginning of a response; the heads of interim responses (1xx) are skipped.
/// `parsed_header_count` is how many header lines the parser accepted. A head that does not end within `raw_head` counts
/// as nonconforming.
pub(crate) fn check_head(raw_head: &[u8], parsed_header_count: usize) -> HeadCheck {
    let mut lines = raw_head.split_inclusive(|byte| *byte == b'\n');
    while let Some(status_line) = lines.by_ref().find(|line| !is_empty_line(line)) {
        let (mut header_count, mut tolerated, mut ended) = (0_usize, false, false);
        for line in lines.by_ref() {
            if is_empty_line(line) {
                ended = true;
                break;
            }
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            tolerated |= folded || name.ends_with(b" ") || name.ends_with(b"\t");
            // The first line cannot continue one before it.
            header_count += usize::from(!folded || header_count == 0);
        }
        if ended && is_interim_status_line(status_line) {
            continue;
        }
        let dropped = header_count.saturating_sub(parsed_header_count);
        return HeadCheck {
            dropped_lines: u32::try_from(dropped).unwrap_or(u32::MAX),
            nonconforming: tolerated || !ended || dropped > 0,
        };
    }
    HeadCheck { dropped_lines: 0, nonconforming: true }
}

fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// 101 (Switching Protocols) is not interim here: no other head follows it.
fn is_interim_status_line(status_line: &[u8]) -> bool {
    let code =
        status_line.split(|byte| *byte == b' ').find(|part| !part.is_empty() && !part.starts_with(b"HTTP"));
    code.is_some_and(|code| code.starts_with(b"1") && code != b"101")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(raw_head: &str, parsed_header_count: usize) -> (u32, bool) {
        let HeadCheck { dropped_lines: dropped, nonconforming: sloppy } =
            check_head(raw_head.as_bytes(), parsed_header_count);
        (dropped, sloppy)
    }

    #[test]
    fn a_head_of_the_current_grammar_conforms() {
        for (raw_head, parsed_header_count) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: a b : c \r\n\r\nok\r\nbad line\r\n\r\n", 2),
            ("\r\nHTTP/1.1 204 No Content\r\n\r\n", 0),
            ("HTTP/1.0 200\nx-a: 1\n\n", 1),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nx: 1\r\n\r\n",
                1,
            ),
        ] {
            assert_eq!(checked(raw_head, parsed_header_count), (0, false), "{raw_head}");
        }
    }

    #[test]
    fn a_head_without_its_end_does_not_conform() {
        for raw_head in
            ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nx-a: 1\r\n", "HTTP/1.1 200 OK\r\nx-a: 1\r\nx-"]
        {
            assert_eq!(checked(raw_head, 9), (0, true), "{raw_head}");
        }
    }

    #[test]
    fn dropped_header_lines_are_counted() {
        let head = |lines: &str| format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\nok");
        assert_eq!(checked(&head("Warning Undefined variable\r\n"), 1), (1, true));
        assert_eq!(checked(&head("x y: 1\r\n\tmore\r\nx-größe: 1\r\n"), 1), (2, true));
        assert_eq!(checked(&head(" first: 1\r\n"), 1), (1, true));
        assert_eq!(checked(&head("x-a: 1\r\n\t2\r\n"), 2), (0, true));
        assert_eq!(checked(&head("x-a : 1\r\n"), 2), (0, true));
    }
}
