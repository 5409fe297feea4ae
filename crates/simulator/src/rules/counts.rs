//! Counts at the end of a run: they say what the history says, after all crashes, duplicates and repeated calls.

use loanhook_contract::recount::Recount;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::report::{Grouping, Period, ReportQuery, ReportRows};
use loanhook_memory::State;

use super::Rule;
use crate::{MAX_SIMULATED, START, TENANTS, tenant};

pub(crate) fn check(state: &State) -> Result<(), (Rule, String)> {
    for name in TENANTS {
        for group in Grouping::ALL {
            let query = ReportQuery { from: START, to: START + MAX_SIMULATED * 2, by: Period::Hour, group };
            let (counted, recounted) =
                (counted(state, &tenant(name), query), recounted(state, &tenant(name), query));
            let mut rows = counted.iter().zip(recounted.iter());
            let other = rows.find(|(counted, recounted)| counted != recounted);
            if let Some((counted, recounted)) = other {
                let detail = format!("{name}: {counted:?} is counted, and there is {recounted:?}");
                return Err((Rule::CountedOnce, detail));
            }
            let lengths = (counted.iter().count(), recounted.iter().count());
            if lengths.0 != lengths.1 {
                let detail = format!("{name}: there are {} rows of counts, and not {}", lengths.0, lengths.1);
                return Err((Rule::CountedOnce, detail));
            }
        }
    }
    Ok(())
}

fn counted(state: &State, tenant: &TenantId, query: ReportQuery) -> ReportRows {
    let mut rows = ReportRows::new(query, None);
    for (group, counts) in state.counts.iter().filter(|(group, _)| group.tenant == *tenant) {
        rows.add(group.hour, group.subscription, &group.event_name, counts);
    }
    rows
}

fn recounted(state: &State, tenant: &TenantId, query: ReportQuery) -> ReportRows {
    let mut recount = Recount::new(query);
    let events = state.events.iter().filter(|((of, _), _)| of == tenant);
    events.filter_map(|(_, event)| event.readable()).for_each(|event| recount.event(event));
    for ((_, trace), delivery) in state.deliveries.iter().filter(|((of, _), _)| of == tenant) {
        let rows: Vec<Attempt> =
            state.rows_of(tenant).filter(|row| row.trace_id == *trace).cloned().collect();
        recount.delivery(delivery, &rows);
    }
    recount.rows()
}
