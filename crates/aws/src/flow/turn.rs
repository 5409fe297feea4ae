//! Message that wakes what waits of a subscription: a turn ([`crate::turns`]). A small JSON object.
//!
//! Its item is there as long as something waits. Who notes the first delivery puts it, with the first message.

use std::time::Duration;

use uuid::Uuid;

use crate::engine::Aws;
use crate::items::item::{get_number, number};
use crate::items::key_schema::{self, ItemKey, SEEN, TURN, WAITING_TURNS_PK};
use crate::items::write_outcome::write_outcome;
use crate::queue::Receiver;
use crate::turns::Turn;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;
use loanhook_stored::{Document, StoredTenant, Version};
use serde::{Deserialize, Serialize};

/// A turn to look at what waits of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitingTurn {
    pub(crate) tenant: TenantId,
    pub(crate) subscription: SubscriptionId,
    pub(crate) number: u64,
}

const VERSION: u32 = 1;

/// The body of the message.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredWaitingTurn {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    tenant: StoredTenant,
    subscription: Uuid,
    turn: u64,
}

impl Document for WaitingTurn {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredWaitingTurn;

    fn to_stored(&self) -> StoredWaitingTurn {
        let Self { tenant, subscription, number } = self;
        StoredWaitingTurn {
            v: Version::NEWEST,
            tenant: StoredTenant(tenant.clone()),
            subscription: subscription.uuid(),
            turn: *number,
        }
    }

    fn from_stored(StoredWaitingTurn { v: _, tenant, subscription, turn }: StoredWaitingTurn) -> Self {
        Self { tenant: tenant.0, subscription: SubscriptionId::from_uuid(subscription), number: turn }
    }
}

impl Turn for WaitingTurn {
    const PARTITION: &'static str = WAITING_TURNS_PK;
    /// What the end of a request or of a hold was to wake is late by this, where its message was lost.
    const LOST_AFTER: Duration = Duration::from_secs(60);

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
        key_schema::waiting_turn(&self.tenant, self.subscription)
    }

    fn read(sk: &str, number: u64) -> Option<Self> {
        let (tenant, id) = sk.split_once('#')?;
        let tenant = TenantId::try_from(tenant.to_owned()).ok()?;
        Some(Self { tenant, subscription: id.parse().ok()?, number })
    }
}

impl WaitingTurn {
    fn new(of: &Receiver, number: u64) -> Self {
        Self { tenant: of.tenant.clone(), subscription: of.subscription_id, number }
    }

    pub(crate) fn of(&self) -> Receiver {
        Receiver { tenant: self.tenant.clone(), subscription_id: self.subscription }
    }
}

impl Aws {
    /// Sees to it that what waits of a subscription is looked at: where nothing waited before, at this time.
    pub(super) async fn begin_turns(&self, of: &Receiver, at: Timestamp, now: Timestamp) -> StoreResult<()> {
        if self.waiting_turn(of).await?.is_some() {
            return Ok(());
        }
        let none = WaitingTurn::new(of, 0);
        let mut item = none.key().attributes();
        item.insert(TURN.into(), number(none.number));
        item.insert(SEEN.into(), number(now.millis()));
        if self.put(self.put_if_absent(item)).await?.is_done() {
            self.send_turn(&none.next(), at).await?;
        }
        Ok(())
    }

    /// Has what waits of a subscription looked at, at this time; nothing where nothing waits.
    pub(super) async fn send_next_turn(&self, of: &Receiver, at: Timestamp) -> StoreResult<()> {
        match self.waiting_turn(of).await? {
            Some(turn) => self.send_turn(&turn.next(), at).await,
            None => Ok(()),
        }
    }

    /// The turn that was taken last; none where nothing waits.
    async fn waiting_turn(&self, of: &Receiver) -> StoreResult<Option<WaitingTurn>> {
        let item = self.get(WaitingTurn::new(of, 0).key()).await?;
        Ok(item.and_then(|item| get_number(&item, TURN)).map(|number| WaitingTurn::new(of, number)))
    }

    /// Removes the turn of a subscription of which nothing waits. False where a later one was taken.
    pub(super) async fn end_turns(&self, turn: &WaitingTurn) -> StoreResult<bool> {
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(self.table())
            .set_key(Some(turn.key().attributes()))
            .condition_expression("#turn = :turn")
            .expression_attribute_names("#turn", TURN)
            .expression_attribute_values(":turn", number(turn.number));
        write_outcome(delete.send().await).map(|outcome| outcome.is_done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_and_a_key_read_as_the_turn_that_was_written() {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        let subscription = SubscriptionId::from_uuid(Uuid::from_u128(7));
        let turn = WaitingTurn { tenant, subscription, number: 3 };
        let body = loanhook_stored::write(&turn).expect("JSON");
        assert_eq!(
            body,
            r#"{"tenant":"acme","subscription":"00000000-0000-0000-0000-000000000007","turn":3}"#
        );
        assert_eq!(loanhook_stored::read::<WaitingTurn>(&body).ok(), Some(turn.clone()));
        assert_eq!(WaitingTurn::read(&turn.key().sk, 3), Some(turn));
        for other in ["{}", r#"{"tenant":"acme","job":"00000000-0000-0000-0000-000000000007","turn":3}"#] {
            assert!(loanhook_stored::read::<WaitingTurn>(other).is_err(), "{other}");
        }
    }
}
