//! An answer's head as it came, beside what was read of it.
//!
//! A receiver that took a webhook and answered 200 with one sloppy header line has taken it. So what RFC 9112 tells
//! a user agent to tolerate is tolerated: a line that is folded (5.2), blanks before the colon (5.1), and a line that
//! is no header at all, which is left out. hyper's parser does that; here is found out whether it had to.
//!
//! A line that was left out may have been one that says where the answer ends, so a connection over which such a head
//! came is not used again: nothing that follows it could be told from the rest of this answer.

/// What is not as it should be in a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HeadCheck {
    /// Lines that were left out.
    pub(crate) dropped_lines: u32,
    /// There were such lines, or folded ones, or blanks before a colon.
    pub(crate) nonconforming: bool,
}

/// Judges the head in `raw`, the beginning of an answer; interim ones (1xx) are passed over. `read` is how many header
/// lines were read of it. A head that does not end within `raw` counts as sloppy, since nobody knows.
pub(crate) fn check_head(raw: &[u8], read: usize) -> HeadCheck {
    let mut lines = raw.split_inclusive(|byte| *byte == b'\n');
    while let Some(status) = lines.by_ref().find(|line| !is_empty_line(line)) {
        let (mut count, mut odd, mut ended) = (0_usize, false, false);
        for line in lines.by_ref() {
            if is_empty_line(line) {
                ended = true;
                break;
            }
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            odd |= folded || name.ends_with(b" ") || name.ends_with(b"\t");
            // The first line cannot go on one before it.
            count += usize::from(!folded || count == 0);
        }
        if ended && is_interim_status_line(status) {
            continue;
        }
        let dropped = count.saturating_sub(read);
        return HeadCheck {
            dropped_lines: u32::try_from(dropped).unwrap_or(u32::MAX),
            nonconforming: odd || !ended || dropped > 0,
        };
    }
    HeadCheck { dropped_lines: 0, nonconforming: true }
}

fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// 101 is none: the head of another protocol's beginning is final.
fn is_interim_status_line(status: &[u8]) -> bool {
    let code = status.split(|byte| *byte == b' ').find(|part| !part.is_empty() && !part.starts_with(b"HTTP"));
    code.is_some_and(|code| code.starts_with(b"1") && code != b"101")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(raw: &str, read: usize) -> (u32, bool) {
        let HeadCheck { dropped_lines: dropped, nonconforming: sloppy } = check_head(raw.as_bytes(), read);
        (dropped, sloppy)
    }

    #[test]
    fn a_head_of_the_current_grammar_conforms() {
        for (raw, read) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: a b : c \r\n\r\nok\r\nbad line\r\n\r\n", 2),
            ("\r\nHTTP/1.1 204 No Content\r\n\r\n", 0),
            ("HTTP/1.0 200\nx-a: 1\n\n", 1),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nx: 1\r\n\r\n",
                1,
            ),
        ] {
            assert_eq!(checked(raw, read), (0, false), "{raw}");
        }
    }

    #[test]
    fn a_head_without_its_end_does_not_conform() {
        for raw in
            ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nx-a: 1\r\n", "HTTP/1.1 200 OK\r\nx-a: 1\r\nx-"]
        {
            assert_eq!(checked(raw, 9), (0, true), "{raw}");
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
