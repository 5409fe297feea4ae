//! API keys and tenants: `/v1/keys`, scopes, and the admin key of the environment.

mod admin_key;
mod expiry;
mod scopes;
mod tenant_isolation;
