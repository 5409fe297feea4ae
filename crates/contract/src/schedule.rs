//! Schedule of a delivery, and its queue messages.

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Deliveries, DueWork, Queue, QueueMessage, StoreResult};

use crate::engine::Engine;
use crate::scene::{LEASE, SECOND, START, Scene, attempt_message, ended, loan};

pub(crate) async fn a_failure_queues_the_next_number_after_its_delay<E: Engine>() -> StoreResult<()> {
    for result in [Ok(500), Ok(302), Err(ErrorKind::Timeout)] {
        goes_on::<E>(result, 1, START + 3 * SECOND + 300 * SECOND).await?;
    }
    Ok(())
}

pub(crate) async fn an_interruption_queues_the_next_number_at_once_in_the_same_slot<E: Engine>()
-> StoreResult<()> {
    goes_on::<E>(Err(ErrorKind::Interrupted), 0, START + 3 * SECOND).await
}

/// After a first attempt that ended so three seconds after the start, the second is due then, in that slot.
async fn goes_on<E: Engine>(result: Result<u16, ErrorKind>, slot: u32, due: Timestamp) -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let mut row = ended(claim.row, result, START + 3 * SECOND);
    assert!(scene.ports().complete(&claim.delivery, claim.token, row.clone(), None).await?);

    let progress = scene.delivery().await?.progress;
    assert_eq!((progress.status(), progress.in_flight()), (Status::Pending, None));
    assert_eq!(progress.waiting().map(|next| (next.number, next.slot, next.due)), Some((2, slot, due)));
    row.next_attempt_at = Some(due);
    assert_eq!(scene.rows().await?, [row]);
    assert_eq!(scene.engine.receive().await, attempt_message(&scene.accepted, 2, due));
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

pub(crate) async fn the_end_of_a_schedule_queues_no_message<E: Engine>() -> StoreResult<()> {
    for (result, delays, status) in [
        (Ok(204), [300].as_slice(), Status::Succeeded),
        (Ok(500), &[], Status::Failed),
        (Err(ErrorKind::Blocked), &[300], Status::Failed),
        (Err(ErrorKind::Template), &[300], Status::Failed),
    ] {
        let scene = Scene::<E>::new(delays).await?;
        let claim = scene.claim(START).await?;
        let row = ended(claim.row, result, START + SECOND);
        assert!(scene.ports().complete(&claim.delivery, claim.token, row.clone(), None).await?);
        let progress = scene.delivery().await?.progress;
        assert_eq!((progress.status(), progress.waiting(), progress.in_flight()), (status, None, None));
        assert_eq!(scene.rows().await?, [row]);
        assert_eq!(scene.engine.drain().await, [], "{result:?}");
    }
    Ok(())
}

pub(crate) async fn a_message_is_received_as_it_was_enqueued<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let attempt = attempt_message(&scene.accepted, 2, START + LEASE);
    let resend = DueWork::Resend { loan_id: loan("Loan 7 (ü)"), attempt_id: AttemptId::at(START) };
    let resend = QueueMessage { work: resend, ..attempt.clone() };
    for message in [attempt, resend] {
        scene.ports().enqueue(message.clone()).await?;
        assert_eq!(scene.engine.receive().await, message);
    }
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}
