use uuid::Uuid;

use super::*;
use crate::model::id::AttemptId;

const START: Timestamp = Timestamp::from_millis(1_577_872_800_000);

/// How many items are taken in so many milliseconds by steps of these milliseconds, each of which takes all it may.
fn taken(per_second: f64, millis: i64, step: i64) -> u32 {
    let (mut pace, mut all) = (Pace::from(START), 0);
    for at in (0..millis).step_by(usize::try_from(step).expect("a step")) {
        let now = START.plus_millis(at);
        let allowed = pace.allowed(per_second, now);
        all += allowed;
        pace = pace.after(allowed, per_second, now);
        assert_eq!(pace.allowed(per_second, now), 0);
        assert!(pace.due() > now);
    }
    all
}

#[test]
fn a_pace_is_kept_whatever_the_steps() {
    for (per_second, millis, step, expected) in [
        (10.0, 10_000, 200, 99),
        (10.0, 10_000, 1, 100),
        (0.1, 30_000, 200, 3),
        (0.5, 10_000, 1000, 5),
        (1000.0, 2_000, 200, 1801),
        (3.0, 10_000, 100, 30),
    ] {
        assert_eq!(taken(per_second, millis, step), expected, "{per_second} in steps of {step} ms");
    }
}

#[test]
fn what_was_not_used_for_long_is_one_seconds_worth() {
    let pace = Pace::from(START);
    for (per_second, stock) in [(10.0, 10), (0.1, 1), (2.5, 2), (1000.0, 1000)] {
        let later = START.plus_millis(3_600_000);
        assert_eq!(pace.allowed(per_second, later), stock);
        assert_eq!(pace.after(stock, per_second, later).allowed(per_second, later), 0);
    }
}

#[test]
fn a_clock_that_is_set_back_delays_one_item() {
    let pace =
        Pace::from(START.plus_millis(24 * 3_600_000)).after(1, 10.0, START.plus_millis(24 * 3_600_000));
    assert_eq!(pace.allowed(10.0, START), 0);
    let next = pace.after(0, 10.0, START);
    assert_eq!(next.due(), START.plus_millis(100));
    assert_eq!(next.allowed(10.0, START.plus_millis(100)), 1);
}

fn job(stop_after_failures: Option<u32>) -> Job {
    let request = JobRequest {
        kind: JobKind::Resend,
        selection: Selection::Traces,
        to: ResendTo::Original,
        per_second: 10.0,
        newest_per_loan: false,
        stop_after_failures,
        force: false,
    };
    let tenant = TenantId::try_from("acme".to_owned()).expect("a name");
    Job::new(JobId::at(START), tenant, request, "Servicing".into(), START)
}

#[test]
fn failures_in_a_row_stop_a_job_and_a_success_begins_anew() {
    let id = AttemptId::from_uuid(Uuid::nil());
    let (failed, succeeded) = (ItemState::Failed(id), ItemState::Succeeded(Some(id)));
    let mut job = job(Some(2));
    job.counts.total = 6;
    job.end_listing();
    for state in [failed, succeeded, failed] {
        job.record_outcome(state);
        assert_eq!(job.status(), JobStatus::Running);
    }
    job.progress.open = vec![3];
    job.record_outcome(failed);
    job.end_if_over(START);
    assert_eq!((job.status(), job.is_over()), (JobStatus::Stopped, false), "one is on its way");
    job.progress.open.clear();
    job.record_outcome(succeeded);
    job.end_if_over(START);
    assert_eq!((job.status(), job.is_over(), job.counts.left()), (JobStatus::Stopped, true, 1));
    assert_eq!(job.stopped, Some(StopReason::Failures));
}

#[test]
fn a_job_is_done_when_nothing_is_left_of_its_list() {
    let mut job = job(None);
    job.counts.total = 1;
    job.end_listing();
    job.end_if_over(START);
    assert_eq!(job.status(), JobStatus::Running);
    job.progress.next = 0;
    job.progress.put_off = vec![0];
    job.end_if_over(START);
    assert_eq!(job.status(), JobStatus::Running);
    job.progress.put_off.clear();
    job.end_if_over(START);
    assert_eq!((job.status(), job.ended_at), (JobStatus::Done, Some(START)));
    job.stop(StopReason::Requested, START.plus_millis(1));
    assert_eq!(job.ended_at, Some(START), "its end stays");
}
