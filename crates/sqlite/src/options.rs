//! Options of the engine.

use loanhook_core::model::ledger::LedgerScope;

/// How the engine is to work from now on.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineOptions {
    /// Which events the ledger keeps.
    pub ledger_scope: LedgerScope,
    /// Whether metrics are counted, for [`SqliteEngine::samples`](crate::SqliteEngine::samples).
    pub metrics: bool,
}
