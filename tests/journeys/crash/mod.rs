//! The crash test: events are posted without pause while the process is killed at random moments.
//!
//! The receiver fails some of the requests, breaks others off, and holds some until the process is dead, so that
//! retries, broken responses and interrupted attempts are in flight at each kill. A second caller resends what was
//! accepted. When the kills are over and every delivery has ended, the history is compared with what the receiver saw
//! ([`history_check`]), and reports with the history.
//!
//! A seed decides the moments of the kills and the replies of the receiver. It is printed, and `LOANHOOK_CRASH_SEED`
//! runs the same again.

mod history_check;
mod jobs;
mod order;
mod traffic;

use std::time::Duration;

use crate::harness::wait::{eventually_within, pause};
use crate::harness::{Journey, Server};
use history_check::History;
use traffic::Traffic;

const KILLS: u32 = 24;
/// Every fourth start may be killed before the process listens.
const KILLED_EARLY_EVERY: u32 = 4;

/// The seed of a test, which it prints: that of the environment, or a new one.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("LOANHOOK_CRASH_SEED")
        .ok()
        .map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a seed"));
    eprintln!("the seed of this crash test is {seed}; LOANHOOK_CRASH_SEED={seed} runs it again");
    seed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_kills_lose_no_promise_and_repeat_no_attempt() {
    let Some(server) = Server::own_process().await else { return };
    let seed = seed();
    let mut moments = fastrand::Rng::with_seed(seed);
    let j = Journey::on_server(server).await;
    let traffic = Traffic::start(&j, seed).await;

    let mut kills = 0;
    while kills < KILLS {
        pause(Duration::from_millis(moments.u64(50..2_200))).await;
        j.server.kill();
        traffic.release_held_requests();
        kills += 1;
        let early = Duration::from_millis(moments.u64(0..120));
        if kills % KILLED_EARLY_EVERY == 0 && !j.server.restart_unless_killed_at(pause(early)).await {
            kills += 1;
        }
        if j.server.base_url().is_none() {
            j.server.restart().await;
        }
    }
    let promised = traffic.stop().await;

    let history = eventually_within(Duration::from_secs(120), "every delivery ends", async || {
        promised.all_reached().then_some(())?;
        // Reading takes a while: only a second reading, after everything has ended, shows one state.
        let before = History::read(&j.api, &promised).await.if_all_ended()?;
        History::read(&j.api, &promised)
            .await
            .if_all_ended()
            .filter(|history| history.has_as_many_rows_as(&before))
    })
    .await;
    history.assert_matches(&promised);
    history.assert_counted(&j.api).await;
}
