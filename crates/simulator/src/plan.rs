//! Plan of a run: what clients do, and when. It is drawn before the run begins, so that a shorter plan is a beginning of a
//! longer one.

use std::time::Duration;

use fastrand::Rng;
use loanhook_core::model::attempt::AttemptNumber;

/// Something that a client does.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Sends an event, with calls that are repeated until one is answered where it has a key.
    SendEvent {
        number: u32,
        loan: u32,
        days: u32,
        key: Option<String>,
    },
    /// Sends a sample event to one webhook.
    SendTest {
        number: u32,
        choice: usize,
    },
    Cancel {
        choice: usize,
    },
    Resend {
        choice: usize,
        target: Target,
        key: Option<String>,
    },
    /// Resends many, by a recovery job.
    Job {
        number: u32,
        seed: u64,
    },
    /// Makes, changes or deletes a webhook.
    Edit {
        choice: usize,
        seed: u64,
    },
    /// Holds a webhook by hand.
    Hold {
        choice: usize,
    },
    /// Ends the hold of a webhook, if there is one.
    Release {
        choice: usize,
    },
}

/// Which attempt a resend is said to be of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Newest,
    Number(AttemptNumber),
    /// One of the rows that the client can read.
    AnyRow,
}

/// An action and when it begins.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) at: Duration,
    /// Whose it is: tenants are told apart by their number.
    pub(crate) tenant: usize,
    pub(crate) action: Action,
}

/// The first `most` actions of a plan.
pub(crate) fn draw(rng: &mut Rng, most: usize) -> Vec<Planned> {
    let count = [3, 8, 20, 50][rng.usize(..4)];
    let window = [2_000, 60_000, 600_000, 7_200_000, 172_800_000][rng.usize(..5)];
    let loans = rng.u32(1..4);
    let mut plan = Vec::with_capacity(count);
    let mut numbers = 0;
    while plan.len() < count {
        let at = Duration::from_millis(rng.u64(..window));
        let tenant = usize::from(rng.u32(..5) == 0);
        numbers += 1;
        let number = numbers;
        let key = |rng: &mut Rng| rng.bool().then(|| format!("key-{number}"));
        let choice = rng.usize(..1000);
        match rng.u32(..22) {
            0..9 => {
                let days = if rng.bool() { 10 } else { 40 };
                let loan = rng.u32(..loans);
                let key = key(rng);
                let repeats = if key.is_some() { rng.u32(..3) } else { 0 };
                let action = Action::SendEvent { number, loan, days, key: key.clone() };
                // Repeats come at the same moment or later; a key is remembered for longer than that.
                for _ in 0..repeats {
                    let later = if rng.bool() { 0 } else { rng.u64(..3_600_000) };
                    let at = at + Duration::from_millis(later);
                    plan.push(Planned { at, tenant, action: action.clone() });
                }
                if repeats > 0 && rng.u32(..4) == 0 {
                    numbers += 1;
                    let action = Action::SendEvent { number: numbers, loan, days, key };
                    plan.push(Planned { at, tenant, action });
                }
                plan.push(Planned { at, tenant, action });
                // Somebody sees it fail, and sends it again while its schedule goes on.
                if rng.u32(..3) == 0 {
                    let later = if rng.bool() { rng.u64(..500) } else { rng.u64(..60_000) };
                    let at = at + Duration::from_millis(later);
                    let action = Action::Resend { choice, target: target(rng), key: None };
                    plan.push(Planned { at, tenant, action });
                }
                // Several events of one loan at the same moment.
                for _ in 0..[0, 0, 1, 3][rng.usize(..4)] {
                    numbers += 1;
                    let days = if rng.bool() { 10 } else { 40 };
                    let action = Action::SendEvent { number: numbers, loan, days, key: None };
                    plan.push(Planned { at, tenant, action });
                }
            }
            9 => plan.push(Planned { at, tenant, action: Action::SendTest { number, choice } }),
            10..13 => plan.push(Planned { at, tenant, action: Action::Cancel { choice } }),
            13..18 => {
                // Some when the schedule is at its end.
                let later = if rng.u32(..3) == 0 { rng.u64(..86_400_000) } else { 0 };
                let at = at + Duration::from_millis(later);
                let target = target(rng);
                let key = key(rng);
                if key.is_some() && rng.bool() {
                    let action = Action::Resend { choice, target, key: key.clone() };
                    plan.push(Planned { at, tenant, action });
                }
                plan.push(Planned { at, tenant, action: Action::Resend { choice, target, key } });
            }
            18 => plan.push(Planned { at, tenant, action: Action::Job { number, seed: rng.u64(..) } }),
            19 => plan.push(Planned { at, tenant, action: Action::Edit { choice, seed: rng.u64(..) } }),
            _ => {
                plan.push(Planned { at, tenant, action: Action::Hold { choice } });
                // Some are released at the end of the run only.
                if rng.u32(..4) > 0 {
                    let later = if rng.bool() { rng.u64(..20_000) } else { rng.u64(..1_200_000) };
                    let at = at + Duration::from_millis(later);
                    plan.push(Planned { at, tenant, action: Action::Release { choice } });
                }
            }
        }
    }
    plan.truncate(most);
    plan
}

fn target(rng: &mut Rng) -> Target {
    match rng.u32(..4) {
        0 => Target::Number(AttemptNumber::Auto(1)),
        1 => Target::Number(AttemptNumber::Manual),
        2 => Target::AnyRow,
        _ => Target::Newest,
    }
}
