use super::*;
use crate::model::attempt::StoredResponse;
use crate::model::failure::Failure;
use crate::model::payload::Payload;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn completion(result: Result<u16, Failure>, retry_after: Option<&str>) -> Completion {
    let headers = retry_after.map(|value| vec![("Retry-After".to_owned(), value.to_owned())]);
    Completion {
        ended_at: NOW,
        response_time_ms: Some(1.0),
        source_ip: None,
        result,
        response: headers.map(|headers| StoredResponse {
            payload: Payload::of(b""),
            content_type: None,
            truncated: false,
            headers,
            headers_truncated: false,
            headers_dropped: 0,
        }),
    }
}

#[test]
fn only_2xx_is_success() {
    for (code, ended) in [
        (200, AttemptResult::Succeeded),
        (299, AttemptResult::Succeeded),
        (301, AttemptResult::Failed { retry_after: None }),
        (199, AttemptResult::Failed { retry_after: None }),
        (404, AttemptResult::Failed { retry_after: None }),
        (500, AttemptResult::Failed { retry_after: None }),
    ] {
        assert_eq!(AttemptResult::of(&completion(Ok(code), None)), ended, "{code}");
    }
    for (kind, ended) in [
        (ErrorKind::Timeout, AttemptResult::Failed { retry_after: None }),
        (ErrorKind::Blocked, AttemptResult::PermanentFailure),
        (ErrorKind::Template, AttemptResult::PermanentFailure),
        (ErrorKind::Interrupted, AttemptResult::Interrupted),
    ] {
        let failure = Failure::new(kind, String::new());
        assert_eq!(AttemptResult::of(&completion(Err(failure), None)), ended, "{kind:?}");
    }
}

#[test]
fn retry_after_by_table() {
    for (code, value, seconds) in [
        (503, "120", Some(120)),
        (429, " 7 ", Some(7)),
        (500, "120", None),
        (503, "soon", None),
        (503, "-1", None),
        (503, "Mon, 23 Nov 2026 10:02:00 GMT", Some(120)),
        (503, "Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
    ] {
        let asked = retry_after(&completion(Ok(code), Some(value)));
        assert_eq!(asked, seconds.map(Duration::from_secs), "{code} {value}");
    }
}
