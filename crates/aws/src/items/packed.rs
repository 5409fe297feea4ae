//! Packed bytes: a document or a payload in fewer bytes, where that saves a write unit of DynamoDB.
//!
//! | bytes | |
//! | --- | --- |
//! | 1 | the version, 1 |
//! | 4 | the length of the original, the highest byte first |
//! | all others | the original as a zlib stream (RFC 1950) |
//!
//! Unpacking returns the original or fails: the stream has a checksum, and must have the length that is written before it.
//! It takes no more memory than that length, and refuses a length above [`MAX_ORIGINAL_BYTES`].

use super::item_size::write_units;
use super::zlib;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 5;
/// Nothing larger is packed. A KiB takes some 20 µs, so this bounds how long a thread is busy with it.
pub(crate) const MAX_ORIGINAL_BYTES: usize = 64 * 1024;

/// Why packed bytes cannot be unpacked. The sentence holds nothing of what was packed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnpackError {
    #[error("a newer loanhook packed it: its version is {0}, and this one reads version {VERSION}")]
    Newer(u8),
    #[error("its packed bytes are damaged")]
    Damaged,
}

/// The packed form; none for an original that is too large.
pub(crate) fn pack(original: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(original.len()).ok().filter(|_| original.len() <= MAX_ORIGINAL_BYTES)?;
    let mut packed = vec![VERSION];
    packed.extend(length.to_be_bytes());
    packed.extend(zlib::compress(original));
    Some(packed)
}

/// The packed form, if an item with `other_bytes` beside it takes fewer write units than with the original.
pub(crate) fn pack_if_cheaper(original: &[u8], other_bytes: usize) -> Option<Vec<u8>> {
    let units = |bytes: usize| write_units(bytes + other_bytes);
    let cheaper = |packed: usize| units(packed) < units(original.len());
    if !cheaper(HEADER_BYTES) {
        return None;
    }
    pack(original).filter(|packed| cheaper(packed.len()))
}

/// The original of packed bytes.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let (&version, rest) = packed.split_first().ok_or(UnpackError::Damaged)?;
    if version > VERSION {
        return Err(UnpackError::Newer(version));
    }
    let (length, stream) = rest.split_first_chunk().ok_or(UnpackError::Damaged)?;
    let length = u32::from_be_bytes(*length);
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_ORIGINAL_BYTES);
    let length = length.filter(|_| version == VERSION).ok_or(UnpackError::Damaged)?;
    let original = zlib::decompress(stream, length).ok_or(UnpackError::Damaged)?;
    if original.len() == length { Ok(original) } else { Err(UnpackError::Damaged) }
}

#[cfg(test)]
#[path = "packed_tests.rs"]
mod tests;
