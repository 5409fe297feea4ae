//! A function, as far as its calls are counted.

use std::collections::BTreeMap;

use loanhook_aws::Aws;
use loanhook_aws::call_counter::CallCounter;

use super::InTheCloud;

/// An engine with caches of its own, and its calls.
pub(crate) struct Function {
    pub(crate) engine: Aws,
    pub(crate) calls: CallCounter,
}

impl Function {
    pub(crate) fn new(cloud: &InTheCloud) -> Self {
        let calls = CallCounter::default();
        Self { engine: Aws::with_call_counter(&cloud.made.config, cloud.made.stack(), &calls), calls }
    }

    /// The calls since this was asked last.
    pub(crate) fn made<const N: usize>(&self, expected: [(&str, u32); N]) {
        let expected: BTreeMap<String, u32> = expected.map(|(name, count)| (name.into(), count)).into();
        assert_eq!(self.calls.take(), expected);
    }
}
