//! The settings of a tenant: its subscriptions, its API keys and portal grants, and the version by which they are cached.

mod changes;
mod deployed_key;
mod flow_ids;
mod grants;
mod key_items;
mod keys;
mod list_retention;
mod newest_version;
mod stored_list;
mod stored_subscription;
mod subscription_list;
mod subscriptions;
mod tenant_record;
mod tenant_version;
mod versions;

pub(crate) use changes::Change;
pub(crate) use flow_ids::FlowChange;
pub(crate) use stored_list::StoredList;
pub(crate) use stored_subscription::StoredSubscription;
pub(crate) use tenant_record::{CountChange, SettingsChange, SettingsOutcome};
pub(crate) use tenant_version::TenantVersion;
