//! A queue message as the body of an SQS message: a small JSON object that says which delivery is due.

use sha2::{Digest, Sha256};

use crate::items::call_errors::failed;
use crate::items::key_schema::hex;
use loanhook_core::ports::{QueueMessage, StoreResult};

/// The characters that a text in JSON may contain and an SQS message may not, and their escapes in JSON. SQS refuses such a
/// message, or replaces them by U+FFFD (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>):
/// then it names another loan.
const ESCAPES: [(char, &str); 2] = [('\u{fffe}', "\\ufffe"), ('\u{ffff}', "\\uffff")];

/// The body of a message.
pub(super) fn write(message: &QueueMessage) -> StoreResult<String> {
    let json = loanhook_stored::write(message).map_err(failed)?;
    Ok(ESCAPES.iter().fold(json, |json, (character, escape)| json.replace(*character, escape)))
}

/// The message of a body; none where it is not one of ours.
pub fn read(body: &str) -> Option<QueueMessage> {
    loanhook_stored::read(body).ok()
}

/// The message group, one for each subscription: SQS delivers fairly among groups, so that the backlog of one receiver does
/// not delay the messages of others.
pub(super) fn group(message: &QueueMessage) -> String {
    let hash = Sha256::new()
        .chain_update(message.tenant.as_str())
        .chain_update(message.subscription_id.uuid().as_bytes())
        .finalize();
    hex(&hash[..16])
}

#[cfg(test)]
mod tests {
    use loanhook_core::model::id::{AttemptId, LoanId, SubscriptionId, TenantId, TraceId};
    use loanhook_core::model::time::Timestamp;
    use loanhook_core::ports::DueWork;

    use super::*;

    fn message(what: DueWork) -> QueueMessage {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        QueueMessage {
            tenant,
            trace_id: TraceId::from_uuid(uuid::Uuid::from_u128(1)),
            subscription_id: SubscriptionId::from_uuid(uuid::Uuid::from_u128(2)),
            due: Timestamp::from_millis(1_795_428_000_123),
            work: what,
        }
    }

    #[test]
    fn a_body_reads_as_the_message_that_was_written() {
        let loan_id = LoanId::try_from("Loan 7 (ü)".to_owned()).expect("a loan");
        let resend = DueWork::Resend { loan_id, attempt_id: AttemptId::from_uuid(uuid::Uuid::from_u128(3)) };
        for message in [message(DueWork::Attempt(4)), message(resend)] {
            assert_eq!(read(&write(&message).expect("JSON")), Some(message));
        }
    }

    #[test]
    fn a_body_has_only_characters_that_sqs_takes_whatever_the_loan_is_called() {
        let taken = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        // The first and the last character of each range that a loan's name may have, and those between the ranges.
        let loan = " ~\u{a0}\u{d7ff}\u{e000}\u{fffd}\u{fffe}\u{ffff}\u{10000}\u{1fffe}\u{10ffff}";
        let loan_id = LoanId::try_from(loan.to_owned()).expect("a loan");
        let attempt_id = AttemptId::from_uuid(uuid::Uuid::from_u128(3));
        let resend = message(DueWork::Resend { loan_id, attempt_id });
        let body = write(&resend).expect("JSON");
        assert!(body.chars().all(taken), "{body:?}");
        assert_eq!(read(&body), Some(resend));
    }

    #[test]
    fn a_body_that_is_not_a_message_reads_as_none() {
        for body in ["", "{}", "null", r#"{"tenant":"acme"}"#, "\u{0}", "[1]"] {
            assert_eq!(read(body), None, "{body:?}");
        }
    }

    #[test]
    fn messages_of_one_tenant_and_subscription_share_a_group() {
        let one = message(DueWork::Attempt(1));
        assert_eq!(group(&one), group(&message(DueWork::Attempt(2))));
        let other = SubscriptionId::from_uuid(uuid::Uuid::from_u128(9));
        assert_ne!(group(&one), group(&QueueMessage { subscription_id: other, ..one.clone() }));
        assert_eq!(group(&one).len(), 32);
    }
}
