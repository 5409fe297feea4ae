//! Numbers and texts in stored bytes, for stored counts and count changes.
//!
//! A number is LEB128: seven bits in each byte, the lowest first, the high bit set in all but the last. One that may be
//! below zero is zigzag-encoded before (0, -1, 1, -2 …). A text is its length in bytes and its UTF-8.
//!
//! What takes something off the front of bytes gives none where they do not begin with it.

pub(crate) const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

pub(crate) const fn unzigzag(stored: u64) -> i64 {
    (stored >> 1).cast_signed() ^ -((stored & 1).cast_signed())
}

pub(crate) fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

pub(crate) fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push_with_length(bytes, text.as_bytes());
}

pub(crate) fn take_text(bytes: &mut &[u8]) -> Option<String> {
    std::str::from_utf8(take_with_length(bytes)?).ok().map(str::to_owned)
}

/// Some bytes after their number.
pub(crate) fn push_with_length(bytes: &mut Vec<u8>, pushed: &[u8]) {
    push_number(bytes, pushed.len() as u64);
    bytes.extend_from_slice(pushed);
}

pub(crate) fn take_with_length<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}
