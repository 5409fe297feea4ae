//! Offsets into strings, counted in 16-bit units as Java counts them.

use crate::error::{Result, invalid, unsupported};

/// The part of a text between two offsets in units; without `end`, up to its end.
pub(super) fn substring(whole: &str, start: i64, end: Option<i64>) -> Result<&str> {
    let beyond = || invalid("this reaches beyond the string");
    let start = byte_offset(whole, usize::try_from(start).map_err(|_| beyond())?)?.ok_or_else(beyond)?;
    let end = match end {
        Some(end) => byte_offset(whole, usize::try_from(end).map_err(|_| beyond())?)?.ok_or_else(beyond)?,
        None => whole.len(),
    };
    whole.get(start..end).ok_or_else(beyond)
}

/// The byte at which a unit begins; none past the end. An error in the middle of a surrogate pair.
pub(super) fn byte_offset(text: &str, unit_offset: usize) -> Result<Option<usize>> {
    if text.is_ascii() {
        return Ok((unit_offset <= text.len()).then_some(unit_offset));
    }
    let mut units_left = unit_offset;
    for (byte, char) in text.char_indices() {
        if units_left == 0 {
            return Ok(Some(byte));
        }
        units_left = match units_left.checked_sub(char.len_utf16()) {
            Some(left) => left,
            None => return Err(unsupported("halves of surrogate pairs are not supported")),
        };
    }
    Ok((units_left == 0).then_some(text.len()))
}

/// The unit that begins at a byte.
pub(super) fn unit_offset(text: &str, byte_offset: usize) -> usize {
    text.get(..byte_offset).map_or(0, |before| before.encode_utf16().count())
}
