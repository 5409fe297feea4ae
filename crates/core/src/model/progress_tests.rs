use super::*;
use crate::model::attempt::Completion;
use crate::model::credentials::FrozenHeaders;
use crate::model::delivery::{Delivery, DeliverySnapshot, RequestSnapshot};
use crate::model::failure::{ErrorKind, Failure};
use crate::model::id::{EventId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::payload::Payload;
use crate::model::retry::RetryPolicy;
use crate::model::subscription::Method;

const SECOND: Duration = Duration::from_secs(1);
const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// The result of an attempt, as its row says it.
const FAILED: Result<u16, ErrorKind> = Ok(500);
const SUCCEEDED: Result<u16, ErrorKind> = Ok(200);
const INTERRUPTED: Result<u16, ErrorKind> = Err(ErrorKind::Interrupted);
const BLOCKED: Result<u16, ErrorKind> = Err(ErrorKind::Blocked);

/// A delivery that is due now, with two retries, 60 s apart.
fn delivery() -> Delivery {
    let snapshot = DeliverySnapshot {
        trace_id: TraceId::from_uuid(Uuid::nil()),
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        event_id: EventId::at(NOW),
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        subscription_id: SubscriptionId::at(NOW),
        subscription_version: 1,
        event_title: "Core banking".into(),
        event_name: "Payment Posted".into(),
        occurred_at: None,
        test: false,
        accepted_at: NOW,
        sequence: None,
        trace_context: None,
        request: RequestSnapshot {
            method: Method::Post,
            url: "https://core.example.com/".into(),
            headers: FrozenHeaders::none(),
            content_type: None,
            payload: Payload::of(b""),
            unrenderable: None,
        },
        retry: RetryPolicy::Delays { delays: vec![60, 60] },
        timeout_seconds: 15,
    };
    Delivery::new(snapshot, NOW)
}

fn completion(result: Result<u16, ErrorKind>, ended_at: Timestamp) -> Completion {
    let result = result.map_err(|kind| Failure::new(kind, ""));
    Completion { ended_at, response_time_ms: None, source_ip: None, result, response: None }
}

/// Makes the next attempt, which takes a second; gives number, slot and due time of the one after it.
fn attempt(delivery: &mut Delivery, result: Result<u16, ErrorKind>) -> Option<(u32, u32, Timestamp)> {
    let next = delivery.progress.waiting().expect("an attempt that waits");
    let token = Uuid::from_u128(next.number.into());
    delivery.claim(next.number, token, next.due).expect("a claim");
    let due = delivery.complete(token, &completion(result, next.due + SECOND)).expect("in flight");
    let after = delivery.progress.waiting();
    assert_eq!(after.map(|next| next.due), due);
    after.map(|next| (next.number, next.slot, next.due))
}

#[test]
fn failures_use_up_the_schedule() {
    let mut delivery = delivery();
    assert_eq!(attempt(&mut delivery, FAILED), Some((2, 1, NOW + 61 * SECOND)));
    assert_eq!(attempt(&mut delivery, FAILED), Some((3, 2, NOW + 122 * SECOND)));
    assert_eq!(attempt(&mut delivery, FAILED), None);
    assert_eq!(delivery.progress, Progress::Failed);
}

#[test]
fn an_interruption_uses_up_a_number_and_the_third_in_a_row_a_slot() {
    let mut delivery = delivery();
    assert_eq!(attempt(&mut delivery, INTERRUPTED), Some((2, 0, NOW + SECOND)));
    assert_eq!(attempt(&mut delivery, INTERRUPTED), Some((3, 0, NOW + 2 * SECOND)));
    assert_eq!(attempt(&mut delivery, INTERRUPTED), Some((4, 1, NOW + 63 * SECOND)));
    assert_eq!(attempt(&mut delivery, INTERRUPTED), Some((5, 1, NOW + 64 * SECOND)));
    assert_eq!(attempt(&mut delivery, FAILED), Some((6, 2, NOW + 125 * SECOND)));
    for _ in 0..2 {
        attempt(&mut delivery, INTERRUPTED);
    }
    assert_eq!(delivery.progress.waiting().map(|next| (next.number, next.slot)), Some((8, 2)));
    assert_eq!(attempt(&mut delivery, INTERRUPTED), None);
    assert_eq!(delivery.progress, Progress::Failed);
}

#[test]
fn a_permanent_failure_is_the_last_attempt() {
    let mut delivery = delivery();
    assert_eq!(attempt(&mut delivery, BLOCKED), None);
    assert_eq!(delivery.progress, Progress::Failed);
}

#[test]
fn a_resend_moves_no_schedule_and_turns_only_an_exhausted_delivery() {
    let mut pending = delivery();
    attempt(&mut pending, FAILED);
    let before = pending.progress;
    pending.record_resend(AttemptId::at(NOW + 2 * SECOND));
    pending.record_resend_success();
    assert_eq!(pending.progress, before);
    attempt(&mut pending, FAILED);
    attempt(&mut pending, FAILED);
    assert_eq!(pending.progress, Progress::Succeeded);

    let mut exhausted = delivery();
    attempt(&mut exhausted, BLOCKED);
    exhausted.record_resend_success();
    assert_eq!(exhausted.progress, Progress::Succeeded);

    let mut canceled = delivery();
    attempt(&mut canceled, FAILED);
    canceled.cancel().expect("pending");
    canceled.record_resend_success();
    assert_eq!(canceled.progress, Progress::Canceled);
}

#[test]
fn a_cancel_lets_the_attempt_in_flight_finish_as_the_last() {
    for result in [FAILED, SUCCEEDED, INTERRUPTED] {
        let mut delivery = delivery();
        delivery.claim(1, Uuid::nil(), NOW).expect("a claim");
        delivery.cancel().expect("pending");
        assert!(delivery.cancel().is_err());
        assert_eq!(delivery.progress.status(), Status::Canceled);
        assert_eq!(delivery.complete(Uuid::nil(), &completion(result, NOW)), Ok(None));
        assert_eq!(delivery.progress, Progress::Canceled);
    }
}

#[test]
fn a_released_attempt_is_due_again_under_its_number() {
    let mut delivery = delivery();
    delivery.claim(1, Uuid::nil(), NOW).expect("a claim");
    assert!(delivery.release(Uuid::max(), NOW, None).is_err());
    delivery.release(Uuid::nil(), NOW + SECOND, None).expect("in flight");
    assert_eq!(delivery.progress.waiting(), Some(NextAttempt { number: 1, slot: 0, due: NOW + SECOND }));
    assert_eq!(delivery.history.newest_attempt, None);

    delivery.claim(1, Uuid::nil(), NOW + SECOND).expect("a claim");
    delivery.cancel().expect("pending");
    delivery.release(Uuid::nil(), NOW + 2 * SECOND, None).expect("in flight");
    assert_eq!(delivery.progress, Progress::Canceled);
}

/// Every transition from every state: what is allowed, and what is said where it is not.
#[test]
fn transitions_by_table() {
    let waiting = delivery();
    let sending = {
        let mut delivery = waiting.clone();
        delivery.claim(1, Uuid::nil(), NOW).expect("a claim");
        delivery
    };
    let with = |progress| Delivery { progress, ..waiting.clone() };
    let claim = *sending.progress.in_flight().expect("in flight");
    for (state, claimed, completed, released, canceled) in [
        (waiting.clone(), true, false, false, true),
        (sending, false, true, true, true),
        (with(Progress::Canceling(claim)), false, true, true, false),
        (with(Progress::Succeeded), false, false, false, false),
        (with(Progress::Failed), false, false, false, false),
        (with(Progress::Canceled), false, false, false, false),
    ] {
        let token = Uuid::nil();
        let allowed = [
            state.clone().claim(1, token, NOW).is_ok(),
            state.clone().complete(token, &completion(FAILED, NOW)).is_ok(),
            state.clone().release(token, NOW, None).is_ok(),
            state.clone().cancel().is_ok(),
        ];
        assert_eq!(allowed, [claimed, completed, released, canceled], "{:?}", state.progress);
        let of_another = [
            state.clone().claim(2, token, NOW).is_ok(),
            state.clone().complete(Uuid::max(), &completion(FAILED, NOW)).is_ok(),
            state.clone().release(Uuid::max(), NOW, None).is_ok(),
        ];
        assert_eq!(of_another, [false; 3], "{:?}", state.progress);
    }
    let refused = with(Progress::Failed).cancel().expect_err("over");
    assert_eq!(refused.to_string(), "a delivery that is failed cannot be canceled");
}

#[test]
fn what_a_message_without_a_claim_does_by_table() {
    let lease = Some(40 * SECOND);
    let mut delivery = delivery();
    delivery.claim(1, Uuid::nil(), NOW).expect("a claim");
    let claim = *delivery.progress.in_flight().expect("in flight");
    let until = NOW + 40 * SECOND;
    let action =
        |delivery: &Delivery, number, now, lease| delivery.progress.action_without_claim(number, now, lease);
    let before = NOW + 39 * SECOND;
    assert_eq!(action(&delivery, 1, before, lease), UnclaimedAction::WaitForLease { until });
    assert_eq!(action(&delivery, 1, until, lease), UnclaimedAction::LeaseExpired(claim));
    assert_eq!(action(&delivery, 1, until, None), UnclaimedAction::Discard);
    assert_eq!(action(&delivery, 0, until, lease), UnclaimedAction::Discard);
    delivery.complete(Uuid::nil(), &completion(FAILED, NOW)).expect("in flight");
    let next = delivery.progress.waiting().expect("a retry");
    assert_eq!(action(&delivery, 1, NOW, lease), UnclaimedAction::EnqueueSuccessor(next));
    delivery.claim(2, Uuid::nil(), NOW).expect("a claim");
    assert_eq!(action(&delivery, 1, NOW, lease), UnclaimedAction::Discard);
    delivery.complete(Uuid::nil(), &completion(SUCCEEDED, NOW)).expect("in flight");
    for number in 1..4 {
        assert_eq!(action(&delivery, number, NOW, lease), UnclaimedAction::Discard);
    }
}
