//! The settings of a tenant: its subscriptions, its API keys and portal grants, and the version by which they are cached.

mod changes;
mod deployed_key;
mod grants;
mod key_items;
mod keys;
mod list_retention;
mod stored_list;
mod subscription_list;
mod subscriptions;
mod tenant_record;
mod tenant_version;
mod versions;

pub(crate) use tenant_version::TenantVersion;
