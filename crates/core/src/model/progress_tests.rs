use super::*;

const SECOND: Duration = Duration::from_secs(1);
const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const FAILED: AttemptResult = AttemptResult::Failed { retry_after: None };

/// Claims the next attempt and ends it; two retries, 60 s apart.
fn attempt(progress: &mut Progress, ending: AttemptResult) -> Option<(u32, u32, Timestamp)> {
    let next = progress.next.expect("an attempt is due");
    let token = Uuid::from_u128(next.number.into());
    progress.claim(next.number, AttemptId::at(next.due), token, next.due).expect("a claim");
    progress.complete(ending, next.due + SECOND, |_| (next.slot < 2).then_some(60 * SECOND));
    progress.next.map(|next| (next.number, next.slot, next.due))
}

#[test]
fn failures_use_up_the_schedule() {
    let mut progress = Progress::new(NOW);
    assert_eq!(attempt(&mut progress, FAILED), Some((2, 1, NOW + 61 * SECOND)));
    assert_eq!(attempt(&mut progress, FAILED), Some((3, 2, NOW + 122 * SECOND)));
    assert_eq!(attempt(&mut progress, FAILED), None);
    assert_eq!(progress.status, Status::Failed);
}

#[test]
fn interruptions_use_up_numbers_and_the_third_a_slot() {
    let mut progress = Progress::new(NOW);
    assert_eq!(attempt(&mut progress, AttemptResult::Interrupted), Some((2, 0, NOW + SECOND)));
    assert_eq!(attempt(&mut progress, AttemptResult::Interrupted), Some((3, 0, NOW + 2 * SECOND)));
    assert_eq!(attempt(&mut progress, AttemptResult::Interrupted), Some((4, 1, NOW + 63 * SECOND)));
    assert_eq!(attempt(&mut progress, AttemptResult::Interrupted), Some((5, 1, NOW + 64 * SECOND)));
    assert_eq!(attempt(&mut progress, FAILED), Some((6, 2, NOW + 125 * SECOND)));
    for _ in 0..2 {
        attempt(&mut progress, AttemptResult::Interrupted);
    }
    assert_eq!(progress.next.map(|next| (next.number, next.slot)), Some((8, 2)));
    assert_eq!(attempt(&mut progress, AttemptResult::Interrupted), None);
    assert_eq!(progress.status, Status::Failed);
}

#[test]
fn a_hopeless_attempt_is_the_last() {
    let mut progress = Progress::new(NOW);
    assert_eq!(attempt(&mut progress, AttemptResult::PermanentFailure), None);
    assert_eq!(progress.status, Status::Failed);
}

#[test]
fn a_resend_moves_nothing_and_turns_only_an_exhausted_delivery() {
    let mut progress = Progress::new(NOW);
    attempt(&mut progress, FAILED);
    let before = progress.clone();
    progress.record_resend(AttemptId::at(NOW + 2 * SECOND));
    progress.record_resend_success();
    assert_eq!((progress.next, progress.status), (before.next, Status::Pending));
    attempt(&mut progress, FAILED);
    attempt(&mut progress, FAILED);
    assert_eq!(progress.status, Status::Succeeded);

    let mut canceled = Progress::new(NOW);
    attempt(&mut canceled, FAILED);
    assert!(canceled.cancel());
    canceled.record_resend_success();
    assert_eq!(canceled.status, Status::Canceled);
}

#[test]
fn a_cancel_lets_the_attempt_in_flight_finish() {
    let mut progress = Progress::new(NOW);
    progress.claim(1, AttemptId::at(NOW), Uuid::nil(), NOW).expect("a claim");
    assert!(progress.cancel());
    assert!(!progress.cancel());
    assert_eq!(progress.complete(FAILED, NOW, |_| Some(SECOND)), None);
    assert_eq!((progress.status, progress.next, progress.in_flight), (Status::Canceled, None, None));
}

#[test]
fn verdicts_by_table() {
    let lease = Some(40 * SECOND);
    let mut progress = Progress::new(NOW);
    assert_eq!(progress.claim(2, AttemptId::at(NOW), Uuid::nil(), NOW), None);
    let claim = progress.claim(1, AttemptId::at(NOW), Uuid::nil(), NOW).expect("a claim");
    assert_eq!(progress.claim(1, AttemptId::at(NOW), Uuid::max(), NOW), None);
    let until = NOW + 40 * SECOND;
    assert_eq!(
        progress.action_without_claim(1, NOW + 39 * SECOND, lease),
        UnclaimedAction::WaitForLease { until }
    );
    assert_eq!(progress.action_without_claim(1, until, lease), UnclaimedAction::LeaseExpired(claim));
    assert_eq!(progress.action_without_claim(1, until, None), UnclaimedAction::Discard);
    assert_eq!(progress.action_without_claim(0, until, lease), UnclaimedAction::Discard);
    progress.complete(FAILED, NOW, |_| Some(SECOND));
    let next = progress.next.expect("a retry");
    assert_eq!(progress.action_without_claim(1, NOW, lease), UnclaimedAction::EnqueueSuccessor(next));
    progress.claim(2, AttemptId::at(NOW), Uuid::nil(), NOW).expect("a claim");
    assert_eq!(progress.action_without_claim(1, NOW, lease), UnclaimedAction::Discard);
    progress.complete(AttemptResult::Succeeded, NOW, |_| None);
    for number in 1..4 {
        assert_eq!(progress.action_without_claim(number, NOW, lease), UnclaimedAction::Discard);
    }
}
