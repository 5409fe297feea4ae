//! An engine whose calls are counted, as one execution environment of a function has it.

use std::collections::BTreeMap;

use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use loanhook_aws::Aws;

use crate::{AwsEngine, CallCounter};

/// An engine with caches of its own, and the counter of its calls.
pub struct CountedEngine {
    pub engine: Aws,
    calls: CallCounter,
}

impl CountedEngine {
    /// An engine on the stack of this one, whose caches are empty.
    pub fn new(aws: &AwsEngine) -> Self {
        let calls = CallCounter::default();
        let interceptors = [SharedInterceptor::new(calls.clone())];
        let engine = Aws::with_interceptors(&aws.stack.config, aws.stack.resources(), &interceptors);
        Self { engine, calls }
    }

    /// The next counts begin at zero.
    pub fn forget_calls(&self) {
        self.calls.take();
    }

    /// The counts since they were asserted or forgotten last, by operation.
    pub fn take_calls(&self) -> BTreeMap<String, u32> {
        self.calls.take()
    }

    /// Asserts that beside these calls the data key was read and decrypted, as where an instance meets its first secret, and that
    /// no others were made since they were asserted or forgotten last.
    ///
    /// # Panics
    ///
    /// When there were others.
    #[track_caller]
    pub fn assert_calls_and_data_key<const N: usize>(&self, expected: [(&str, u32); N]) {
        let mut expected: BTreeMap<String, u32> = expected.map(|(name, count)| (name.into(), count)).into();
        *expected.entry("DynamoDB.GetItem".into()).or_default() += 1;
        expected.insert("KMS.Decrypt".into(), 1);
        assert_eq!(self.calls.take(), expected);
    }

    /// Asserts that these calls, and no others, were made since they were asserted or forgotten last.
    ///
    /// # Panics
    ///
    /// When there were others.
    #[track_caller]
    pub fn assert_calls<const N: usize>(&self, expected: [(&str, u32); N]) {
        let expected: BTreeMap<String, u32> = expected.map(|(name, count)| (name.into(), count)).into();
        assert_eq!(self.calls.take(), expected);
    }
}
