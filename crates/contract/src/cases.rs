//! The list of the cases. A case that is missing in it is an unused function, which does not pass clippy.

/// Hands the list to a macro: `macro!{ argument; topic { case… }… }`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_case {
    ($($made:ident)::+ ! $(, $argument:path)?) => {
        $($made)::+! { $($argument)?;
        claims {
            of_many_claims_of_one_number_one_wins
            a_number_that_is_not_next_cannot_be_claimed
            an_unknown_delivery_cannot_be_claimed
            only_the_token_of_the_claim_settles
            an_attempt_is_settled_once
            of_many_settles_of_one_attempt_one_counts
            a_complete_row_stands_and_the_delivery_moves_on_from_it
        }
        schedule {
            a_failure_queues_the_next_number_after_its_delay
            an_interruption_queues_the_next_number_at_once_in_the_same_slot
            what_ends_a_schedule_queues_nothing
            messages_go_on_and_come_as_they_were_sent
        }
        leases {
            under_a_live_lease_a_message_waits_for_its_end_and_changes_nothing
            past_its_lease_an_attempt_is_interrupted_and_the_next_is_due_at_once
            a_sender_that_comes_back_after_its_lease_changes_nothing
            many_who_find_a_lease_over_interrupt_once
            the_third_interruption_in_a_row_uses_up_a_slot
            without_a_lease_an_attempt_in_flight_is_left_alone
            past_the_lease_a_complete_row_counts_as_it_stands
            a_claim_that_never_put_its_row_gets_one_as_interrupted
            a_resend_in_flight_holds_its_lease_and_is_not_repeated_after_it
        }
        releases {
            a_claim_that_is_given_back_leaves_no_row_and_its_number_is_due_again
            a_first_attempt_that_was_given_back_cannot_be_resent
            a_later_attempt_that_is_given_back_leaves_those_before_it
            a_canceled_attempt_that_is_given_back_is_due_no_more
            an_attempt_that_was_resent_meanwhile_is_not_given_back
            a_resend_that_is_given_back_is_queued_again
            what_we_lack_uses_up_no_attempt_and_it_goes_on
        }
        sending {
            a_delivery_fails_is_retried_and_succeeds_with_the_same_bytes
            one_message_handled_many_times_sends_each_number_once
            an_old_message_brings_a_lost_one_back
            a_message_that_is_not_due_is_sent_on_and_touches_nothing
            where_the_payload_is_gone_the_row_says_so_and_the_schedule_goes_on
            what_could_not_end_in_time_is_not_sent_and_is_due_again_soon
            a_change_of_the_subscription_changes_its_secrets_only
            what_does_not_render_is_a_row_without_a_request_and_cannot_be_resent
        }
        intake {
            what_was_accepted_is_there_with_its_payload_and_message
            a_delivery_that_is_there_stays_as_it_is
            of_many_calls_with_one_key_one_is_stored
            many_events_with_one_key_are_one_event
            another_body_under_a_key_is_refused_and_leaves_nothing
            a_repeat_finishes_what_a_crash_after_the_record_left
            a_repeat_finishes_what_a_crash_between_deliveries_left
            a_key_is_over_after_a_day
            a_key_of_an_event_is_none_of_a_resend
        }
        triggers {
            a_trigger_fires_when_it_becomes_true_and_again_after_it_was_false
            of_many_events_at_once_one_fires
            loans_and_subscriptions_are_remembered_apart
            a_rise_while_the_restriction_forbids_is_consumed
            a_changed_trigger_is_forgotten_and_that_of_a_disabled_subscription_is_kept
            a_repeat_promises_what_fired_and_changes_nothing
            a_key_that_is_known_leaves_no_trace_of_a_rise
        }
        remembering {
            who_judges_by_an_older_trigger_neither_fires_nor_forgets
            what_deleted_triggers_left_behind_does_not_grow_for_ever
        }
        rises {
            as_many_triggers_rise_at_once_as_a_tenant_may_have
            a_formula_that_fails_is_counted_and_the_last_is_told
        }
        idempotency {
            any_sequence_of_keys_and_bodies_is_answered_by_the_rules
        }
        history {
            a_cursor_passes_every_row_once_while_newer_ones_arrive
            rows_are_bounded_from_the_oldest_to_before_the_cursor
            the_attempts_of_a_delivery_are_its_own_the_oldest_first
            a_row_is_read_by_its_loan_and_id
            loans_of_similar_names_share_nothing
            the_attempts_of_a_delivery_are_read_in_parts_from_either_end
        }
        unreadable {
            a_row_that_cannot_be_read_hides_no_other
            a_subscription_that_cannot_be_read_hides_no_other_and_can_be_deleted
            a_key_that_cannot_be_read_hides_no_other
            a_memory_that_cannot_be_read_is_unknown
            a_record_that_cannot_be_read_is_no_licence_to_send_again
        }
        tenants {
            another_tenants_delivery_cannot_be_read_or_canceled
            another_tenants_attempts_cannot_be_claimed_or_settled
            another_tenants_resends_cannot_be_asked_for_taken_or_settled
            another_tenants_history_is_empty
            another_tenants_subscriptions_cannot_be_read_or_changed
            another_tenants_keys_cannot_be_listed_or_deleted
            two_tenants_may_use_the_same_idempotency_key
        }
        asked {
            a_key_stands_for_one_delivery_for_a_day
            a_resend_that_nobody_took_can_be_named
            nothing_can_be_resent_before_it_was_attempted
            an_attempt_is_found_by_its_number_however_often_its_delivery_was_resent
        }
        resends {
            a_resend_is_queued_read_and_counted_at_once
            with_one_key_a_resend_is_queued_once
            of_many_who_take_a_resend_one_wins
            an_unknown_resend_cannot_be_taken
            a_resend_that_waited_too_long_is_interrupted_not_sent
            only_its_token_settles_a_resend_and_once
            a_resend_moves_no_schedule
            a_resend_that_succeeds_turns_an_exhausted_delivery
            a_resend_that_fails_leaves_the_delivery_as_it_was
            a_resend_sends_the_frozen_bytes_once
        }
        cancel {
            a_canceled_delivery_is_attempted_no_more
            what_is_not_pending_cannot_be_canceled
            an_attempt_in_flight_finishes_and_is_the_last
            a_sender_that_dies_after_the_cancel_is_interrupted_and_the_last
            a_cancel_and_a_claim_at_once_leave_one_attempt_at_most
            a_canceled_delivery_can_be_resent
        }
        subscriptions {
            subscriptions_are_listed_the_oldest_first_as_they_are_now
            every_version_is_kept
            of_many_replacements_of_one_version_one_wins
            what_is_unknown_or_deleted_cannot_be_replaced
            a_subscription_is_deleted_once
            secrets_are_the_newest_even_of_a_deleted_subscription
            the_limit_holds_under_concurrent_creates
        }
        keys {
            a_key_is_found_by_its_hash_alone
            keys_are_listed_in_pages_the_oldest_first
            a_deleted_key_is_gone_at_once
            a_key_opens_until_its_end_and_is_listed_after_it
            a_use_is_listed_to_the_hour
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
            what_a_key_made_is_over_when_it_is_deleted
            what_a_key_made_is_over_at_the_keys_end
            another_tenants_session_is_none_here
        }
        payloads {
            bytes_come_back_as_they_went_in
            equal_bytes_are_one_payload_of_their_tenant
            another_tenants_payload_cannot_be_read
            addresses_are_told_once_each_while_they_are_of_late
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
