//! Stored form of what changes of a delivery: the JSON of the column `progress`.
//!
//! The text is compared as it is (an attempt ends where the delivery is as its claim left it), so fields stay in this
//! order, and what a version writes stays as it is.

use std::ops::Not;

use loanhook_core::model::delivery::DeliveryHistory;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::progress::{Claim, NextAttempt, Progress, Status};
use loanhook_stored::{Document, StoredTime, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const VERSION: u32 = 1;

/// A delivery without its snapshot.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct StoredProgress {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    status: StoredStatus,
    /// The next automatic attempt; while one is in flight, that one, unless the delivery was canceled.
    next: Option<StoredNext>,
    in_flight: Option<StoredClaim>,
    interruptions: u32,
    newest_attempt: Option<Uuid>,
    pub(super) resends: u32,
    resend_succeeded: bool,
    /// Absent is false.
    #[serde(default, skip_serializing_if = "Not::not")]
    delivered_by_resend: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredStatus {
    Pending,
    Succeeded,
    Failed,
    Canceled,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct StoredNext {
    number: u32,
    slot: u32,
    due: StoredTime,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct StoredClaim {
    number: u32,
    slot: u32,
    attempt_id: Uuid,
    token: Uuid,
    since: StoredTime,
}

impl StoredProgress {
    pub(super) const fn status(&self) -> Status {
        match self.status {
            StoredStatus::Pending => Status::Pending,
            StoredStatus::Succeeded => Status::Succeeded,
            StoredStatus::Failed => Status::Failed,
            StoredStatus::Canceled => Status::Canceled,
        }
    }

    pub(super) fn new(progress: &Progress, history: &DeliveryHistory) -> Self {
        let (status, next, in_flight) = match *progress {
            Progress::Waiting(next) => (StoredStatus::Pending, Some(next), None),
            Progress::Sending { claim, due } => {
                let next = NextAttempt { number: claim.number, slot: claim.slot, due };
                (StoredStatus::Pending, Some(next), Some(claim))
            }
            Progress::Canceling(claim) => (StoredStatus::Canceled, None, Some(claim)),
            Progress::Succeeded => (StoredStatus::Succeeded, None, None),
            Progress::Failed => (StoredStatus::Failed, None, None),
            Progress::Canceled => (StoredStatus::Canceled, None, None),
        };
        let DeliveryHistory { interruptions, newest_attempt, resends, resend_succeeded, delivered_by_resend } =
            *history;
        Self {
            v: Version::NEWEST,
            status,
            next: next.map(|NextAttempt { number, slot, due }| StoredNext {
                number,
                slot,
                due: StoredTime(due),
            }),
            in_flight: in_flight.map(|Claim { number, slot, attempt_id, token, since }| StoredClaim {
                number,
                slot,
                attempt_id: attempt_id.uuid(),
                token,
                since: StoredTime(since),
            }),
            interruptions,
            newest_attempt: newest_attempt.map(AttemptId::uuid),
            resends,
            resend_succeeded,
            delivered_by_resend,
        }
    }

    /// What it stands for; an error where its parts do not fit together.
    pub(super) fn read(self) -> Result<(Progress, DeliveryHistory), &'static str> {
        let Self {
            v: _,
            status,
            next,
            in_flight,
            interruptions,
            newest_attempt,
            resends,
            resend_succeeded,
            delivered_by_resend,
        } = self;
        let next =
            next.map(|StoredNext { number, slot, due: StoredTime(due) }| NextAttempt { number, slot, due });
        let claim = in_flight.map(|StoredClaim { number, slot, attempt_id, token, since }| Claim {
            number,
            slot,
            attempt_id: AttemptId::from_uuid(attempt_id),
            token,
            since: since.0,
        });
        let newest_attempt = newest_attempt.map(AttemptId::from_uuid);
        let progress = match (status, next, claim) {
            (StoredStatus::Pending, Some(next), None) => Progress::Waiting(next),
            (StoredStatus::Pending, Some(next), Some(claim)) => Progress::Sending { claim, due: next.due },
            (StoredStatus::Pending, None, _) => return Err("a pending delivery has no next attempt"),
            (StoredStatus::Canceled, _, Some(claim)) => Progress::Canceling(claim),
            (StoredStatus::Canceled, _, None) => Progress::Canceled,
            (StoredStatus::Succeeded, ..) => Progress::Succeeded,
            (StoredStatus::Failed, ..) => Progress::Failed,
        };
        let history =
            DeliveryHistory { interruptions, newest_attempt, resends, resend_succeeded, delivered_by_resend };
        Ok((progress, history))
    }
}

impl Document for StoredProgress {
    const VERSION: u32 = VERSION;
    type Stored<'a> = Self;

    fn to_stored(&self) -> Self {
        *self
    }

    fn from_stored(stored: Self) -> Self {
        stored
    }
}

#[cfg(test)]
mod tests {
    use loanhook_stored::{read, write};
    use rusqlite::{Connection, OpenFlags};

    use super::*;

    /// Texts as they stand in files of today, at least one for each state.
    const GOLDEN: [&str; 7] = [
        r#"{"status":"pending","next":{"number":2,"slot":1,"due":"2026-11-23T10:05:00.000Z"},"in_flight":null,"interruptions":1,"newest_attempt":"019aafb5-7c00-7000-8000-000000000001","resends":2,"resend_succeeded":true}"#,
        r#"{"status":"pending","next":{"number":1,"slot":0,"due":"2026-11-23T10:00:00.000Z"},"in_flight":{"number":1,"slot":0,"attempt_id":"019aafb5-7c00-7000-8000-000000000001","token":"b7b56c4c-3d65-4c65-a4f0-55fdcd0ba8d5","since":"2026-11-23T10:00:00.123Z"},"interruptions":0,"newest_attempt":"019aafb5-7c00-7000-8000-000000000001","resends":0,"resend_succeeded":false}"#,
        r#"{"status":"canceled","next":null,"in_flight":{"number":1,"slot":0,"attempt_id":"019aafb5-7c00-7000-8000-000000000001","token":"b7b56c4c-3d65-4c65-a4f0-55fdcd0ba8d5","since":"2026-11-23T10:00:00.123Z"},"interruptions":0,"newest_attempt":"019aafb5-7c00-7000-8000-000000000001","resends":0,"resend_succeeded":false}"#,
        r#"{"status":"succeeded","next":null,"in_flight":null,"interruptions":0,"newest_attempt":"019aafb5-7c00-7000-8000-000000000001","resends":0,"resend_succeeded":false}"#,
        r#"{"status":"succeeded","next":null,"in_flight":null,"interruptions":0,"newest_attempt":"019aafb5-7c00-7000-8000-000000000001","resends":1,"resend_succeeded":true,"delivered_by_resend":true}"#,
        r#"{"status":"failed","next":null,"in_flight":null,"interruptions":0,"newest_attempt":"019aafb5-7c00-7000-8000-000000000001","resends":0,"resend_succeeded":false}"#,
        r#"{"status":"canceled","next":null,"in_flight":null,"interruptions":0,"newest_attempt":null,"resends":0,"resend_succeeded":false}"#,
    ];

    #[test]
    fn every_state_is_stored_as_it_always_was() {
        let mut states = Vec::new();
        for text in GOLDEN {
            let stored: StoredProgress = read(text).expect(text);
            let (progress, history) = stored.read().expect(text);
            let again = write(&StoredProgress::new(&progress, &history)).expect("JSON");
            assert_eq!(again, text);
            states.push(std::mem::discriminant(&progress));
        }
        states.dedup();
        assert_eq!(states.len(), 6, "there is a text of each state");
    }

    #[test]
    fn every_delivery_of_the_fixture_is_written_as_it_was() {
        let database = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/stored/sqlite/loanhook.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        // Immutable: nothing is put beside it.
        let connection = Connection::open_with_flags(format!("file:{database}?immutable=1"), flags);
        let connection = connection.expect("the database");
        let mut statement = connection.prepare("SELECT progress FROM deliveries").expect("a query");
        let texts = statement.query_map([], |row| row.get(0)).expect("rows");
        let texts: Vec<String> = texts.collect::<rusqlite::Result<_>>().expect("texts");
        assert!(!texts.is_empty());
        for text in texts {
            let (progress, history) = read::<StoredProgress>(&text).expect(&text).read().expect(&text);
            assert_eq!(write(&StoredProgress::new(&progress, &history)).expect("JSON"), text);
        }
    }

    #[test]
    fn a_pending_delivery_without_a_next_attempt_cannot_be_read() {
        let text = GOLDEN[3].replace("succeeded\",", "pending\",");
        let stored: StoredProgress = read(&text).expect("a document");
        assert!(stored.read().is_err());
    }
}
