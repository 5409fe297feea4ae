//! The end of a run, when nothing went wrong for a long time: every promise is kept.

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::subscription::{Criteria, Fire};
use loanhook_core::model::time::Timestamp;
use loanhook_memory::State;

use super::{Rule, counts, history, jobs, rows, triggers};
use crate::world::Inner;

pub(crate) fn check(inner: &mut Inner, state: &State) {
    let now = Timestamp::now();
    let mut broken = None;
    for (key, seen) in &inner.model.deliveries {
        let name = inner.trace.delivery(key.1);
        let Some(delivery) = state.deliveries.get(key) else {
            if seen.promised {
                broken = Some((Rule::AnsweredIsCommitted, format!("{name} was promised and is gone")));
            }
            continue;
        };
        if delivery.snapshot != seen.snapshot {
            broken = Some((Rule::FrozenBytes, format!("{name} has another snapshot than at intake")));
        }
        let rows: Vec<Attempt> = state.rows_of(&key.0).filter(|row| row.trace_id == key.1).cloned().collect();
        let rows: Vec<_> = rows.into_iter().map(|row| row.as_of(now)).collect();
        let untrue = rows.iter().find_map(|row| rows::check(&inner.model, row).err());
        broken = broken.or(untrue.map(|(rule, detail)| (rule, format!("{name}: {detail}"))));
        if let Err((rule, detail)) = history::check(delivery, &rows, seen.cancel_asked, seen.promised) {
            broken = broken.or(Some((rule, format!("{name}: {detail}"))));
        }
    }
    for (key, trace) in &inner.model.resends {
        let row = state.rows.get(key).and_then(|row| row.readable()).cloned();
        let ended = row.is_some_and(|row| row.trace_id == *trace && row.as_of(now).completion().is_some());
        if !ended {
            let name = inner.trace.attempt(key.1);
            broken =
                broken.or(Some((Rule::PromiseKept, format!("resend {name} was promised and never ended"))));
        }
    }
    let of_kind = state.every_subscription().filter(|subscription| {
        matches!(subscription.settings.criteria, Criteria::Trigger { fire: Fire::OnChange, .. })
    });
    let triggered: Vec<_> = of_kind.map(|subscription| subscription.id).collect();
    let broken = broken.or_else(|| triggers::check(&inner.model, &triggered).err());
    let broken = broken.or_else(|| counts::check(state).err());
    let broken = broken.or_else(|| jobs::check(&inner.model, state).err());
    if let Some((rule, detail)) = broken {
        inner.broken(rule, detail);
    }
}
