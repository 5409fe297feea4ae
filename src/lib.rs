//! Webhooks at the level of a loan.
