//! History of a loan: `GET /v1/loans/{loanId}/webhooks` and what stands below it.

mod filters;
mod pages;
mod payload_downloads;
mod rows;
