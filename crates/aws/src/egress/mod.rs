//! The addresses that requests leave from, as receivers see them: the stack's static ones, else those that functions
//! recorded during the last seven days.

mod public_address;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use tracing::warn;

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{get_number, get_text, number, unexpired};
use crate::items::key_schema::{EGRESS_PK, EXPIRES, ItemKey, SEEN, SK};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Egress, EgressAddresses, StoreResult};

pub use public_address::{PublicAddress, PublicAddressSender};

/// How long an address counts as recent after a request left from it.
const RECENT_ADDRESS_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often an execution environment records an address that stays the same.
const RECORD_INTERVAL: Duration = Duration::from_secs(3600);

impl EgressAddresses for Aws {
    async fn egress(&self, now: Timestamp) -> StoreResult<Egress> {
        let fixed = &self.stack().egress;
        if !fixed.is_empty() {
            return Ok(Egress { addresses: fixed.clone(), fixed: true });
        }
        let items = self.query_partition(EGRESS_PK).into_paginator().items().send();
        let items = items.collect::<Result<Vec<_>, _>>().await.map_err(store_error)?;
        let stored = items.into_iter().filter_map(unexpired).filter_map(|item| {
            let address = get_text(&item, SK)?.parse().ok()?;
            Some((address, Timestamp::from_millis(get_number(&item, SEEN)?)))
        });
        // What this environment recorded just now may not have reached the table yet.
        let all = stored.chain(self.cache().egress());
        let recent = all.filter(|(_, seen)| now.since(*seen) < RECENT_ADDRESS_AGE);
        let addresses: BTreeSet<IpAddr> = recent.map(|(address, _)| address).collect();
        Ok(Egress { addresses: addresses.into_iter().collect(), fixed: false })
    }

    fn record_source_address(&self, address: IpAddr, now: Timestamp) {
        if !self.stack().egress.is_empty() || !self.cache().record_egress(address, now, RECORD_INTERVAL) {
            return;
        }
        let engine = self.clone();
        self.spawn_background(async move {
            let key = ItemKey { pk: EGRESS_PK.into(), sk: address.to_string() };
            let expires = Timestamp::now() + RECENT_ADDRESS_AGE * 2;
            let update = engine
                .update(key)
                .update_expression("SET #seen = :seen, #expires = :expires")
                .expression_attribute_names("#seen", SEEN)
                .expression_attribute_names("#expires", EXPIRES)
                .expression_attribute_values(":seen", number(now.millis()))
                .expression_attribute_values(":expires", number(expires.seconds()));
            if let Err(error) = update.send().await.map_err(store_error) {
                warn!(%error, "egress.not_noted");
            }
        });
    }
}
