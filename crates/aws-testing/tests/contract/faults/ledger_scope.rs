//! Which events the ledger keeps, by the operator's choice, and what is stored of the others.

use loanhook_aws_testing::run_with_faults;
use loanhook_contract::scene::{START, tenant};
use loanhook_contract::{LATE, submission, watching};
use loanhook_core::intake::accept;
use loanhook_core::model::ledger::LedgerScope;

use super::ledger::{engine_with, events};

#[test]
fn the_operator_chooses_which_events_are_kept() {
    run_with_faults(async {
        for (scope, kept) in
            [(LedgerScope::All, [1, 2]), (LedgerScope::Matched, [0, 1]), (LedgerScope::None, [0, 0])]
        {
            let engine = engine_with(&[watching(0)]).await?;
            let ports = engine.another(|stack| {
                stack.small_payload = 0;
                stack.event_ledger = scope;
            });
            // Nothing matches the first, and a watched trigger fires at the second.
            for (context, kept) in ["{\"days\": 1}", LATE].into_iter().zip(kept) {
                accept(&ports, &tenant("acme"), submission(context, None), START).await.expect("accepted");
                assert_eq!(events(&ports).await?.len(), kept, "{scope:?} {context}");
            }
            let calls = engine.proxy.take_call_names();
            let count = |name: &str| calls.iter().filter(|call| *call == name).count();
            // The second is a part of its trigger's transaction.
            assert_eq!(count("PutItem V"), kept[0], "{scope:?}");
            // What is kept and what is sent has its payload, and nothing else.
            assert_eq!(count("PutObject"), kept[1].max(1), "{scope:?}");
        }
        Ok(())
    });
}
