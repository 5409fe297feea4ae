//! Webhooks at the level of a loan.
pub mod outbound;
pub mod model {
    pub mod failure;
}
