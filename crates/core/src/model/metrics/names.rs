//! Names of all metrics. A name begins with `loanhook_` and ends with its unit, that of a counter with `_total`.

/// One metric.
#[derive(Debug, PartialEq)]
pub struct Metric {
    pub name: &'static str,
    /// One line.
    pub help: &'static str,
    pub kind: Kind,
}

/// What the values of a metric are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows, and begins with 0 at the start of a process.
    Counter,
    Gauge,
    /// Times in seconds, in buckets with these largest times.
    Times(&'static [f64]),
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $constant: Metric = Metric { name: $name, help: $help, kind: $kind };
        )*

        /// Every metric.
        pub static ALL: &[&Metric] = &[$(&$constant),*];
    };
}

/// From a first attempt that leaves in the commit of its event to one that waited for hours.
pub const FIRST_ATTEMPT_BOUNDS: &[f64] =
    &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0];
/// Up to the longest time that a request may take.
pub const RESPONSE_BOUNDS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// From a fast disk to one that intake has to wait for.
pub const COMMIT_BOUNDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

metrics! {
    EVENTS_ACCEPTED "loanhook_events_accepted_total" Kind::Counter, "Events that were accepted, without test sends.";
    VERDICTS "loanhook_verdicts_total" Kind::Counter, "What subscriptions decided about accepted events, by verdict.";
    FORMULA_ERRORS "loanhook_formula_errors_total" Kind::Counter,
        "Formulas of subscriptions that failed on an accepted event.";
    DELIVERIES_ACCEPTED "loanhook_deliveries_accepted_total" Kind::Counter,
        "Events that were matched to a subscription, without test sends.";
    ATTEMPTS "loanhook_attempts_total" Kind::Counter,
        "Attempts that ended, automatic and manual, by class of response code (outcome 1xx to 5xx, other) or by kind of error \
         (outcome error).";
    RESENDS "loanhook_resends_total" Kind::Counter, "Resends that were asked for.";
    EXHAUSTED "loanhook_exhausted_total" Kind::Counter, "Deliveries whose retries ran out without a success.";
    FIRST_ATTEMPT "loanhook_first_attempt_seconds" Kind::Times(FIRST_ATTEMPT_BOUNDS),
        "Time from the acceptance of an event to the first attempt of each of its deliveries.";
    RESPONSE "loanhook_response_seconds" Kind::Times(RESPONSE_BOUNDS),
        "Time that receivers took to answer, of attempts that have one.";
    JOB_ITEMS "loanhook_job_items_total" Kind::Counter,
        "Deliveries on the lists of recovery jobs that got an outcome, by kind of job and outcome.";
    JOBS_RUNNING "loanhook_jobs_running" Kind::Gauge, "Recovery jobs that are not over, by kind.";
    JOB_ITEMS_LEFT "loanhook_job_items_left" Kind::Gauge,
        "Deliveries without an outcome on the lists of recovery jobs that are not over, by kind.";
    WAITING "loanhook_waiting" Kind::Gauge,
        "Deliveries that are due and do not leave, by reason: limit, order or hold of their subscription.";
    OLDEST_DUE "loanhook_oldest_due_seconds" Kind::Gauge,
        "How long the oldest attempt or resend that is due has been due, by what its subscription waits for: hold, limit, or \
         nothing but a free sender (none). 0 where nothing is due.";
    HELD_SUBSCRIPTIONS "loanhook_held_subscriptions" Kind::Gauge,
        "Subscriptions that are held, by failures or by hand.";
    REQUESTS_IN_FLIGHT "loanhook_requests_in_flight" Kind::Gauge, "Attempts and resends that are under way.";
    WRITER_COMMITS "loanhook_writer_commits_total" Kind::Counter, "Commits of the one writer that succeeded.";
    WRITER_FAILED_COMMITS "loanhook_writer_failed_commits_total" Kind::Counter, "Commits of the one writer that failed.";
    WRITER_COMMIT "loanhook_writer_commit_seconds" Kind::Times(COMMIT_BOUNDS),
        "Time of each commit that succeeded, with the operations in it.";
    WRITER_WAITING "loanhook_writer_waiting_operations" Kind::Gauge,
        "Operations that wait for a commit: of existing work, or of new work (intake and resends).";
    DATABASE_BYTES "loanhook_database_bytes" Kind::Gauge, "Size of the database file.";
    WAL_BYTES "loanhook_wal_bytes" Kind::Gauge, "Size of the write-ahead log of the database.";
    DISK_FREE_BYTES "loanhook_disk_free_bytes" Kind::Gauge, "Bytes that are free where the data folder is.";
    START_TIME "loanhook_start_time_seconds" Kind::Gauge, "When this process started, in seconds since 1970.";
    BUILD_INFO "loanhook_build_info" Kind::Gauge, "1, with the version of loanhook.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_prefix_and_their_unit() {
        for metric in ALL {
            assert!(metric.name.starts_with("loanhook_"), "{metric:?}");
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{metric:?}");
            let is_times = matches!(metric.kind, Kind::Times(_));
            assert!(!is_times || metric.name.ends_with("_seconds"), "{metric:?}");
            assert!(!metric.help.contains('\n') && metric.help.ends_with('.'), "{metric:?}");
        }
        let mut names: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn bounds_ascend() {
        for metric in ALL {
            if let Kind::Times(bounds) = metric.kind {
                assert!(bounds.is_sorted_by(|one, next| one < next), "{metric:?}");
            }
        }
    }
}
