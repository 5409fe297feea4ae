//! The list of the cases of recovery jobs: they run on the engines that have jobs.

/// The list of the cases of recovery jobs, for engines that have them.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_job_case {
    ($($made:ident)::+ ! $(, $argument:path)?) => {
        $($made)::+! { $($argument)?;
        job_steps {
            a_job_resends_each_delivery_of_its_list_once_oldest_first
            of_steps_at_once_one_counts_and_each_delivery_is_resent_once
            a_step_that_is_repeated_gives_the_same_attempts
            deliveries_of_one_loan_are_resent_one_after_the_other
            a_job_keeps_its_pace
            while_resends_of_a_subscription_wait_to_be_sent_no_more_are_taken
            however_fast_the_pace_few_resends_wait_to_be_sent
            what_succeeded_by_itself_is_skipped_unless_it_is_forced
            what_had_succeeded_when_it_was_listed_is_resent
            a_resend_that_nobody_took_is_a_failure
        }
        job_cancels {
            a_bulk_cancel_ends_the_automatic_attempts_of_what_is_pending
        }
        job_stops {
            a_stopped_job_sends_nothing_more_and_what_was_sent_gets_its_outcome
            a_job_that_sent_nothing_is_over_when_it_is_stopped
            so_many_failures_in_a_row_stop_a_job
            no_more_are_on_their_way_than_may_fail_before_the_job_stops
        }
        job_lists {
            a_list_is_fixed_when_its_job_is_made
            what_was_never_attempted_is_left_out
            of_each_loan_and_subscription_only_the_newest_is_resent
            a_long_list_is_completed_by_steps_and_has_each_delivery_once
            a_plan_says_what_a_job_would_do_and_makes_none
            items_are_read_in_pages_and_by_outcome
        }
        job_requests {
            a_repeated_call_with_a_key_gives_the_same_job
            so_many_jobs_of_a_tenant_are_under_way_at_once
            of_concurrent_changes_of_a_job_one_is_stored
            jobs_are_listed_newest_first_by_kind
            another_tenants_jobs_are_not_there
        }
        }
    };
}

/// A public function for each case of recovery jobs.
macro_rules! job_runs {
    (; $($topic:ident { $($case:ident)* })*) => {
        $(pub mod $topic {
            $(pub fn $case<E: $crate::engine::Engine>()
            where
                E::Ports: loanhook_core::ports::Jobs,
            {
                $crate::run_on::<E>($crate::$topic::$case::<E>());
            })*
        })*
    };
}

/// Makes a test of every case of recovery jobs for an engine, named by its full path.
#[macro_export]
macro_rules! job_contract {
    ($engine:path) => {
        $crate::for_each_job_case! { $crate::tests!, $engine }
    };
}

for_each_job_case! { job_runs! }
