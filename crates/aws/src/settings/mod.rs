//! The settings of a tenant: its subscriptions, its API keys and portal grants, and the version by which they are cached.

mod deployed_key;
mod grants;
mod key_items;
mod keys;
mod subscriptions;
mod tenant_version;
