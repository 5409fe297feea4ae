//! Which events the ledger keeps, by the operator's choice.

use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{SECOND, START, loan, tenant};
use loanhook_contract::{LATE, submission, watching};
use loanhook_core::intake::accept;
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::report::{Grouping, Period, ReportQuery};
use loanhook_core::ports::{Ledger as _, Reports as _, Subscriptions as _};
use loanhook_sqlite::{EngineOptions, SqliteEngine};

use super::OnDisk;

#[test]
fn the_operator_chooses_which_events_are_kept() {
    loanhook_contract::run_on::<OnDisk>(async {
        let acme = tenant("acme");
        for (scope, kept) in
            [(LedgerScope::All, [1, 2]), (LedgerScope::Matched, [0, 1]), (LedgerScope::None, [0, 0])]
        {
            let OnDisk { engine, folder } = OnDisk::fresh().await;
            assert!(engine.create(watching(0), 200).await?);
            drop(engine);
            let options = EngineOptions { ledger_scope: scope, ..EngineOptions::default() };
            let engine = SqliteEngine::open_with(&folder.0, options).expect("the folder is free");
            // Nothing matches the first, and a watched trigger fires at the second.
            for (context, kept) in ["{\"days\": 1}", LATE].into_iter().zip(kept) {
                // A repeat under the key changes nothing, also where the first call left no event.
                for _ in 0..2 {
                    accept(&engine, &acme, submission(context, Some(context)), START)
                        .await
                        .expect("accepted");
                }
                let events = engine.events(&acme, &loan("727"), None, None, 10).await?;
                assert_eq!(events.len(), kept, "{scope:?} {context}");
            }
            let (from, to) = (START.to_the_hour(), START + 3600 * SECOND);
            let query = ReportQuery { from, to, by: Period::Hour, group: Grouping::None };
            let rows = engine.report_rows(&acme, query).await?;
            let counted: Vec<_> =
                rows.iter().map(|(.., counts)| (counts.events_accepted, counts.events_unmatched)).collect();
            assert_eq!(counted, [(2, 1)], "{scope:?}: events are counted whether they are kept or not");
        }
        Ok(())
    });
}
