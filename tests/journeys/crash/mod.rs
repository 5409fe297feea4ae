//! Events are posted without pause while the process is killed at random moments.
//!
//! The receiver fails a share of the requests, breaks another off, and holds some until the process is
//! dead, so that retries, broken answers and interrupted attempts are all on the way at each kill. A
//! second caller resends what was accepted. Then the killing stops, everything comes to rest, and the
//! history is held against what the receiver saw: see `ledger`.
//!
//! The seed decides the moments and the receiver's moods; it is printed, and `LOANHOOK_CRASH_SEED`
//! runs the same again.

mod history_check;
mod traffic;

use std::time::Duration;

use crate::harness::wait::{eventually_within, pause};
use crate::harness::{Journey, Target};
use history_check::Ledger;
use traffic::Traffic;

const KILLS: u32 = 24;
/// Every fourth start is killed before it has got far.
const YOUNG: u32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kill_at_any_moment_breaks_a_promise() {
    let Some(target) = Target::process().await else { return };
    let seed = std::env::var("LOANHOOK_CRASH_SEED")
        .ok()
        .map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a seed"));
    eprintln!("the seed of this crash test is {seed}; LOANHOOK_CRASH_SEED={seed} runs it again");
    let mut moments = fastrand::Rng::with_seed(seed);
    let j = Journey::on(target).await;
    let traffic = Traffic::start(&j, seed).await;

    let mut kills = 0;
    while kills < KILLS {
        pause(Duration::from_millis(moments.u64(50..2_200))).await;
        j.target.kill();
        traffic.let_go_of_the_dead();
        kills += 1;
        let young = Duration::from_millis(moments.u64(0..120));
        if kills % YOUNG == 0 && !j.target.restart_or_die(pause(young)).await {
            kills += 1;
        }
        if j.target.base().is_none() {
            j.target.restart().await;
        }
    }
    let promised = traffic.stop().await;

    let ledger = eventually_within(Duration::from_secs(120), "everything comes to rest", async || {
        promised.all_reached().then_some(())?;
        // Reading takes a while: only when all was at rest before is a second reading of one moment.
        let before = Ledger::read(&j.api, &promised).await.at_rest()?;
        Ledger::read(&j.api, &promised).await.at_rest().filter(|ledger| ledger.as_long_as(&before))
    })
    .await;
    ledger.holds_against(&promised);
}
