//! Cases that fill a server: its memory, and what a page and a start cost then.

use bench_measure::Samples;

use crate::Outcome;
use crate::driver::Plan;
use crate::figures::{Figures, grouped};
use crate::load_run::wait_for_last_recording;
use crate::processes::{Receiver, drive};
use crate::server::{Server, Subscription};

use super::{Context, EVENT, subscriptions};

/// Memory of an idle process, and with a hundred thousand deliveries that are due and cannot leave.
pub(super) fn waiting(context: &Context, figures: &mut Figures) -> Outcome {
    const WAITING: u64 = 100_000;
    let receiver = Receiver::start()?;
    let (server, _folder) = context.start([Subscription::new(EVENT, receiver.url("/hang"))])?;
    figures.add("memory at rest", "MiB", server.memory()?);
    let posted = drive(&Plan { events: WAITING, ..Plan::new(&server.address, EVENT) })?;
    if posted.accepted != WAITING {
        return Err(format!("of {WAITING} events {} were accepted", posted.accepted).into());
    }
    figures.add("memory with 100,000 deliveries waiting", "MiB", server.memory()?);
    Ok(())
}

/// A page of a loan with a thousand rows and with many; and how the process is after them.
pub(super) fn many(context: &Context, figures: &mut Figures) -> Outcome {
    let receiver = Receiver::start()?;
    let (server, folder) = context.start(subscriptions(1, &receiver))?;
    let plan = Plan { loans: 1, events: 1000, ..Plan::new(&server.address, EVENT) };
    let mut sent = drive(&plan)?.accepted;
    receiver.wait_for(sent)?;
    page_times(&server, LOAN, "a page of 50 with 1,000 rows behind it", figures)?;
    let more = 9000.min(context.many.saturating_sub(sent));
    sent += drive(&Plan { events: more, ..plan.clone() })?.accepted;
    receiver.wait_for(sent)?;
    list_times(&server, sent, figures)?;
    let posted = drive(&Plan { events: context.many.saturating_sub(sent), ..plan })?;
    sent += posted.accepted;
    let arrived = receiver.wait_for(sent)?;
    let seconds = arrived.last.saturating_sub(posted.began) as f64 / 1e9;
    wait_for_last_recording();
    list_times(&server, sent, figures)?;
    let (delivered, sent) = (posted.accepted as f64 / seconds, grouped(sent));
    page_times(&server, LOAN, &format!("a page of 50 with {sent} rows behind it"), figures)?;
    figures.add(format!("{sent} webhooks of one loan: delivered"), "/s", delivered);
    figures.add(format!("memory after {sent} webhooks"), "MiB", server.memory()?);
    drop(server);
    for _ in 0..context.runs {
        let healthy_after =
            Server::start(&context.server, folder.path(), context.with_metrics)?.healthy_after;
        figures.add(format!("from start to healthy with {sent} webhooks"), "ms", healthy_after);
    }
    Ok(())
}

const LOAN: &str = "/v1/loans/0/webhooks?limit=50";
const ACROSS_LOANS: &str = "/v1/webhooks?limit=50";
const FAILED: &str = "/v1/webhooks?limit=50&status=failed";

/// Pages of the list across loans, where the server has one: an earlier version that is compared with has none.
fn list_times(server: &Server, sent: u64, figures: &mut Figures) -> Outcome {
    if server.time_of(ACROSS_LOANS).is_err() {
        return Ok(());
    }
    let sent = grouped(sent);
    page_times(server, ACROSS_LOANS, &format!("a page of 50 of {sent} deliveries across loans"), figures)?;
    page_times(server, FAILED, &format!("a page of those that failed, none of {sent}"), figures)
}

fn page_times(server: &Server, path: &str, name: &str, figures: &mut Figures) -> Outcome {
    // The samples are medians: single requests depend on the machine too much.
    for _ in 0..3 {
        let mut times = Samples::default();
        for _ in 0..100 {
            times.add(server.time_of(path)?);
        }
        figures.add(name, "ms", times.median());
    }
    Ok(())
}
