//! Keys of recovery jobs: the jobs of a tenant, the chunks of their lists, and the turns of those that are not over.

use super::ItemKey;
use loanhook_core::model::id::{JobId, TenantId};
use loanhook_core::model::job::JobKind;

/// Of the turn of a job: the number of the newest message that somebody took.
pub(crate) const TURN: &str = "turn";

/// The partition of the turns of all jobs that are not over. A job is two writes here, and one for each message that drives it.
pub(crate) const TURNS_PK: &str = "O#";

/// The partition of a tenant's jobs of a kind, which are sorted by ID and so by their creation.
pub(crate) fn jobs_pk(tenant: &TenantId, kind: JobKind) -> String {
    format!("J#{tenant}#{}", kind.as_str())
}

/// Whether a partition is that of jobs: those of the chunks of their lists begin so too.
pub(crate) fn is_job(pk: &str) -> bool {
    let kind = pk.strip_prefix("J#").and_then(|rest| Some(rest.split_once('#')?.1));
    JobKind::ALL.into_iter().any(|of| Some(of.as_str()) == kind)
}

pub(crate) fn job(tenant: &TenantId, kind: JobKind, id: JobId) -> ItemKey {
    ItemKey { pk: jobs_pk(tenant, kind), sk: id.to_string() }
}

/// A chunk of a job's list.
pub(crate) fn job_chunk(tenant: &TenantId, id: JobId, number: u32) -> ItemKey {
    // Padded with zeros, so that chunks sort as text.
    ItemKey { pk: format!("J#{tenant}#{id}"), sk: format!("{number:05}") }
}

/// The turn of a job that is not over.
pub(crate) fn turn(tenant: &TenantId, id: JobId) -> ItemKey {
    ItemKey { pk: TURNS_PK.into(), sk: format!("{tenant}#{id}") }
}

/// The job that the sort key of a turn names; none where it is none of these.
pub(crate) fn read_turn_sk(sk: &str) -> Option<(TenantId, JobId)> {
    let (tenant, id) = sk.split_once('#')?;
    Some((TenantId::try_from(tenant.to_owned()).ok()?, id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_names_its_job() {
        let tenant = TenantId::try_from("acme-2".to_owned()).expect("a tenant");
        let id: JobId = "01a207d9-217b-7000-8000-00000000002f".parse().expect("an ID");
        let ItemKey { pk, sk } = turn(&tenant, id);
        assert_eq!((&*pk, &*sk), ("O#", "acme-2#01a207d9-217b-7000-8000-00000000002f"));
        assert_eq!(read_turn_sk(&sk), Some((tenant, id)));
        assert_eq!(read_turn_sk("acme-2"), None);
    }
}
