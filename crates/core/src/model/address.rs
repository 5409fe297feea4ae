//! Address of a resend: the URL that was rendered at intake, or the one that the subscription has now.

/// Which URL a resend goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResendTo {
    /// The URL that was rendered at intake.
    #[default]
    Original,
    /// The URL that the subscription has when the resend is asked for, rendered for the delivery's event.
    Current,
}

/// Where a subscription sends an event in one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub url: String,
    /// The version of the subscription that the URL is of.
    pub version: u64,
}
