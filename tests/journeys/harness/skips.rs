//! Notices of tests that are skipped in part or whole, and why. They go to the standard error of the process itself, which
//! the test runner does not capture.

use std::io::Write as _;

/// Reports that this test, or a part of it, is skipped, and why.
pub(crate) fn report_skipped(why: &str) {
    let thread = std::thread::current();
    let journey = thread.name().unwrap_or("a journey");
    let _ = writeln!(std::io::stderr(), "SKIPPED {journey}: {why}");
}

/// Whether `LOANHOOK_TEST_EMULATOR` names an emulator of AWS, which differs from AWS so that a part of the test is skipped.
pub(crate) fn emulator_differs(how: &str) -> bool {
    let Ok(emulator) = std::env::var("LOANHOOK_TEST_EMULATOR") else { return false };
    report_skipped(&format!("in part, since {emulator} {how}"));
    true
}
