//! Rows at the end of a run: each says what came of its request, as its receiver knows it.

use loanhook_core::model::attempt::{Attempt, SENDER_DIED};
use loanhook_core::model::failure::ErrorKind;

use super::Rule;
use crate::model::Model;
use crate::workers::LEASE;

/// Checks a row that is complete.
pub(crate) fn check(model: &Model, row: &Attempt) -> Result<(), (Rule, String)> {
    let Some(completion) = row.completion() else { return Ok(()) };
    let broken = |rule, detail: String| Err((rule, format!("attempt {}: {detail}", row.number)));
    let sent = model.sent.get(&row.id);
    match &completion.result {
        Err(failure) if failure.kind == ErrorKind::Interrupted && failure.detail == SENDER_DIED => {
            if completion.ended_at < row.sent_at + LEASE {
                return broken(Rule::LeaseIsKept, "it was interrupted under the lease of its worker".into());
            }
        }
        Err(failure) if failure.kind == ErrorKind::Template => {
            if sent.is_some() {
                return broken(Rule::RowIsTrue, "it says that it has nothing to send, and was sent".into());
            }
        }
        result => {
            let said = result.as_ref().map_err(|failure| failure.kind).copied();
            let answer = sent.and_then(|sent| sent.answer);
            // Without an answer there may have been no request, and then it was interrupted.
            let Some((elapsed, came)) = answer else {
                return match said {
                    Err(ErrorKind::Interrupted) => Ok(()),
                    said => broken(Rule::RowIsTrue, format!("it says {said:?}, and nothing came")),
                };
            };
            if said != came {
                return broken(Rule::RowIsTrue, format!("it says {said:?}, and {came:?} came"));
            }
            if completion.ended_at != row.sent_at + elapsed {
                return broken(Rule::RowIsTrue, format!("it did not end {elapsed:?} after it began"));
            }
        }
    }
    Ok(())
}
