//! Message that drives a recovery job: the turn of one of its steps, or of several. A small JSON object.

use std::time::Duration;

use crate::items::key_schema::{self, ItemKey, TURNS_PK};
use crate::turns::Turn;
use loanhook_core::model::id::{JobId, TenantId};
use loanhook_stored::{Document, StoredTenant, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A turn to make steps of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTurn {
    pub tenant: TenantId,
    pub job: JobId,
    pub number: u64,
}

impl Turn for JobTurn {
    const PARTITION: &'static str = TURNS_PK;
    /// Longer than until SQS delivers a message again that was not handled, which is 3 minutes, and than any step is waited for.
    const LOST_AFTER: Duration = Duration::from_secs(300);

    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn next(self) -> Self {
        Self { number: self.number + 1, ..self }
    }

    fn key(&self) -> ItemKey {
        key_schema::turn(&self.tenant, self.job)
    }

    fn read(sk: &str, number: u64) -> Option<Self> {
        let (tenant, job) = key_schema::read_turn_sk(sk)?;
        Some(Self { tenant, job, number })
    }
}

const VERSION: u32 = 1;

/// The body of the message.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredTurn {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    tenant: StoredTenant,
    job: Uuid,
    turn: u64,
}

impl Document for JobTurn {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredTurn;

    fn to_stored(&self) -> StoredTurn {
        let Self { tenant, job, number } = self;
        StoredTurn {
            v: Version::NEWEST,
            tenant: StoredTenant(tenant.clone()),
            job: job.uuid(),
            turn: *number,
        }
    }

    fn from_stored(StoredTurn { v: _, tenant, job, turn }: StoredTurn) -> Self {
        Self { tenant: tenant.0, job: JobId::from_uuid(job), number: turn }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<JobTurn> {
        loanhook_stored::read(body).ok()
    }

    #[test]
    fn a_body_reads_as_the_turn_that_was_written() {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        let turn = JobTurn { tenant, job: JobId::from_uuid(Uuid::from_u128(7)), number: 3 };
        let body = loanhook_stored::write(&turn).expect("JSON");
        assert_eq!(body, r#"{"tenant":"acme","job":"00000000-0000-0000-0000-000000000007","turn":3}"#);
        assert_eq!(read(&body), Some(turn.clone()));
        assert_eq!(turn.next().number, 4);
    }

    #[test]
    fn a_body_that_is_no_turn_reads_as_none() {
        let of_a_tenant = |tenant: &str, more: &str| {
            format!(r#"{{"tenant":"{tenant}","job":"00000000-0000-0000-0000-000000000007","turn":3{more}}}"#)
        };
        assert!(read(&of_a_tenant("acme", "")).is_some());
        for body in ["", "{}", "null", &of_a_tenant("No Tenant", ""), &of_a_tenant("acme", r#","v":2"#)] {
            assert_eq!(read(body), None, "{body:?}");
        }
    }
}
