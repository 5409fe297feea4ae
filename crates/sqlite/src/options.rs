//! Options of the engine.

use crate::sealing::MasterKey;
use loanhook_core::model::ledger::LedgerScope;

/// How the engine is to work from now on.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Which events the ledger keeps.
    pub ledger_scope: LedgerScope,
    /// Whether metrics are counted, for [`SqliteEngine::samples`](crate::SqliteEngine::samples).
    pub metrics: bool,
    /// The master key that is given; the default is the data folder's own.
    pub master_key: MasterKey,
}

impl EngineOptions {
    /// The default, with this master key.
    pub(crate) fn with_master_key(key: &MasterKey) -> Self {
        Self { master_key: key.clone(), ..Self::default() }
    }
}
