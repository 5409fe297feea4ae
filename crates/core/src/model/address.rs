//! Address of a resend to the URL that the subscription has now.

/// Where a subscription sends an event in one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub url: String,
    /// The version of the subscription that the URL is of.
    pub version: u64,
}
