//! The list of the cases. A case that is missing in it is an unused function, which does not pass clippy.

/// Hands the list to a macro: `macro!{ argument; topic { case… }… }`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_case {
    ($($made:ident)::+ ! $(, $argument:path)?) => {
        $($made)::+! { $($argument)?;
        claims {
            of_concurrent_claims_of_one_number_one_succeeds
            only_the_next_number_can_be_claimed
            an_unknown_delivery_cannot_be_claimed
            only_the_fencing_token_of_the_claim_completes
            an_attempt_is_completed_once
            of_concurrent_completions_of_one_attempt_one_counts
            a_row_that_is_complete_stays_and_the_delivery_continues_from_it
        }
        schedule {
            a_failure_queues_the_next_number_after_its_delay
            an_interruption_queues_the_next_number_at_once_in_the_same_slot
            the_end_of_a_schedule_queues_no_message
            a_message_is_received_as_it_was_enqueued
        }
        leases {
            while_a_lease_is_valid_a_message_waits_for_its_end_and_changes_nothing
            past_its_lease_an_attempt_is_interrupted_and_the_next_is_due_at_once
            a_sender_that_completes_after_its_lease_expired_changes_nothing
            of_concurrent_senders_that_find_an_expired_lease_one_interrupts
            the_third_interruption_in_a_row_uses_up_a_slot
            without_a_lease_an_attempt_in_flight_is_left_alone
            past_the_lease_a_complete_row_counts_as_it_stands
            a_claim_without_a_row_gets_one_as_interrupted
            a_resend_in_flight_holds_its_lease_and_is_not_repeated_after_it
        }
        releases {
            a_released_claim_leaves_no_row_and_its_number_is_due_again
            a_released_first_attempt_cannot_be_resent
            a_released_later_attempt_leaves_those_before_it
            a_released_attempt_of_a_canceled_delivery_is_due_no_more
            an_attempt_that_a_resend_references_is_not_released
            a_released_resend_is_queued_again
            a_resource_missing_on_our_side_uses_up_no_attempt
        }
        sending {
            a_delivery_fails_is_retried_and_succeeds_with_the_same_bytes
            one_message_handled_many_times_sends_each_number_once
            an_old_message_enqueues_its_lost_successor
            a_message_that_is_not_due_is_enqueued_again_and_changes_nothing
            a_missing_payload_is_told_in_the_row_and_the_schedule_continues
            a_request_that_cannot_end_before_the_deadline_is_not_sent_and_is_due_again
            a_change_of_the_subscription_changes_only_the_credentials_of_its_deliveries
            a_template_that_does_not_render_gives_a_row_without_a_request_that_cannot_be_resent
        }
        credentials {
            an_attempt_takes_the_headers_that_its_subscription_has_when_it_leaves
            a_delivery_takes_the_credentials_of_its_own_host
            what_no_version_has_credentials_for_is_signed_and_has_none
            a_delivery_of_an_earlier_version_is_sent_with_live_credentials_and_keeps_none
            without_the_version_that_it_matched_only_what_is_known_to_be_rendered_stays
            the_newest_version_to_a_host_is_found_among_all_versions
        }
        ledger {
            an_event_has_the_verdict_of_every_subscription_that_asks_for_it
            a_restriction_that_forbids_a_rising_edge_is_the_verdict
            an_event_that_nothing_matches_is_in_the_ledger_with_its_context
            events_of_a_loan_are_listed_newest_first_within_bounds
            a_repeated_call_adds_no_event
            a_repeated_call_stores_the_event_of_one_that_crashed
            an_event_says_what_became_of_its_deliveries
            pages_of_events_are_filtered_and_full
            verdicts_are_in_the_order_of_subscriptions
        }
        delivery_list {
            every_delivery_is_listed_once_while_others_arrive_and_change
            a_delivery_is_listed_with_its_newest_attempt
            deliveries_of_days_far_apart_are_one_list
            another_tenants_deliveries_are_not_listed
        }
        delivery_filters {
            each_filter_lets_its_deliveries_pass
            filtered_pages_are_full_and_have_every_delivery_once
        }
        deliveries_that_failed {
            a_delivery_is_in_the_set_that_failed_from_its_last_failure_until_a_resend_of_it_succeeds
            a_delivery_that_was_canceled_in_flight_has_not_failed
        }
        holds {
            failures_in_a_row_hold_a_subscription_until_a_success
            an_attempt_that_is_completed_twice_is_one_failure
            without_the_setting_failures_hold_nothing
            a_setting_that_is_taken_out_forgets_failures
            a_subscription_is_held_and_released_by_hand
            a_subscription_that_is_deleted_is_held_no_more
            what_waits_says_why_and_since_when
            another_tenants_subscription_cannot_be_held_or_released
        }
        order {
            a_first_attempt_waits_for_the_end_of_every_earlier_delivery_of_its_loan
            a_canceled_delivery_lets_those_behind_it_go
            a_delivery_that_is_given_back_is_still_waited_for
            a_delivery_that_is_stuck_steps_aside
            messages_that_come_twice_break_no_order
            what_waits_for_an_earlier_delivery_says_so
            a_hold_holds_up_what_waits_for_an_earlier_delivery_too
        }
        order_model {
            whatever_happens_the_order_is_kept_and_nothing_waits_for_ever
        }
        order_settings {
            deliveries_of_a_loan_are_numbered_without_a_gap
            an_order_that_is_turned_off_lets_go_what_waits
            a_change_of_the_time_to_step_aside_is_followed
            a_deleted_subscription_keeps_its_order
        }
        intake {
            an_accepted_delivery_is_stored_with_its_payload_and_message
            a_delivery_that_is_stored_already_stays_as_it_is
            of_concurrent_calls_with_one_idempotency_key_one_is_stored
            concurrent_events_with_one_idempotency_key_are_one_event
            another_body_under_an_idempotency_key_is_refused_and_stores_nothing
            a_repeated_call_completes_an_intake_that_crashed_after_the_record
            a_repeated_call_completes_an_intake_that_crashed_between_deliveries
            an_idempotency_key_expires_after_a_day
            an_idempotency_key_of_an_event_is_another_than_that_of_a_resend
        }
        triggers {
            a_trigger_fires_when_it_becomes_true_and_again_after_it_was_false
            of_concurrent_events_one_fires_the_trigger
            each_loan_and_subscription_has_a_trigger_state_of_its_own
            a_rising_edge_that_the_restriction_forbids_is_used_up
            the_state_of_a_changed_trigger_is_dropped_and_that_of_a_disabled_subscription_is_kept
            a_repeated_call_answers_what_fired_and_changes_nothing
            a_duplicate_call_changes_no_trigger_state
        }
        trigger_state {
            a_reading_by_an_older_version_of_a_trigger_changes_nothing
            the_state_of_deleted_triggers_is_removed
        }
        rising_edges {
            all_triggers_that_a_tenant_may_have_can_fire_at_one_event
            a_formula_error_is_counted_and_the_last_is_kept
        }
        idempotency {
            any_sequence_of_idempotency_keys_and_bodies_is_answered_by_the_rules
        }
        history {
            a_cursor_passes_every_row_once_while_newer_ones_arrive
            rows_are_bounded_from_the_oldest_to_before_the_cursor
            the_attempts_of_a_delivery_are_its_own_the_oldest_first
            a_row_is_read_by_its_loan_and_id
            loans_of_similar_names_have_separate_histories
            the_attempts_of_a_delivery_are_read_in_pages_from_either_end
        }
        unreadable {
            an_unreadable_row_hides_no_other
            an_unreadable_subscription_hides_no_other_and_can_be_deleted
            an_unreadable_key_hides_no_other
            an_unreadable_trigger_state_counts_as_unknown
            an_unreadable_idempotency_record_does_not_allow_a_second_send
            an_unreadable_event_hides_no_other_and_a_repeat_of_its_call_is_answered
        }
        tenants {
            another_tenants_delivery_cannot_be_read_or_canceled
            another_tenants_attempts_cannot_be_claimed_or_completed
            another_tenants_resends_cannot_be_requested_claimed_or_completed
            another_tenants_history_is_empty
            another_tenants_subscriptions_cannot_be_read_or_changed
            another_tenants_keys_cannot_be_listed_or_deleted
            two_tenants_may_use_the_same_idempotency_key
        }
        resend_requests {
            an_idempotency_key_of_a_resend_names_one_delivery_for_a_day
            a_resend_that_was_never_claimed_can_be_named
            a_resend_of_an_attempt_that_was_released_meanwhile_is_not_stored
            a_resend_of_a_row_that_was_released_is_refused
            nothing_can_be_resent_before_it_was_attempted
            an_attempt_is_found_by_its_number_however_often_its_delivery_was_resent
        }
        resend_addresses {
            a_resend_to_the_current_address_sends_what_was_sent_there
            without_an_edit_the_current_address_is_the_original_one
            a_resend_to_the_current_address_is_refused_where_there_is_none
            an_idempotency_key_of_a_resend_names_its_address
        }
        resends {
            a_resend_is_readable_as_queued_and_counted_at_once
            with_one_idempotency_key_a_resend_is_queued_once
            of_concurrent_claims_of_a_resend_one_succeeds
            an_unknown_resend_cannot_be_claimed
            a_resend_that_waited_too_long_is_interrupted_not_sent
            only_its_fencing_token_completes_a_resend_and_once
            a_resend_does_not_change_the_schedule
            a_successful_resend_makes_an_exhausted_delivery_succeeded
            a_resend_that_fails_leaves_the_delivery_as_it_was
            a_resend_sends_the_frozen_bytes_once
        }
        reports {
            each_end_of_a_delivery_is_counted
            a_resend_counts_in_the_hour_when_it_is_sent
            a_success_is_the_first_attempts_whatever_a_resend_did
            a_claim_that_is_given_back_is_no_attempt
            what_changes_nothing_is_not_counted
            counts_of_another_tenant_are_not_read
            deliveries_are_counted_by_their_subscription_and_event_name
            mixed_steps_are_counted_as_the_history_says
        }
        cancel {
            a_canceled_delivery_is_attempted_no_more
            only_a_pending_delivery_can_be_canceled
            an_attempt_in_flight_finishes_and_is_the_last
            a_sender_that_dies_after_the_cancel_is_interrupted_and_the_last
            a_cancel_and_a_claim_at_once_leave_one_attempt_at_most
            a_canceled_delivery_can_be_resent
        }
        subscriptions {
            subscriptions_are_listed_the_oldest_first_as_they_are_now
            every_version_is_kept
            of_concurrent_replacements_of_one_version_one_succeeds
            of_concurrent_changes_none_is_lost
            a_change_replaces_an_expected_version_only
            an_unknown_or_deleted_subscription_cannot_be_replaced
            a_subscription_is_deleted_at_an_expected_version_only
            a_subscription_is_deleted_once
            the_newest_version_has_the_secrets_even_of_a_deleted_subscription
            the_limit_holds_under_concurrent_creates
        }
        subscription_versions {
            versions_are_read_page_by_page_the_newest_first
            what_changed_is_told_of_each_version_and_between_two
        }
        keys {
            a_key_is_found_by_its_hash_alone
            keys_are_listed_in_pages_the_oldest_first
            a_deleted_key_is_gone_at_once
            a_key_is_valid_until_its_end_and_is_listed_after_it
            the_last_use_of_a_key_is_listed_to_the_hour
            an_admin_deletes_all_keys_but_an_operators
            the_environment_names_one_key
            a_key_that_was_deleted_does_not_come_back_by_the_environment
            what_the_environment_names_has_every_scope
        }
        grants {
            a_grant_is_found_by_the_hash_of_its_token_alone
            a_grant_is_over_at_its_time
            a_grant_that_was_ended_is_gone_at_once
            a_link_opens_sessions_until_its_own_end
            grants_of_a_key_end_when_it_is_deleted
            grants_of_a_key_end_when_it_expires
            a_session_of_another_tenant_is_not_valid
        }
        person_sessions {
            a_session_of_a_person_ends_at_its_time_and_with_the_settings
        }
        payloads {
            a_payload_is_read_as_it_was_stored
            equal_bytes_of_a_tenant_are_stored_once
            another_tenants_payload_cannot_be_read
            recent_source_addresses_are_listed_once_each
        }
        }
    };
}

/// A public function for each case, which runs it on an engine.
macro_rules! runs {
    (; $($topic:ident { $($case:ident)* })*) => {
        $(pub mod $topic {
            $(pub fn $case<E: $crate::engine::Engine>() {
                $crate::run_on::<E>($crate::$topic::$case::<E>());
            })*
        })*
    };
}

/// A test for each case.
#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ($engine:path; $($topic:ident { $($case:ident)* })*) => {
        $(mod $topic {
            $(#[test]
            fn $case() {
                $crate::cases::$topic::$case::<$engine>();
            })*
        })*
    };
}

/// Makes a test of every case for an engine, named by its full path.
#[macro_export]
macro_rules! contract {
    ($engine:path) => {
        $crate::for_each_case! { $crate::tests!, $engine }
    };
}

for_each_case! { runs! }

pub use crate::job_cases::{job_cancels, job_lists, job_requests, job_steps, job_stops};
pub use crate::operational_cases::{
    operational_certificates, operational_events, operational_facts, operational_silence,
};
