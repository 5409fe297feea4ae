//! Rising edges of many triggers at one event, and formula errors.

use loanhook_core::model::formula_errors::WhichFormula;
use loanhook_core::model::subscription::MAX_SUBSCRIPTIONS;
use loanhook_core::ports::{FormulaErrorLog, StoreResult};

use crate::engine::Engine;
use crate::scene::{SECOND, START, tenant};
use crate::triggers::{LATE, fired, queued, send, submit, traces, watching, with};

pub(crate) async fn a_formula_error_is_counted_and_the_last_is_kept<E: Engine>() -> StoreResult<()> {
    let mut late = watching(0);
    late.settings.restriction = Some("(and true\n  (= status (+ 1 limit)))".into());
    let engine = with::<E>(&[&late]).await?;
    assert_eq!(engine.ports().formula_errors(&late.tenant, late.id).await?, None);
    for step in 0..3 {
        assert!(send(&engine, "727", LATE, step).await.deliveries.is_empty());
    }
    let formula_errors = engine.ports().formula_errors(&late.tenant, late.id).await?.expect("troubles");
    let last = &formula_errors.last;
    assert_eq!((formula_errors.count, last.formula, last.version), (3, WhichFormula::Restriction, 1));
    assert_eq!((last.at, last.loan_id.as_str()), (START + 2 * SECOND, "727"));
    assert_eq!((last.line, last.column), (2, 13));
    assert!(!last.detail.is_empty());
    assert_eq!(engine.ports().formula_errors(&tenant("other"), late.id).await?, None);

    // The rise was not consumed: it fires once its restriction can be told.
    let receipt = send(&engine, "727", r#"{"days": 31, "status": 2, "limit": 1}"#, 3).await;
    assert_eq!(fired(&receipt), [late.id]);
    Ok(())
}

pub(crate) async fn all_triggers_that_a_tenant_may_have_can_fire_at_one_event<E: Engine>() -> StoreResult<()>
{
    let all: Vec<_> = (0..MAX_SUBSCRIPTIONS).map(|n| watching(u32::try_from(n).expect("few"))).collect();
    let engine = with::<E>(&all.iter().collect::<Vec<_>>()).await?;
    let receipt = submit(&engine, "727", LATE, Some("a"), START + SECOND).await;
    assert_eq!(receipt.deliveries.len(), MAX_SUBSCRIPTIONS);
    let again = submit(&engine, "727", LATE, Some("a"), START + SECOND).await;
    assert_eq!(fired(&again), fired(&receipt));
    let mut told = queued(&engine).await;
    told.dedup();
    assert_eq!(told, traces(&[receipt]));
    Ok(())
}
