//! Actions on one delivery: `POST /v1/webhooks/{traceId}/resend`, LoanPro's retry routes and `/cancel`.

mod cancel;
mod resend;
mod resend_and_schedule;
mod resend_to_current;
