use loanhook_seal::SealingKey;

use super::*;
use crate::schema::{migrate, migrate_to};

/// How many migrations the version had that stored credentials with its deliveries.
const MIGRATIONS_BEFORE: usize = 12;
const WITH_CREDENTIALS: &str = include_str!("../../stored/tests/golden/snapshot.put.json");
const WITHOUT_HEADERS: &str = include_str!("../../stored/tests/golden/snapshot.get.json");

fn keyring() -> Keyring {
    Keyring::new(&SealingKey::from_bytes([7; 32]))
}

/// A file of the version before, with these snapshots.
fn earlier_file<'a>(snapshots: impl Iterator<Item = &'a str>) -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    migrate_to(&connection, MIGRATIONS_BEFORE);
    for (number, frozen) in snapshots.enumerate() {
        connection
            .execute(
                "INSERT INTO deliveries (tenant, trace, frozen, progress) VALUES ('acme', ?1, ?2, '{}')",
                params![(number as u128).to_be_bytes(), frozen.trim_end()],
            )
            .expect("a delivery");
    }
    migrate(&connection, MIGRATIONS_BEFORE).expect("migrated");
    connection
}

fn count(connection: &Connection, condition: &str) -> i64 {
    let query = format!("SELECT count(*) FROM deliveries WHERE {condition}");
    connection.query_row(&query, [], |row| row.get(0)).expect("a count")
}

const HOLDS: &str = "frozen LIKE '%a-key-without-placeholders%'";

#[test]
fn a_crash_between_slices_repeats_none_and_leaves_none_out() {
    let all = 2 * DELIVERIES_PER_SLICE + 10;
    let connection = earlier_file((0..all).map(|_| WITH_CREDENTIALS));
    assert_eq!(count(&connection, HOLDS), all);
    for left in [all - DELIVERIES_PER_SLICE, all - 2 * DELIVERIES_PER_SLICE, 0] {
        // One that was read and not written changes nothing.
        drop(next_slice(&connection, &keyring()).expect("read"));
        let slice = next_slice(&connection, &keyring()).expect("read").expect("a slice");
        slice.write(&connection).expect("written");
        assert_eq!(count(&connection, HOLDS), left);
    }
    assert!(next_slice(&connection, &keyring()).expect("read").is_none());
    assert_eq!(count(&connection, "frozen LIKE '{\"v\":2,%\"headers\":{},%'"), all);
}

#[test]
fn what_holds_none_or_cannot_be_read_stays_as_it_is() {
    let connection = earlier_file([WITHOUT_HEADERS, "{\"v\":99}", "no JSON", WITH_CREDENTIALS].into_iter());
    let slice = next_slice(&connection, &keyring()).expect("read").expect("a slice");
    assert!(slice.is_last);
    assert_eq!(slice.snapshots.len(), 1);
    slice.write(&connection).expect("written");
    for frozen in [WITHOUT_HEADERS.trim_end(), "{\"v\":99}", "no JSON"] {
        let stays =
            connection
                .query_row("SELECT count(*) FROM deliveries WHERE frozen = ?1", [frozen], |row| row.get(0));
        assert_eq!(stays, Ok(1), "{frozen}");
    }
    assert_eq!(count(&connection, HOLDS), 0);
}

#[test]
fn a_new_file_has_none() {
    let connection = Connection::open_in_memory().expect("a database");
    migrate(&connection, 0).expect("migrated");
    assert!(next_slice(&connection, &keyring()).expect("read").is_none());
}
