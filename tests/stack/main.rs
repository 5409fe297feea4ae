//! The template of the stack: what must hold in it, read from the file itself.

mod encryption;
mod function_calls;
mod least_privilege;
mod limits;
mod recursion;
mod runbook;
mod static_egress;
mod template;
mod tracing;
