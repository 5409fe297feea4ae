//! The wait between two tries of a call that AWS did in part, or refused for another's sake: the SDK repeats neither.

use std::time::Duration;

const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The wait is doubled this often at most.
const MAX_DOUBLINGS: u32 = 6;

/// Waits after the try of this index, from 0: 50 ms, doubled for each further try, less a random part of up to half.
pub(crate) async fn back_off(try_index: u32) {
    let longest = FIRST_WAIT * 2_u32.saturating_pow(try_index.min(MAX_DOUBLINGS));
    let mut byte = [0];
    // Without randomness all wait the same time.
    let _ = getrandom::fill(&mut byte);
    tokio::time::sleep(longest.mul_f64(1.0 - f64::from(byte[0]) / 512.0)).await;
}
