use super::*;

const SECOND: Duration = Duration::from_secs(1);
const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const FAILED: Ending = Ending::Failed { retry_after: None };

/// Claims the next attempt and ends it; two retries, 60 s apart.
fn attempt(progress: &mut Progress, ending: Ending) -> Option<(u32, u32, Timestamp)> {
    let next = progress.next.expect("an attempt is due");
    let token = Uuid::from_u128(next.number.into());
    progress.claim(next.number, AttemptId::at(next.due), token, next.due).expect("a claim");
    progress.settle(ending, next.due + SECOND, |_| (next.slot < 2).then_some(60 * SECOND));
    progress.next.map(|next| (next.number, next.slot, next.due))
}

#[test]
fn failures_use_up_the_schedule() {
    let mut progress = Progress::first_due(NOW);
    assert_eq!(attempt(&mut progress, FAILED), Some((2, 1, NOW + 61 * SECOND)));
    assert_eq!(attempt(&mut progress, FAILED), Some((3, 2, NOW + 122 * SECOND)));
    assert_eq!(attempt(&mut progress, FAILED), None);
    assert_eq!(progress.status, Status::Failed);
}

#[test]
fn interruptions_use_up_numbers_and_the_third_a_slot() {
    let mut progress = Progress::first_due(NOW);
    assert_eq!(attempt(&mut progress, Ending::Interrupted), Some((2, 0, NOW + SECOND)));
    assert_eq!(attempt(&mut progress, Ending::Interrupted), Some((3, 0, NOW + 2 * SECOND)));
    assert_eq!(attempt(&mut progress, Ending::Interrupted), Some((4, 1, NOW + 63 * SECOND)));
    assert_eq!(attempt(&mut progress, Ending::Interrupted), Some((5, 1, NOW + 64 * SECOND)));
    assert_eq!(attempt(&mut progress, FAILED), Some((6, 2, NOW + 125 * SECOND)));
    for _ in 0..2 {
        attempt(&mut progress, Ending::Interrupted);
    }
    assert_eq!(progress.next.map(|next| (next.number, next.slot)), Some((8, 2)));
    assert_eq!(attempt(&mut progress, Ending::Interrupted), None);
    assert_eq!(progress.status, Status::Failed);
}

#[test]
fn a_hopeless_attempt_is_the_last() {
    let mut progress = Progress::first_due(NOW);
    assert_eq!(attempt(&mut progress, Ending::Hopeless), None);
    assert_eq!(progress.status, Status::Failed);
}

#[test]
fn a_resend_moves_nothing_and_turns_only_an_exhausted_delivery() {
    let mut progress = Progress::first_due(NOW);
    attempt(&mut progress, FAILED);
    let before = progress.clone();
    progress.resend_asked(AttemptId::at(NOW + 2 * SECOND));
    progress.resend_delivered();
    assert_eq!((progress.next, progress.status), (before.next, Status::Pending));
    attempt(&mut progress, FAILED);
    attempt(&mut progress, FAILED);
    assert_eq!(progress.status, Status::Succeeded);

    let mut canceled = Progress::first_due(NOW);
    attempt(&mut canceled, FAILED);
    assert!(canceled.cancel());
    canceled.resend_delivered();
    assert_eq!(canceled.status, Status::Canceled);
}

#[test]
fn a_cancel_lets_the_attempt_in_flight_finish() {
    let mut progress = Progress::first_due(NOW);
    progress.claim(1, AttemptId::at(NOW), Uuid::nil(), NOW).expect("a claim");
    assert!(progress.cancel());
    assert!(!progress.cancel());
    assert_eq!(progress.settle(FAILED, NOW, |_| Some(SECOND)), None);
    assert_eq!((progress.status, progress.next, progress.in_flight), (Status::Canceled, None, None));
}

#[test]
fn verdicts_by_table() {
    let lease = Some(40 * SECOND);
    let mut progress = Progress::first_due(NOW);
    assert_eq!(progress.claim(2, AttemptId::at(NOW), Uuid::nil(), NOW), None);
    let flight = progress.claim(1, AttemptId::at(NOW), Uuid::nil(), NOW).expect("a claim");
    assert_eq!(progress.claim(1, AttemptId::at(NOW), Uuid::max(), NOW), None);
    let until = NOW + 40 * SECOND;
    assert_eq!(progress.verdict(1, NOW + 39 * SECOND, lease), Verdict::Busy { until });
    assert_eq!(progress.verdict(1, until, lease), Verdict::Expired(flight));
    assert_eq!(progress.verdict(1, until, None), Verdict::Drop);
    assert_eq!(progress.verdict(0, until, lease), Verdict::Drop);
    progress.settle(FAILED, NOW, |_| Some(SECOND));
    let next = progress.next.expect("a retry");
    assert_eq!(progress.verdict(1, NOW, lease), Verdict::Successor(next));
    progress.claim(2, AttemptId::at(NOW), Uuid::nil(), NOW).expect("a claim");
    assert_eq!(progress.verdict(1, NOW, lease), Verdict::Drop);
    progress.settle(Ending::Succeeded, NOW, |_| None);
    for number in 1..4 {
        assert_eq!(progress.verdict(number, NOW, lease), Verdict::Drop);
    }
}
