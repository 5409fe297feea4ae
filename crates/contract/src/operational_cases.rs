//! The list of the cases of operational events: they run on the engines that tell them.

/// The list of the cases of operational events, for engines that tell them.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_operational_case {
    ($($made:ident)::+ ! $(, $argument:path)?) => {
        $($made)::+! { $($argument)?;
        operational_events {
            the_fourth_failure_in_a_row_is_told_once_and_the_recovery_after_it
            an_event_is_taken_in_once_however_often_that_is_tried
            the_outbox_is_read_page_by_page
            exhausted_deliveries_of_a_window_are_told_together
            a_hold_is_told_when_it_begins
            what_is_to_be_told_outlives_a_restart
        }
        operational_silence {
            what_becomes_of_operational_events_tells_nothing
            an_operational_event_tells_nothing_after_its_subscription_has_other_criteria
            nothing_is_kept_where_nobody_is_told
            an_observer_in_the_place_of_the_only_other_hears_what_was_to_be_told
            an_observer_that_is_made_after_the_last_went_hears_what_happens_from_then_on
        }
        operational_certificates {
            a_certificate_is_told_30_7_and_1_days_before_its_end
            another_certificate_is_told_anew_and_none_where_nobody_is_told
        }
        operational_facts {
            failures_and_recovery_have_their_facts
            a_success_that_ends_a_hold_tells_both_in_one_event
            exhausted_deliveries_are_told_with_the_first_traces
            what_is_exhausted_after_a_window_is_told_in_the_next
            exhausted_deliveries_of_a_deleted_subscription_are_told
            a_job_is_told_once_when_it_is_over
        }
        }
    };
}

/// A public function for each case of operational events.
macro_rules! operational_runs {
    (; $($topic:ident { $($case:ident)* })*) => {
        $(pub mod $topic {
            $(pub fn $case<E: $crate::engine::Engine>()
            where
                E::Ports: loanhook_core::ports::Jobs + loanhook_core::ports::OperationalEvents,
            {
                $crate::run_on::<E>($crate::$topic::$case::<E>());
            })*
        })*
    };
}

/// Makes a test of every case of operational events for an engine, named by its full path.
#[macro_export]
macro_rules! operational_contract {
    ($engine:path) => {
        $crate::for_each_operational_case! { $crate::tests!, $engine }
    };
}

for_each_operational_case! { operational_runs! }
