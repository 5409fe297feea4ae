//! Known flow: what the newest version of a subscription says of its limits and its hold. Who handles a message reads that version
//! before the claim, in place of after it, where it gives the credentials too.

use crate::engine::Aws;
use crate::items::item::Item;
use crate::items::key_schema::{EXPIRES, FLOW_MARK};
use crate::queue::Receiver;
use crate::settings::StoredSubscription;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::ports::StoreResult;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct KnownFlow {
    pub(crate) settings: FlowSettings,
    /// Its state counts whatever the settings say: it is held by hand, or was until what waited has left.
    pub(crate) is_marked: bool,
    /// Nobody can hold or release it. Its limits stay for what was accepted.
    pub(crate) is_deleted: bool,
}

impl KnownFlow {
    /// What the item of the newest version says. The version that a deletion leaves is the only newest one that expires.
    pub(crate) fn of(item: &Item, settings: FlowSettings) -> Self {
        Self { settings, is_marked: item.contains_key(FLOW_MARK), is_deleted: item.contains_key(EXPIRES) }
    }

    /// Whether its attempts change its state, and its state holds them.
    pub(crate) const fn keeps_state(&self) -> bool {
        !self.is_deleted && (self.settings.hold_after_failures.is_some() || self.is_marked)
    }

    /// Whether its messages are looked at before they are handled.
    pub(super) const fn restricts(&self) -> bool {
        self.settings.has_limit() || self.keeps_state()
    }
}

impl Aws {
    /// The flow of a subscription as it is now; that of none where all of it has expired. No secret of it is opened.
    pub(crate) async fn read_flow(&self, of: &Receiver) -> StoreResult<KnownFlow> {
        let Some(newest) = self.newest_version_item(&of.tenant, of.subscription_id).await? else {
            return Ok(KnownFlow::default());
        };
        let flow = KnownFlow::of(&newest, StoredSubscription::read(&newest)?.flow());
        self.cache().put_flow(&of.tenant, of.subscription_id, flow);
        Ok(flow)
    }

    /// The same before an attempt is claimed: the version that was read gives the credentials, too.
    pub(super) async fn read_flow_and_credentials(&self, of: &Receiver) -> StoreResult<KnownFlow> {
        let Some(newest) = self.newest_version_item(&of.tenant, of.subscription_id).await? else {
            return Ok(KnownFlow::default());
        };
        let subscription = self.keep_newest(&newest).await?;
        Ok(KnownFlow::of(&newest, subscription.settings.flow))
    }

    /// The flow of a subscription as it was read before its attempt was sent.
    pub(super) async fn known_flow(&self, of: &Receiver) -> StoreResult<KnownFlow> {
        match self.cache().flow(&of.tenant, of.subscription_id) {
            Some(known) => Ok(known),
            None => self.read_flow(of).await,
        }
    }
}
