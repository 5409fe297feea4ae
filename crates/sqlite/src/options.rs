//! Options of the engine.

use std::time::Duration;

use crate::sealing::MasterKey;
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::operational::EXHAUSTED_WINDOW;

/// How the engine is to work from now on.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Which events the ledger keeps.
    pub ledger_scope: LedgerScope,
    /// Whether metrics are counted, for [`SqliteEngine::samples`](crate::SqliteEngine::samples).
    pub metrics: bool,
    /// The master key that is given; the default is the data folder's own.
    pub master_key: MasterKey,
    /// How long exhausted deliveries are gathered before an operational event tells of them.
    pub exhausted_window: Duration,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            ledger_scope: LedgerScope::default(),
            metrics: false,
            master_key: MasterKey::default(),
            exhausted_window: EXHAUSTED_WINDOW,
        }
    }
}

impl EngineOptions {
    /// The default, with this master key.
    pub(crate) fn with_master_key(key: &MasterKey) -> Self {
        Self { master_key: key.clone(), ..Self::default() }
    }
}
