//! Rows from 41: what a server is asked for and has room for, recovery, and mending.

use super::{ALL, CLIENT, Cases, Control, RELAY, Row, SEAL, SERVER, VAULT, row};

pub(super) const ROWS: &[Row] = &[
    Row {
        names: &["lockouts::an_account_that_is_there_and_one_that_is_not_are_answered_alike_and_as_fast"],
        control: Control::Tests(&["controls::control_a_difference_in_work_is_seen_in_the_medians"]),
        per_change: 6_000,
        nightly: 6_000,
        ..row(
            41,
            "sign-ins for accounts that are there and are not: same words, medians within 5 %",
            RELAY,
            "relay",
        )
    },
    Row {
        names: &[
            "floods::oversized_requests_are_refused_before_they_are_read",
            "floods::smuggled_and_odd_requests_get_no_further_than_a_refusal",
        ],
        control: Control::Inside("what stays within the limits, and a pair that is well formed, are served"),
        per_change: ALL,
        nightly: ALL,
        ..row(47, "oversized, smuggled and odd requests", RELAY, "relay")
    },
    Row {
        names: &["whatever_has_no_end_or_is_packed_is_refused_soon_and_costs_no_memory"],
        control: Control::Tests(&["control_a_server_that_keeps_whatever_comes_is_found_out"]),
        per_change: 280,
        nightly: 2_800,
        ..row(47, "requests without an end, and packed ones, to the living server", SERVER, "floods")
    },
    Row {
        names: &[
            "refusals::an_account_cannot_pass_its_quota",
            "refusals::an_account_that_asks_too_often_waits_and_others_do_not",
            "lockouts::a_device_that_floods_takes_nothing_from_the_others_of_its_account",
        ],
        cases: Cases::Tests,
        control: Control::Tests(&["controls::control_with_a_larger_quota_the_same_push_is_stored"]),
        per_change: ALL,
        nightly: ALL,
        ..row(48, "quota, and others who do not wait", RELAY, "relay")
    },
    Row {
        names: &["others_are_answered_as_soon_as_ever_beside_a_device_that_floods"],
        control: Control::Tests(&["control_others_who_wait_behind_a_flood_are_seen_in_the_percentiles"]),
        per_change: 4_000,
        nightly: 40_000,
        ..row(
            48,
            "edits of other accounts, half of them beside a device that floods; 99th percentiles",
            SERVER,
            "fairness",
        )
    },
    Row {
        names: &[
            "safe::kit::tests::any_single_wrong_word_of_a_kit_is_caught",
            "safe::kit::tests::any_two_exchanged_words_are_caught",
            "safe::kit::tests::any_single_typed_character_that_is_wrong_is_caught",
        ],
        cases: Cases::Tests,
        control: Control::Tests(&[
            "safe::kit::tests::control_a_kit_without_its_check_lets_wrong_words_through_and_each_sweep_notices",
        ]),
        per_change: ALL,
        nightly: ALL,
        ..row(54, "wrong words of the recovery kit (each test tries every place and many words)", SEAL, "")
    },
    Row {
        names: &[
            "a_cut_after_yes_only_makes_pairing_take_longer",
            "a_device_that_was_let_in_before_a_lock_or_an_end_comes_in_after_it",
            "a_device_that_never_reached_the_server_is_not_left_in_the_list",
            "a_device_that_is_in_the_list_but_never_came_in_is_the_same_device_the_second_time",
            "both_devices_add_one_at_the_same_time_and_all_four_exchange",
            "a_device_that_came_in_while_the_first_was_locked_is_not_said_to_be_left_out",
        ],
        cases: Cases::Tests,
        control: Control::Tests(&["control_a_device_whose_welcome_is_dropped_is_seen_not_to_come_in"]),
        per_change: ALL,
        nightly: ALL,
        ..row(54, "ways in which a second device comes in, with cuts and locks", CLIENT, "pairing")
    },
    Row {
        names: &["a_new_device_begins_from_snapshots_and_has_what_the_others_have"],
        cases: Cases::Tests,
        control: Control::Tests(&["control_a_new_device_of_which_a_section_is_withheld_is_seen_to_lack_it"]),
        per_change: ALL,
        nightly: ALL,
        ..row(54, "a second device has everything", CLIENT, "snapshots")
    },
    Row {
        names: &["no_fewer_than_two_helpers_and_no_shorter_wait_bring_an_account_back"],
        control: Control::Tests(&["control_with_the_wait_taken_away_the_account_comes_back_at_once"]),
        per_change: 24,
        nightly: 24,
        ..row(54, "subsets of the helpers, with every end of the wait", CLIENT, "helpers")
    },
    Row {
        names: &["of_a_hundred_damaged_vaults_the_check_finds_a_hundred"],
        control: Control::Tests(&["control_the_same_damage_to_unsealed_tables_is_read_without_an_error"]),
        per_change: 100,
        nightly: 10_000,
        shards: 2,
        ..row(55, "vault check with --read-data finds every damaged vault", VAULT, "structural")
    },
    Row {
        names: &["repairs::mending_a_damaged_vault_never_removes_good_data"],
        control: Control::Tests(&["repairs::control_a_mending_that_drops_an_entry_is_noticed"]),
        per_change: 100,
        nightly: 2_000,
        shards: 4,
        ..row(55, "damaged vaults mended by the app; nothing good is removed", CLIENT, "integrity")
    },
];
