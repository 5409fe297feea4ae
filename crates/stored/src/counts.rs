//! Stored counts: bytes, since they are written with every commit, and have up to some hundred buckets.
//!
//! | | |
//! | --- | --- |
//! | 1 byte | the version, 1 |
//! | 8 numbers | the counts in the order of [`Counts::scalars`] |
//! | a length, and so many pairs | attempts: the code of their class, how many |
//! | a length, and so many pairs | response times: how far a bucket's number is above the one before, how many |
//! | a length, and so many pairs | times to the first attempt, likewise |
//!
//! A number is LEB128: seven bits in each byte, the lowest first, the high bit set in all but the last. Counts that may be
//! below zero are zigzag-encoded before (0, -1, 1, -2 …). Counts of zero and empty buckets are left out of pairs.

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::report::{AttemptClass, Bucket, Counts, Histogram};

const VERSION: u8 = 1;
/// Counts with the buckets of a usual hour.
const USUAL_BYTES: usize = 256;

/// Why counts cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountsReadError {
    #[error("a newer loanhook wrote it: its version is {0}, and this one reads version {VERSION}")]
    Newer(u8),
    #[error("its bytes are damaged")]
    Damaged,
}

/// The bytes of counts.
#[must_use]
pub fn write_counts(counts: &Counts) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(VERSION);
    for count in counts.scalars() {
        push(&mut bytes, zigzag(count));
    }
    let attempts = AttemptClass::ALL.into_iter().zip(counts.attempts).filter(|(_, count)| *count != 0);
    push(&mut bytes, attempts.clone().count() as u64);
    for (class, count) in attempts {
        push(&mut bytes, class_code(class));
        push(&mut bytes, zigzag(count));
    }
    push_histogram(&mut bytes, &counts.response_time);
    push_histogram(&mut bytes, &counts.first_attempt);
    bytes
}

/// The counts of these bytes.
///
/// # Errors
///
/// Where they are no counts, or a newer loanhook wrote them.
pub fn read_counts(bytes: &[u8]) -> Result<Counts, CountsReadError> {
    let (&version, rest) = bytes.split_first().ok_or(CountsReadError::Damaged)?;
    if version > VERSION {
        return Err(CountsReadError::Newer(version));
    }
    read(rest).filter(|_| version == VERSION).ok_or(CountsReadError::Damaged)
}

fn read(mut bytes: &[u8]) -> Option<Counts> {
    let bytes = &mut bytes;
    let mut counts = Counts::default();
    for count in counts.scalars_mut() {
        *count = unzigzag(take(bytes)?);
    }
    for _ in 0..take(bytes)? {
        let code = take(bytes)?;
        let place = AttemptClass::ALL.into_iter().position(|class| class_code(class) == code)?;
        counts.attempts[place] = unzigzag(take(bytes)?);
    }
    counts.response_time = take_histogram(bytes)?;
    counts.first_attempt = take_histogram(bytes)?;
    bytes.is_empty().then_some(counts)
}

/// The code of a class, which never changes.
#[must_use]
pub const fn class_code(class: AttemptClass) -> u64 {
    match class {
        AttemptClass::Status(digit) => digit as u64,
        AttemptClass::OtherStatus => 9,
        AttemptClass::Error(kind) => match kind {
            ErrorKind::Dns => 10,
            ErrorKind::Connect => 11,
            ErrorKind::Tls => 12,
            ErrorKind::Timeout => 13,
            ErrorKind::Protocol => 14,
            ErrorKind::Blocked => 15,
            ErrorKind::Template => 16,
            ErrorKind::Interrupted => 17,
        },
    }
}

fn push_histogram(bytes: &mut Vec<u8>, histogram: &Histogram) {
    let buckets = histogram.buckets();
    push(bytes, buckets.len() as u64);
    let mut before = 0;
    for (bucket, count) in buckets {
        push(bytes, u64::from(bucket.number() - before));
        push(bytes, count);
        before = bucket.number();
    }
}

fn take_histogram(bytes: &mut &[u8]) -> Option<Histogram> {
    let mut histogram = Histogram::default();
    let mut number: u16 = 0;
    for _ in 0..take(bytes)? {
        number = number.checked_add(u16::try_from(take(bytes)?).ok()?)?;
        histogram.add_to(Bucket::from_number(number)?, take(bytes)?);
    }
    Some(histogram)
}

const fn zigzag(count: i64) -> u64 {
    ((count << 1) ^ (count >> 63)).cast_unsigned()
}

const fn unzigzag(stored: u64) -> i64 {
    (stored >> 1).cast_signed() ^ -((stored & 1).cast_signed())
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
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
