//! Ends of attempts: what they say.

use super::*;
use crate::model::attempt::{Attempt, AttemptNumber, AttemptState};
use crate::model::attempt_fixture::ended_attempt;
use crate::model::failure::ErrorKind;
use crate::model::id::LoanId;

fn row(result: Result<u16, ErrorKind>) -> Attempt {
    let Subject { tenant, subscription, title, .. } = subject();
    Attempt { tenant, subscription_id: subscription, event_title: title, ..ended_attempt(at(1), result) }
}

#[test]
fn an_end_says_something_of_the_receiver_or_nothing() {
    let outcome = |row: Attempt| AttemptEnd::of(&row).map(|end| end.outcome);
    for (result, expected) in [
        (Ok(200), Some(EndOutcome::Succeeded)),
        (Ok(299), Some(EndOutcome::Succeeded)),
        (Ok(302), Some(EndOutcome::Answered(302))),
        (Ok(503), Some(EndOutcome::Answered(503))),
        (Err(ErrorKind::Timeout), Some(EndOutcome::Unanswered("timeout"))),
        (Err(ErrorKind::Blocked), Some(EndOutcome::Unanswered("blocked"))),
        (Err(ErrorKind::Auth), Some(EndOutcome::Unanswered("auth"))),
        (Err(ErrorKind::Template), None),
        (Err(ErrorKind::Interrupted), None),
    ] {
        assert_eq!(outcome(row(result)), expected, "{result:?}");
        let resend = Attempt { number: AttemptNumber::Manual, ..row(result) };
        assert_eq!(outcome(resend), expected, "{result:?} of a resend");
        assert_eq!(outcome(Attempt { test: true, ..row(result) }), None, "a test says nothing");
        let operational = Attempt { loan_id: LoanId::operational(), ..row(result) };
        assert_eq!(outcome(operational), None, "an operational event says nothing");
    }
    assert_eq!(outcome(Attempt { state: AttemptState::Queued, ..row(Ok(200)) }), None);
}

#[test]
fn ends_sort_by_their_time() {
    let mut ends =
        [end(3, EndOutcome::Succeeded), end(1, EndOutcome::Answered(500)), end(2, EndOutcome::Succeeded)];
    ends.sort();
    assert_eq!(ends.map(|end| end.ended_at), [at(1), at(2), at(3)]);
}
