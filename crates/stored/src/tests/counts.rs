//! Counts and their changes: bytes that an earlier version wrote are read, and written the same way.

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::report::{AttemptClass, CountChange, CountGroup, Counts};
use loanhook_core::model::time::Timestamp;
use uuid::Uuid;

use crate::{CountsReadError, read_count_changes, read_counts, write_count_changes, write_counts};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

/// As golden files have it, without their line ends.
fn written(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The class that counts have since there is a golden file of its own.
const AUTH: AttemptClass = AttemptClass::Error(ErrorKind::Auth);

fn of_auth() -> Counts {
    let mut counts = Counts::default();
    counts.count_attempt(AUTH);
    counts
}

/// Counts that have something of everything, but for [`AUTH`].
fn full() -> Counts {
    let mut counts = Counts::default();
    for (count, value) in counts.scalars_mut().into_iter().zip([0, 1, -1, 63, 64, -65, 300, i64::MAX]) {
        *count = value;
    }
    for class in AttemptClass::ALL.into_iter().filter(|class| *class != AUTH) {
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

fn change(
    tenant: &str,
    hour: i64,
    subscription: Option<[u8; 16]>,
    event_name: &str,
    counts: Counts,
) -> CountChange {
    let group = CountGroup {
        tenant: TenantId::try_from(tenant.to_owned()).expect("a tenant"),
        hour: Timestamp::from_millis(hour * 3_600_000),
        subscription: subscription.map(|bytes| SubscriptionId::from_uuid(Uuid::from_bytes(bytes))),
        event_name: event_name.into(),
    };
    CountChange { group, counts }
}

/// What a commit adds to two groups.
fn changes() -> Vec<CountChange> {
    let subscription = std::array::from_fn(|place| place as u8 + 1);
    vec![
        change("acme", 498_000, Some(subscription), "Payment Posted to Account", full()),
        change("birch-2", -1, None, "Zahlung für 727", Counts::default()),
    ]
}

#[test]
fn golden_counts_are_read_and_written_byte_for_byte() {
    for (golden, counts) in [
        (include_str!("../../tests/counts/empty.hex"), Counts::default()),
        (include_str!("../../tests/counts/full.hex"), full()),
        (include_str!("../../tests/counts/auth.hex"), of_auth()),
    ] {
        assert_eq!(read_counts(&hex(golden)), Ok(counts.clone()));
        assert_eq!(written(&write_counts(&counts)), golden.replace('\n', ""));
    }
}

#[test]
fn counts_of_a_newer_version_or_damaged_ones_are_refused() {
    let bytes = write_counts(&full());
    assert_eq!(
        read_counts(&[&[2], &bytes[1..]].concat()),
        Err(CountsReadError::Newer { found: 2, known: 1 })
    );
    for damaged in [&[][..], &[0], &bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat(), &[1, 0xff, 0xff]]
    {
        assert_eq!(read_counts(damaged), Err(CountsReadError::Damaged), "{damaged:?}");
    }
}

#[test]
fn golden_count_changes_are_read_and_written_byte_for_byte() {
    let golden = include_str!("../../tests/counts/changes.hex");
    assert_eq!(read_count_changes(&hex(golden)), Ok(changes()));
    assert_eq!(written(&write_count_changes(&changes())), golden.replace('\n', ""));
}

#[test]
fn count_changes_of_a_newer_version_or_damaged_ones_are_refused() {
    let bytes = write_count_changes(&changes());
    let newer = Err(CountsReadError::Newer { found: 2, known: 1 });
    assert_eq!(read_count_changes(&[&[2], &bytes[1..]].concat()), newer);
    let mut newer_counts = write_count_changes(&changes()[1..]);
    let place = newer_counts.len() - write_counts(&Counts::default()).len();
    newer_counts[place] = 2;
    assert_eq!(read_count_changes(&newer_counts), newer);
    for length in 0..bytes.len() {
        assert_eq!(read_count_changes(&bytes[..length]), Err(CountsReadError::Damaged), "{length} bytes");
    }
    let with = |place: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[place] = byte;
        bytes
    };
    // Version, number of changes, and in the first of them: length of the tenant, its first letter, length of the
    // subscription.
    for damaged in
        [with(0, 0), with(1, 3), with(1, 1), with(2, 0), with(3, b'A'), with(3, 0xff), with(10, 15)]
    {
        assert_eq!(read_count_changes(&damaged), Err(CountsReadError::Damaged), "{damaged:?}");
    }
}
