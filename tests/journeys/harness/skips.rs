//! What the server under test keeps a journey from showing. It is said on the standard error of the process itself,
//! which the test runner does not hold back.

use std::io::Write as _;

/// Says that this journey, or a part of it, is left out, and why.
pub(crate) fn skipped(why: &str) {
    let thread = std::thread::current();
    let journey = thread.name().unwrap_or("a journey");
    let _ = writeln!(std::io::stderr(), "SKIPPED {journey}: {why}");
}

/// Whether `LOANHOOK_TEST_EMULATOR` names an emulator of AWS, which does to this part of a journey what AWS would not.
pub(crate) fn spoiled_by_emulator(how: &str) -> bool {
    let Ok(emulator) = std::env::var("LOANHOOK_TEST_EMULATOR") else { return false };
    skipped(&format!("in part, since {emulator} {how}"));
    true
}
