//! Helpers for tests of the engine for AWS.
//!
//! [`AwsEngine`] is the engine with a table, a bucket and queues of its own, on whatever answers at `AWS_ENDPOINT_URL`, or
//! at the endpoint that the SDK reads for one service (`AWS_ENDPOINT_URL_DYNAMODB`);
//! [`FaultyAwsEngine`] is the same behind a proxy that injects faults into its calls ([`fault_proxy`]). Both run the
//! contract's cases. [`CallCounter`] counts calls in the SDK clients.
//!
//! The engine's contract is a test of this crate: a crate that uses the engine cannot be a dev-dependency of it without a
//! cycle.

mod aws_call;
mod call_counter;
mod counted_engine;
mod engine;
pub mod fault_proxy;
mod faulty_engine;
mod service;
pub mod stored_bytes;
pub mod stored_documents;
mod test_stack;

pub use aws_call::AwsCall;
pub use call_counter::CallCounter;
pub use counted_engine::CountedEngine;
pub use engine::AwsEngine;
pub use fault_proxy::{Fault, FaultProxy, HeldCall};
pub use faulty_engine::{FaultyAwsEngine, Worker, run_with_faults, worker};
pub use test_stack::TestStack;
