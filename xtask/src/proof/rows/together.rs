//! Rows 12 to 20: older copies, seals, and devices that come together over any network and clock.

use super::{ALL, CLIENT, Cases, Control, Row, SEAL, SERVER, VAULT, row};

pub(super) const ROWS: &[Row] = &[
    Row {
        names: &["a_vault_put_back_to_an_older_state_says_how_much_it_lacks"],
        control: Control::Tests(&["control_without_the_record_an_older_state_passes"]),
        per_change: 200,
        nightly: 20_000,
        shards: 2,
        ..row(12, "vault files put back to an older state (the vault's own part)", VAULT, "older_copies")
    },
    Row {
        names: &["an_older_copy_converges_with_its_lost_life_and_loses_nothing"],
        cases: Cases::Asked,
        control: Control::Tests(&["an_edit_that_the_server_drops_after_an_older_copy_came_back_is_missed"]),
        per_change: 200,
        nightly: 2_000,
        shards: 2,
        ..row(12, "a device restored from an older copy, with edits on both sides", CLIENT, "restored")
    },
    Row {
        names: &["ten_thousand_sealings_use_no_key_twice"],
        control: Control::Tests(&[
            "a_salt_that_repeats_is_noticed",
            "a_module_that_seals_by_itself_is_noticed",
        ]),
        per_change: 10_000,
        nightly: 10_000,
        ..row(13, "sealings over restart, fork, clone, retry and re-seal", SEAL, "used_once")
    },
    Row {
        names: &["wycheproof"],
        exact: false,
        control: Control::Inside("each case with its published verdict turned round is noticed"),
        per_change: ALL,
        nightly: ALL,
        ..row(14, "Wycheproof cases through our own wrappers", SEAL, "")
    },
    Row {
        names: &["each_frozen_one_defect_envelope_is_refused_for_its_defect"],
        control: Control::Inside("the same envelope without a defect opens"),
        per_change: ALL,
        nightly: ALL,
        ..row(14, "envelopes with one defect, each refused for it", SEAL, "defects")
    },
    Row {
        names: &["devices_show_the_same_after_any_schedule"],
        control: Control::Tests(&[
            "a_dropped_push_is_caught",
            "a_dropped_envelope_is_caught",
            "swapped_writers_are_caught",
        ]),
        per_change: 10_000,
        nightly: 1_000_000,
        shards: 200,
        ..row(
            15,
            "schedules of three to eight devices: edit, exchange, drop, repeat, delay, part, restart, wrong clocks",
            CLIENT,
            "convergence",
        )
    },
    Row {
        names: &["devices_and_the_real_relay_come_to_the_same_over_any_network"],
        control: Control::Tests(&[
            "control_an_item_that_the_network_leaves_out_is_caught",
            "control_another_seed_gives_another_trace",
            "control_a_device_that_is_never_answered_is_caught",
        ]),
        per_change: 500,
        nightly: 20_000,
        shards: 20,
        ..row(
            16,
            "simulated networks between three devices and the real relay, each seed twice",
            CLIENT,
            "simulated",
        )
    },
    Row {
        names: &["five_devices_and_a_server_lose_nothing_on_bad_ways_with_kills"],
        control: Control::Tests(&[
            "control_a_device_that_does_not_send_again_and_one_that_says_saved_too_early_are_caught",
        ]),
        per_change: 20,
        nightly: 500,
        shards: 10,
        ..row(
            17,
            "rounds of a server and five devices as processes behind bad ways, killed at each tenth",
            SERVER,
            "chaos",
        )
    },
    Row {
        names: &["wrong_and_jumping_clocks_lose_nothing_and_sign_in_all_the_same"],
        control: Control::Tests(&["control_with_wrong_clocks_an_item_that_the_network_leaves_out_is_caught"]),
        per_change: 500,
        nightly: 20_000,
        shards: 20,
        ..row(18, "simulated networks with wrong clocks that jump, each seed twice", CLIENT, "simulated")
    },
    Row {
        names: &["a_share_ends_on_its_date_whatever_the_owners_clock_says"],
        cases: Cases::Tests,
        control: Control::Inside("on its last day the same share still holds"),
        per_change: ALL,
        nightly: ALL,
        ..row(18, "a share until a date, with the owner's clock wrong", CLIENT, "simulated")
    },
    Row {
        names: &["programs_whose_clocks_are_wrong_and_jump_lose_nothing_and_show_the_same"],
        control: Control::Tests(&[
            "control_a_program_under_another_clock_says_another_year_and_sees_it_jump",
        ]),
        per_change: 10,
        nightly: 200,
        shards: 4,
        ..row(
            18,
            "rounds of a server and five devices as processes under clocks that are wrong and jump",
            SERVER,
            "other_clock",
        )
    },
    Row {
        names: &["a_server_that_goes_back_gets_everything_again_from_whoever_has_it"],
        cases: Cases::Asked,
        control: Control::Tests(&["an_edit_that_a_restored_server_drops_is_missed"]),
        per_change: 200,
        nightly: 2_000,
        shards: 2,
        ..row(19, "a server restored from an older backup; every edit comes back", CLIENT, "restored")
    },
    Row {
        names: &[
            "removals::a_server_that_lost_a_removal_gets_it_back_first_and_with_it_everything_that_anybody_holds",
        ],
        cases: Cases::Asked,
        control: Control::Tests(&["removals::what_nobody_hands_over_to_a_restored_server_is_missed"]),
        per_change: 200,
        nightly: 2_000,
        shards: 4,
        ..row(19, "a server restored to before a member or a device was removed", CLIENT, "restored")
    },
    Row {
        names: &["a_pruned_server_that_is_put_back_from_a_backup_is_no_dead_end"],
        control: Control::Tests(&["control_what_no_holder_brings_back_is_missed"]),
        per_change: 200,
        nightly: 200,
        ..row(19, "the same with a server that has pruned before or after", CLIENT, "pruning")
    },
    Row {
        names: &["a_device_that_was_away_for_half_a_year_comes_back_and_all_have_the_same"],
        control: Control::Tests(&["control_a_device_that_lost_what_it_wrote_while_away_is_found_out"]),
        per_change: 50_000,
        nightly: 50_000,
        ..row(
            20,
            "edits of five devices in 180 days, one of them away, over a log that is pruned",
            CLIENT,
            "long_offline",
        )
    },
];
