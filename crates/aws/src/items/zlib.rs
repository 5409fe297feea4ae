//! Compression with zlib (RFC 1950) of what the engine stores shorter: packed documents and payloads, and stored lists.
//!
//! A stream ends with a checksum of the original, so one that is damaged or cut is noticed.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// The level of zlib, of 0 to 9. Above this one a text of a few KiB becomes no shorter.
const LEVEL: u8 = 6;

pub(crate) fn compress(original: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(original, LEVEL)
}

/// The original of a stream; none where the stream is damaged or its original is longer than `most` bytes.
pub(crate) fn decompress(stream: &[u8], most: usize) -> Option<Vec<u8>> {
    decompress_to_vec_zlib_with_limit(stream, most).ok()
}
