//! Where requests come from, as receivers see it.
//!
//! A function's own address is a private one, so what a connection says of itself is of little use here: the
//! address is configured (static egress), or asked for once per execution environment, or not known. Only a
//! connection on loopback, as to a receiver beside an emulator, is seen by its receiver as by us.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tracing::warn;

use super::Aws;
use super::call_errors::store_error;
use super::item::{get_number, get_text, number, text, unexpired};
use super::key_schema::{EGRESS_PK, EXPIRES, ItemKey, PK, SEEN, SK};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Egress, EgressAddresses, NotSent, SendOutcome, Sender, StoreResult, WebhookRequest,
};

/// An address counts as seen of late for this long.
const OF_LATE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often an environment notes that its address stays the same.
const NOTED_EVERY: Duration = Duration::from_secs(3600);
/// How long whoever knows our address may take to tell.
const PATIENCE: Duration = Duration::from_secs(2);

/// When to ask again who did not tell.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// The address that requests leave from.
#[derive(Debug)]
pub enum PublicAddress {
    Unknown,
    Fixed(IpAddr),
    /// What answers with the address it is asked from, and what it answered.
    Asked(String, Mutex<Option<Answer>>),
}

/// What came of asking, and when.
type Answer = (Instant, Option<IpAddr>);

impl PublicAddress {
    pub fn asked_of(url: String) -> Self {
        Self::Asked(url, Mutex::default())
    }

    async fn get(&self) -> Option<IpAddr> {
        match self {
            Self::Unknown => None,
            Self::Fixed(address) => Some(*address),
            Self::Asked(url, answer) => {
                let mut answer = answer.lock().await;
                if let Some((asked, known)) = *answer
                    && (known.is_some() || asked.elapsed() < ASKED_AGAIN_AFTER)
                {
                    return known;
                }
                let known = ask(url).await.inspect_err(|reason| warn!(reason, "egress.address_unknown")).ok();
                *answer = Some((Instant::now(), known));
                known
            }
        }
    }
}

async fn ask(url: &str) -> Result<IpAddr, String> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build();
    let client = client.map_err(|error| error.to_string())?;
    let response = client.get(url).send().await.map_err(|error| error.to_string())?;
    let text = response.text().await.map_err(|error| error.to_string())?;
    text.trim().parse().map_err(|_| "the answer is no address".into())
}

/// A sender whose requests leave from a public address that it cannot see itself.
#[derive(Debug)]
pub struct SendingFrom<O> {
    pub sender: O,
    pub address: PublicAddress,
}

impl<O: Sender + Sync> Sender for SendingFrom<O> {
    async fn send(&self, outgoing: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let (sent, public) = tokio::join!(self.sender.send(outgoing), self.address.get());
        let sent = sent?;
        Ok(SendOutcome { source_ip: sent.source_ip.and_then(|local| as_received(local, public)), ..sent })
    }
}

/// Where a request came from, to whom it went, that left from this address of ours.
fn as_received(local: IpAddr, public: Option<IpAddr>) -> Option<IpAddr> {
    // Nothing on the way translates what never leaves the machine.
    if local.is_loopback() { Some(local) } else { public }
}

impl EgressAddresses for Aws {
    async fn egress(&self, now: Timestamp) -> StoreResult<Egress> {
        let fixed = &self.0.stack.egress;
        if !fixed.is_empty() {
            return Ok(Egress { addresses: fixed.clone(), fixed: true });
        }
        let seen = self
            .dynamodb()
            .query()
            .table_name(self.table())
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", text(EGRESS_PK))
            .into_paginator()
            .items()
            .send();
        let items = seen.collect::<Result<Vec<_>, _>>().await.map_err(store_error)?;
        let stored = items.into_iter().filter_map(unexpired).filter_map(|item| {
            let address = get_text(&item, SK)?.parse().ok()?;
            Some((address, Timestamp::from_millis(get_number(&item, SEEN)?)))
        });
        // What was noted just now may still be on its way to the table.
        let all = stored.chain(self.0.cache.egress()).filter(|(_, seen)| now.since(*seen) < OF_LATE);
        let addresses: BTreeSet<IpAddr> = all.map(|(address, _)| address).collect();
        Ok(Egress { addresses: addresses.into_iter().collect(), fixed: false })
    }

    fn record_source_address(&self, address: IpAddr, now: Timestamp) {
        if !self.0.stack.egress.is_empty() || !self.0.cache.record_egress(address, now, NOTED_EVERY) {
            return;
        }
        let engine = self.clone();
        self.beside(async move {
            let place = ItemKey { pk: EGRESS_PK.into(), sk: address.to_string() };
            let update = engine
                .dynamodb()
                .update_item()
                .table_name(engine.table())
                .set_key(Some(place.key()))
                .update_expression("SET #seen = :seen, #expires = :expires")
                .expression_attribute_names("#seen", SEEN)
                .expression_attribute_names("#expires", EXPIRES)
                .expression_attribute_values(":seen", number(now.millis()))
                .expression_attribute_values(":expires", number((Timestamp::now() + OF_LATE * 2).seconds()));
            if let Err(error) = update.send().await.map_err(store_error) {
                warn!(%error, "egress.not_noted");
            }
        });
    }
}

impl Aws {
    /// Begins something on the side, which no answer waits for.
    pub(super) fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut background = self.0.background.lock().unwrap_or_else(PoisonError::into_inner);
        // What has ended is taken away, so that it does not add up where nothing waits for it.
        while background.try_join_next().is_some() {}
        background.spawn(work);
    }

    /// Waits for what was begun on the side: between two invocations nothing runs.
    pub async fn finish(&self) {
        let mut background = {
            let mut background = self.0.background.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *background)
        };
        while background.join_next().await.is_some() {}
    }
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;
