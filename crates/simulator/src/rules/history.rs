//! History of a delivery at the end of a run: its rows, replayed against its retry policy.

use loanhook_core::model::attempt::{Attempt, AttemptNumber, Outcome};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;

use super::Rule;
use super::schedule::{Follows, Schedule, completion};
use crate::trace::{elapsed, progress};

type Checked = Result<(), (Rule, String)>;

/// Checks a delivery with all its rows, the oldest first.
pub(crate) fn check(delivery: &Delivery, rows: &[Attempt], cancel_asked: bool, promised: bool) -> Checked {
    let canceled = delivery.progress.status() == Status::Canceled;
    if canceled && !cancel_asked {
        return Err((Rule::CanceledIsFinal, "it is canceled and nobody asked for that".into()));
    }
    let (automatic, manual): (Vec<_>, Vec<_>) = rows.iter().partition(|row| !row.is_manual());
    let started = !automatic.is_empty();
    if promised && !started && !canceled {
        return Err((Rule::PromiseKept, "it was promised and never attempted".into()));
    }
    let resent = manual.iter().any(|row| row.outcome() == Outcome::Succeeded);
    if started || promised {
        let end = replay(delivery, &automatic)?;
        let status = match end {
            Some(Follows::Success) => Status::Succeeded,
            Some(Follows::Failure) if resent => Status::Succeeded,
            Some(Follows::Failure) => Status::Failed,
            Some(Follows::Attempt(_)) | None => Status::Canceled,
        };
        let found = delivery.progress.status();
        // A cancel may come while the last attempt is in flight.
        let ended = found == status || canceled;
        if !ended || delivery.progress.in_flight().is_some() {
            let detail =
                format!("it ends as \"{}\" and should end as {status:?}", progress(&delivery.progress));
            return Err((Rule::PromiseKept, detail));
        }
    }
    resends(delivery, rows, &manual)
}

/// Follows the automatic attempts; gives what comes after the last.
fn replay(delivery: &Delivery, automatic: &[&Attempt]) -> Result<Option<Follows>, (Rule, String)> {
    let canceled = delivery.progress.status() == Status::Canceled;
    let (mut schedule, mut follows, mut due) = (Schedule::default(), None, delivery.snapshot.accepted_at);
    for (row, number) in automatic.iter().zip(1..) {
        if row.number != AttemptNumber::Auto(number) {
            let detail = format!("attempt {} stands where {number} should", row.number);
            return Err((Rule::OneAttemptPerNumber, detail));
        }
        if row.sent_at < due {
            return Err((
                Rule::ScheduleTimes,
                format!("attempt {number} left before it was due, at {}", elapsed(due)),
            ));
        }
        if matches!(follows, Some(Follows::Success | Follows::Failure)) {
            let detail = format!("attempt {number} follows what ended the schedule");
            return Err((Rule::ScheduleTimes, detail));
        }
        let completion = completion(row).map_err(|detail| (Rule::PromiseKept, detail))?;
        let next = schedule.ends(&delivery.snapshot.retry, completion);
        let last = automatic.len() == number as usize;
        due = scheduled(row, &next, canceled && last)?;
        follows = Some(next);
    }
    Ok(follows)
}

/// When the attempt after this one is due, which its row says as the policy does.
fn scheduled(row: &Attempt, follows: &Follows, may_be_none: bool) -> Result<Timestamp, (Rule, String)> {
    let wrong = |expected: String| {
        let detail = format!(
            "attempt {} says {:?} of the next, {expected}",
            row.number,
            row.next_attempt_at.map(elapsed)
        );
        Err((Rule::ScheduleTimes, detail))
    };
    match (follows, row.next_attempt_at) {
        (Follows::Success | Follows::Failure, None) => Ok(row.sent_at),
        (Follows::Success | Follows::Failure, Some(_)) => wrong("and there is none".into()),
        (Follows::Attempt(_), None) if may_be_none => Ok(row.sent_at),
        (Follows::Attempt(due), Some(next)) if due.contains(&next) => Ok(next),
        (Follows::Attempt(due), _) => {
            wrong(format!("which is due from {} to {}", elapsed(*due.start()), elapsed(*due.end())))
        }
    }
}

fn resends(delivery: &Delivery, rows: &[Attempt], manual: &[&Attempt]) -> Checked {
    if delivery.history.resends as usize != manual.len() {
        let detail = format!("{} resends are counted, {} stand", delivery.history.resends, manual.len());
        return Err((Rule::ResendNamesARow, detail));
    }
    for row in manual {
        let named = rows.iter().any(|other| Some(other.id) == row.resend_of && other.id != row.id);
        if !named {
            return Err((Rule::ResendNamesARow, "a resend is of an attempt that is not there".into()));
        }
        if row.next_attempt_at.is_some() {
            return Err((
                Rule::IndependentResend,
                "the row of a resend says when the next attempt is due".into(),
            ));
        }
    }
    // IDs sort as the attempts began, but for those of one millisecond.
    let mut began: Vec<_> = rows.iter().filter(|row| !row.is_manual()).collect();
    began.sort_by_key(|row| row.id);
    let ascending = began.windows(2).all(|pair| pair[0].sent_at <= pair[1].sent_at);
    match ascending {
        true => Ok(()),
        false => Err((Rule::OneAttemptPerNumber, "the IDs of its attempts do not ascend".into())),
    }
}
