//! Stored counts: bytes, since they are written often, and have up to some hundred buckets.
//!
//! | | |
//! | --- | --- |
//! | 1 byte | the version, 1 |
//! | 8 numbers | the counts in the order of [`Counts::scalars`] |
//! | a length, and so many pairs | attempts: the code of their class, how many |
//! | a length, and so many pairs | response times: how far a bucket's number is above the one before, how many |
//! | a length, and so many pairs | times to the first attempt, likewise |
//!
//! `numbers` says what numbers look like; counts that may be below zero are zigzag-encoded. Counts of zero and empty buckets
//! are left out of pairs.

use std::cmp::Ordering;

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::report::{AttemptClass, Bucket, Counts, Histogram};

use crate::numbers::{push_number, take_number, unzigzag, zigzag};

const VERSION: u8 = 1;
/// Counts with the buckets of a usual hour.
const USUAL_BYTES: usize = 256;

/// Why counts, or changes of counts, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountsReadError {
    #[error("a newer loanhook wrote it: its version is {found}, and this one reads version {known}")]
    Newer { found: u8, known: u8 },
    #[error("its bytes are damaged")]
    Damaged,
}

impl CountsReadError {
    /// Takes the byte of the version off the front: an error where it is not the one that is known.
    pub(crate) fn check_version(bytes: &mut &[u8], known: u8) -> Result<(), Self> {
        let (&found, rest) = bytes.split_first().ok_or(Self::Damaged)?;
        *bytes = rest;
        match found.cmp(&known) {
            Ordering::Less => Err(Self::Damaged),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(Self::Newer { found, known }),
        }
    }
}

/// The bytes of counts.
#[must_use]
pub fn write_counts(counts: &Counts) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    push_counts(&mut bytes, counts);
    bytes
}

/// Appends the bytes of counts.
pub(crate) fn push_counts(bytes: &mut Vec<u8>, counts: &Counts) {
    bytes.push(VERSION);
    for count in counts.scalars() {
        push_number(bytes, zigzag(count));
    }
    let attempts = AttemptClass::ALL.into_iter().zip(counts.attempts).filter(|(_, count)| *count != 0);
    push_number(bytes, attempts.clone().count() as u64);
    for (class, count) in attempts {
        push_number(bytes, class_code(class));
        push_number(bytes, zigzag(count));
    }
    push_histogram(bytes, &counts.response_time);
    push_histogram(bytes, &counts.first_attempt);
}

/// The counts of these bytes.
///
/// # Errors
///
/// Where they are no counts, or a newer loanhook wrote them.
pub fn read_counts(mut bytes: &[u8]) -> Result<Counts, CountsReadError> {
    let counts = take_counts(&mut bytes)?;
    if bytes.is_empty() { Ok(counts) } else { Err(CountsReadError::Damaged) }
}

/// Takes counts off the front of bytes.
pub(crate) fn take_counts(bytes: &mut &[u8]) -> Result<Counts, CountsReadError> {
    CountsReadError::check_version(bytes, VERSION)?;
    take_unversioned(bytes).ok_or(CountsReadError::Damaged)
}

fn take_unversioned(bytes: &mut &[u8]) -> Option<Counts> {
    let mut counts = Counts::default();
    for count in counts.scalars_mut() {
        *count = unzigzag(take_number(bytes)?);
    }
    for _ in 0..take_number(bytes)? {
        let code = take_number(bytes)?;
        let place = AttemptClass::ALL.into_iter().position(|class| class_code(class) == code)?;
        counts.attempts[place] = unzigzag(take_number(bytes)?);
    }
    counts.response_time = take_histogram(bytes)?;
    counts.first_attempt = take_histogram(bytes)?;
    Some(counts)
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
            ErrorKind::Auth => 18,
        },
    }
}

fn push_histogram(bytes: &mut Vec<u8>, histogram: &Histogram) {
    let buckets = histogram.buckets();
    push_number(bytes, buckets.len() as u64);
    let mut before = 0;
    for (bucket, count) in buckets {
        push_number(bytes, u64::from(bucket.number() - before));
        push_number(bytes, count);
        before = bucket.number();
    }
}

fn take_histogram(bytes: &mut &[u8]) -> Option<Histogram> {
    let mut histogram = Histogram::default();
    let mut number: u16 = 0;
    for _ in 0..take_number(bytes)? {
        number = number.checked_add(u16::try_from(take_number(bytes)?).ok()?)?;
        histogram.add_to(Bucket::from_number(number)?, take_number(bytes)?);
    }
    Some(histogram)
}
