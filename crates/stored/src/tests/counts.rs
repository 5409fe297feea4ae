//! Counts: bytes that an earlier version wrote are read, and written the same way.

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::report::{AttemptClass, Counts};

use crate::{CountsReadError, read_counts, write_counts};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

/// Counts that have something of everything.
fn full() -> Counts {
    let mut counts = Counts::default();
    for (count, value) in counts.scalars_mut().into_iter().zip([0, 1, -1, 63, 64, -65, 300, i64::MAX]) {
        *count = value;
    }
    for class in AttemptClass::ALL {
        counts.count_attempt(class);
    }
    counts.count_attempt(AttemptClass::Error(ErrorKind::Timeout));
    for millis in [0.0, 0.1, 41.7, 41.7, 30_000.0] {
        counts.record_response_time(millis);
    }
    counts.first_attempt.record(7);
    counts.first_attempt.record(u64::MAX);
    counts
}

#[test]
fn golden_counts_are_read_and_written_byte_for_byte() {
    for (golden, counts) in [
        (include_str!("../../tests/counts/empty.hex"), Counts::default()),
        (include_str!("../../tests/counts/full.hex"), full()),
    ] {
        assert_eq!(read_counts(&hex(golden)), Ok(counts.clone()));
        let written = write_counts(&counts).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(written, golden.replace('\n', ""));
    }
}

#[test]
fn counts_of_a_newer_version_or_damaged_ones_are_refused() {
    let bytes = write_counts(&full());
    assert_eq!(read_counts(&[&[2], &bytes[1..]].concat()), Err(CountsReadError::Newer(2)));
    for damaged in [&[][..], &[0], &bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat(), &[1, 0xff, 0xff]]
    {
        assert_eq!(read_counts(damaged), Err(CountsReadError::Damaged), "{damaged:?}");
    }
}
