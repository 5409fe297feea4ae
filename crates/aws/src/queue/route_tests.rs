use super::*;
use loanhook_core::model::id::{AttemptId, LoanId, TraceId};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn message(work: DueWork, due: Timestamp) -> QueueMessage {
    QueueMessage {
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        trace_id: TraceId::from_uuid(Uuid::from_u128(1)),
        subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(2)),
        due,
        work,
    }
}

fn resend() -> DueWork {
    let loan_id = LoanId::try_from("727".to_owned()).expect("a loan");
    DueWork::Resend { loan_id, attempt_id: AttemptId::from_uuid(Uuid::from_u128(3)) }
}

#[test]
fn first_attempts_and_resends_are_fast_unless_their_receiver_is_slow() {
    for (work, fast) in [(DueWork::Attempt(1), true), (DueWork::Attempt(2), false), (resend(), true)] {
        let expected = if fast { QueueKind::Fast } else { QueueKind::Slow };
        assert_eq!(queue_for(&work, false), expected, "{work:?}");
        assert_eq!(queue_for(&work, true), QueueKind::Slow, "{work:?}");
    }
}

#[test]
fn a_received_message_is_handled_passed_on_or_returned_by_table() {
    use QueueKind::{Fast, Slow};
    let first = || DueWork::Attempt(1);
    for (work, from, is_slow, is_closed, was_returned, expected) in [
        (first(), Fast, false, false, false, Route::Handle),
        (first(), Fast, false, false, true, Route::Handle),
        (first(), Fast, false, true, false, Route::Return),
        (first(), Fast, false, true, true, Route::PassOn),
        (first(), Fast, true, false, false, Route::PassOn),
        (first(), Fast, true, true, false, Route::PassOn),
        (resend(), Fast, false, false, false, Route::Handle),
        (resend(), Fast, true, false, false, Route::PassOn),
        // A version that had one queue left a retry there.
        (DueWork::Attempt(2), Fast, false, false, false, Route::PassOn),
        (first(), Slow, false, false, false, Route::HandleWithPermit),
        (DueWork::Attempt(2), Slow, true, true, true, Route::HandleWithPermit),
        (resend(), Slow, false, true, false, Route::HandleWithPermit),
    ] {
        let message = message(work, NOW);
        let received = Received { message: &message, from, was_returned, is_slow, is_closed, now: NOW };
        assert_eq!(route(received), expected, "{received:?}");
        let early = Received { now: NOW.plus_millis(-1), ..received };
        assert_eq!(route(early), Route::Handle, "it is not due: {early:?}");
    }
}

#[test]
fn each_instance_is_closed_to_about_an_eighth_of_the_receivers() {
    let acme = TenantId::try_from("acme".to_owned()).expect("a tenant");
    let closed = |instance: u128| {
        let instance = InstanceId(Uuid::from_u128(instance));
        let ids = (0..4000_u128).map(|id| SubscriptionId::from_uuid(Uuid::from_u128(id)));
        ids.map(|id| instance.is_closed_to(&acme, id)).collect::<Vec<_>>()
    };
    let (one, other) = (closed(1), closed(2));
    let both = one.iter().zip(&other).filter(|(one, other)| **one && **other).count();
    let count = |closed: &[bool]| closed.iter().filter(|closed| **closed).count();
    assert!((450..=550).contains(&count(&one)) && (450..=550).contains(&count(&other)));
    assert!((40..=90).contains(&both), "{both}: each instance chooses for itself");
}

#[test]
fn a_resend_that_is_not_sent_any_more_needs_no_permit() {
    for (work, waited, expected) in [
        (
            resend(),
            MAX_RESEND_WAIT.saturating_sub(std::time::Duration::from_millis(1)),
            Route::HandleWithPermit,
        ),
        (resend(), MAX_RESEND_WAIT, Route::Handle),
        (DueWork::Attempt(2), MAX_RESEND_WAIT, Route::HandleWithPermit),
    ] {
        let message = message(work, NOW.minus(waited));
        let (from, now) = (QueueKind::Slow, NOW);
        let received =
            Received { message: &message, from, was_returned: false, is_slow: true, is_closed: false, now };
        assert_eq!(route(received), expected, "{received:?}");
    }
}
