//! Port of grants: portal links and the sessions they open.

use std::future::Future;

use super::StoreResult;
use crate::model::grant::Grant;
use crate::model::key::KeyHash;
use crate::model::time::Timestamp;

pub trait Grants {
    /// Keeps a grant, to be found by the hash of its token, until it is over.
    fn add_grant(
        &self,
        hash: KeyHash,
        grant: Grant,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// The grant of a token, if there is one that is not over at `now`. Whether the key that made it still
    /// is there is not looked at.
    fn grant(&self, hash: KeyHash, now: Timestamp)
    -> impl Future<Output = StoreResult<Option<Grant>>> + Send;

    /// Ends a grant before its time; one that is not there stays so.
    fn end_grant(&self, hash: KeyHash) -> impl Future<Output = StoreResult<()>> + Send;
}
