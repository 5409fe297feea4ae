//! Addresses that requests left from.

use std::net::IpAddr;
use std::time::Duration;

use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Egress, EgressAddresses, StoreResult};

use super::Memory;
use super::step::{Operation, StepKind};

/// How long after its last request an address is listed.
const LISTED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

impl EgressAddresses for Memory {
    async fn egress(&self, now: Timestamp) -> StoreResult<Egress> {
        self.once(Operation::Egress, StepKind::Read, |state| {
            let listed = state.egress.iter().filter(|(_, seen)| now.since(**seen) < LISTED_FOR);
            Ok(Egress { addresses: listed.map(|(address, _)| *address).collect(), fixed: false })
        })
        .await
    }

    fn record_source_address(&self, address: IpAddr, now: Timestamp) {
        self.state().egress.insert(address, now);
    }
}
