//! Facts as they are sent, and as formulas and templates see them.

use super::*;

#[test]
fn a_payload_has_the_facts_under_the_names_of_the_api_in_their_order() {
    let expected = [
        r#"{"eventName":"subscription.failing","subscriptionId":"00000000-0000-0000-0000-000000000007","title":"Core banking \"A\"","occurredAt":"2026-11-23T10:00:00.000Z","failuresInARow":4,"since":"2026-11-23T09:56:00.000Z","lastResponseCode":503,"lastError":null}"#,
        r#"{"eventName":"subscription.held","subscriptionId":"00000000-0000-0000-0000-000000000007","title":"Core banking \"A\"","occurredAt":"2026-11-23T10:00:00.000Z","by":"failures","since":"2026-11-23T10:00:00.000Z"}"#,
        r#"{"eventName":"subscription.recovered","subscriptionId":"00000000-0000-0000-0000-000000000007","title":"Core banking \"A\"","occurredAt":"2026-11-23T10:00:00.000Z","failingSince":null,"heldSince":"2026-11-23T09:56:00.000Z"}"#,
        r#"{"eventName":"delivery.exhausted","subscriptionId":"00000000-0000-0000-0000-000000000007","title":"Core banking \"A\"","occurredAt":"2026-11-23T10:00:00.000Z","count":1,"traceIds":["TRACE"],"from":"2026-11-23T09:55:00.000Z","to":"2026-11-23T10:00:00.000Z"}"#,
        r#"{"eventName":"certificate.expiring","subscriptionId":"00000000-0000-0000-0000-000000000007","title":"Core banking \"A\"","occurredAt":"2026-11-23T10:00:00.000Z","expiresAt":"2026-12-23T10:00:00.000Z","daysLeft":30,"subject":"CN=loanhook"}"#,
        r#"{"eventName":"job.finished","subscriptionId":null,"title":null,"occurredAt":"2026-11-23T10:00:00.000Z","jobId":"JOB","jobKind":"resend","status":"done","total":3,"succeeded":2,"failed":1,"skipped":0,"superseded":0,"left":0,"requestedBy":"Sample","createdAt":"2026-11-23T09:56:00.000Z","endedAt":"2026-11-23T10:00:00.000Z"}"#,
    ];
    for (kind, expected) in OperationalKind::ALL.into_iter().zip(expected) {
        let sample = kind.sample(&subject(), START);
        let event = sample.to_event().expect("an event");
        let (sent, payload) = event.envelope();
        let sent = String::from_utf8(sent.to_vec()).expect("UTF-8");
        assert_eq!(payload.bytes, sent.len() as u64);
        let expected = match kind {
            OperationalKind::DeliveryExhausted => {
                expected.replace("TRACE", fact(&sample, "trace-ids")[0].as_str().expect("a trace"))
            }
            OperationalKind::JobFinished => {
                expected.replace("JOB", fact(&sample, "job-id").as_str().expect("a job"))
            }
            _ => expected.to_owned(),
        };
        assert_eq!(sent, expected);
        // What the ledger keeps is the context.
        let kept = event.stored_context();
        assert_eq!((event.ledger_payload(), kept.offset), (sample.context.clone().into(), 0));
        assert_eq!(kept.bytes as usize, sample.context.len());
    }
}

#[test]
fn the_name_of_a_kind_is_read_as_it_is_written() {
    for kind in OperationalKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert!(UnknownOperationalKind.to_string().contains(kind.as_str()));
    }
    assert_eq!("subscription.Failing".parse::<OperationalKind>(), Err(UnknownOperationalKind));
}

#[test]
fn variables_are_the_names_of_the_facts() {
    let names = OperationalKind::SubscriptionHeld.variables();
    assert_eq!(names, ["event-name", "subscription-id", "title", "occurred-at", "by", "since"]);
    for kind in OperationalKind::ALL {
        assert!(kind.variables().starts_with(&names[..4]), "{kind}");
    }
}
