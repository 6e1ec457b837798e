//! The rows of the test programme that there are: which test carries each, with what figures, and by what control.
//!
//! A row of the programme may stand here more than once, for its parts. What is not here does not exist yet;
//! `docs/proof.md` says so.

/// One harness.
pub(super) struct Row {
    /// The number in the test programme.
    pub(super) test: u8,
    /// What is counted.
    pub(super) what: &'static str,
    pub(super) package: &'static str,
    /// The integration test; empty for the crate's own unit tests.
    pub(super) binary: &'static str,
    /// The tests that carry it, by full name, or by a part of it where `exact` is false.
    pub(super) names: &'static [&'static str],
    pub(super) exact: bool,
    pub(super) cases: Cases,
    pub(super) control: Control,
    /// How many `cargo xtask test` looks at with each change; less than `per_change` where that takes too long there.
    pub(super) in_test: u64,
    /// The programme's figure for each change: `cargo xtask proof`.
    pub(super) per_change: u64,
    /// The programme's figure for a night: `cargo xtask proof --nightly`.
    pub(super) nightly: u64,
    /// Into how many shards a night is best cut, each well under an hour on two cores. A row of one shard is not cut: it
    /// runs whole, with the first.
    pub(super) shards: u64,
    /// The variable by which its number of cases is asked for.
    pub(super) asked_by: &'static str,
}

/// Where the figure comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cases {
    /// The harness prints it on its line.
    Said,
    /// The tests are the cases: a table of them.
    Tests,
    /// As many as it was asked for, from `MECUM_SEED` on: it stops at the first that fails.
    Asked,
}

/// What must fail, or the harness shows nothing.
#[derive(Clone, Copy)]
pub(super) enum Control {
    /// Tests of their own, which pass when the control fails as it must.
    Tests(&'static [&'static str]),
    /// Part of the harness itself, which passes only if it does.
    Inside(&'static str),
}

impl Control {
    /// Its names or words.
    pub(super) fn said(self) -> String {
        match self {
            Control::Tests(names) => names.join(", "),
            Control::Inside(words) => words.to_owned(),
        }
    }
}

const VAULT: &str = "mecum-vault";
const SEAL: &str = "mecum-seal";
const RELAY: &str = "mecum-relay";
const SYNC: &str = "mecum-sync";
const CLIENT: &str = "mecum-client";
const SERVER: &str = "mecum-server";

/// A figure of tables and sweeps: all that there are. More than any has.
pub(super) const ALL: u64 = 99_999;

/// A row with the most common shape: one exact test that says its figure.
const fn row(test: u8, what: &'static str, package: &'static str, binary: &'static str) -> Row {
    Row {
        test,
        what,
        package,
        binary,
        names: &[],
        exact: true,
        cases: Cases::Said,
        control: Control::Tests(&[]),
        in_test: 0,
        per_change: 0,
        nightly: 0,
        shards: 1,
        asked_by: "MECUM_PROOF_CASES",
    }
}

/// All of them, by number.
pub(super) const ROWS: &[Row] = &[
    Row {
        names: &["nothing_acknowledged_is_lost_by_a_kill_at_any_call"],
        control: Control::Tests(&["control_an_operation_that_acknowledges_early_loses"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(1, "SIGKILL at each call of each vault operation", VAULT, "syscall_kills")
    },
    Row {
        names: &["no_kill_at_any_call_of_the_clients_operations_loses_or_halves_anything"],
        control: Control::Tests(&["control_an_operation_that_says_done_too_early_is_found_out"]),
        in_test: 40,
        per_change: ALL,
        nightly: ALL,
        ..row(1, "SIGKILL at calls of the client's operations", CLIENT, "client_kills")
    },
    Row {
        names: &["nothing_acknowledged_is_lost_when_the_writer_is_killed"],
        control: Control::Tests(&["control_a_writer_that_acknowledges_before_it_commits_loses"]),
        in_test: 1_000,
        per_change: 1_000,
        nightly: 20_000,
        shards: 4,
        ..row(2, "SIGKILL at random moments while writing", VAULT, "random_kills")
    },
    Row {
        names: &["what_was_saved_survives_any_power_cut"],
        control: Control::Tests(&["control_without_syncs_or_full_durability_power_cuts_lose"]),
        in_test: 5_000,
        per_change: 5_000,
        nightly: 100_000,
        shards: 4,
        ..row(
            3,
            "power cuts: synced writes and a random, torn, reordered part of the rest",
            VAULT,
            "power_loss",
        )
    },
    Row {
        names: &["a_failing_disk_is_a_typed_error_and_the_next_run_is_clean"],
        control: Control::Tests(&["control_who_takes_a_refusal_for_a_save_loses"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(
            4,
            "each call of a session fails: EIO, ENOSPC, EDQUOT, short, once and for ever",
            VAULT,
            "io_faults",
        )
    },
    Row {
        names: &["no_refused_call_panics_loses_or_leaves_a_vault_that_does_not_open"],
        control: Control::Tests(&["control_an_acknowledgement_that_comes_first_is_found_out"]),
        // With each change every fourth position.
        in_test: 545,
        per_change: ALL,
        nightly: ALL,
        ..row(
            4,
            "system calls of each vault operation refused, once and from then on",
            VAULT,
            "syscall_errors",
        )
    },
    Row {
        names: &["what_is_saved_after_a_failed_sync_survives_a_power_cut"],
        control: Control::Tests(&["control_a_log_that_is_not_written_anew_loses_after_a_failed_sync"]),
        in_test: 400,
        per_change: 400,
        nightly: 40_000,
        shards: 4,
        ..row(4, "each sync fails and loses its pages, then the power goes", VAULT, "io_faults")
    },
    Row {
        names: &["a_full_disk_loses_nothing_and_the_vault_opens_and_goes_on"],
        control: Control::Tests(&["control_without_kept_room_or_care_a_full_disk_shuts_and_loses"]),
        in_test: 200,
        per_change: 200,
        nightly: 2_000,
        shards: 2,
        ..row(5, "really full disks of 1, 4 and 16 MiB", VAULT, "full_disk")
    },
    Row {
        names: &["two_processes_with_one_vault_lose_nothing_of_each_other"],
        control: Control::Tests(&["control_without_the_lock_two_processes_spoil_each_others_work"]),
        in_test: 10_000,
        per_change: 10_000,
        nightly: 100_000,
        shards: 2,
        ..row(6, "commits of two processes that take turns at one vault", VAULT, "two_processes")
    },
    Row {
        names: &["no_acknowledged_push_is_lost_by_a_kill"],
        control: Control::Tests(&["control_a_server_put_back_to_an_older_state_is_seen_to_lose"]),
        in_test: 40,
        per_change: 2_000,
        nightly: 20_000,
        shards: 10,
        ..row(7, "SIGKILL of the server while it takes pushes (SQLite)", SERVER, "kills")
    },
    Row {
        names: &["everything_that_version_1_stored_or_sent_is_read_by_this_version"],
        control: Control::Tests(&["control_a_changed_byte_in_a_recorded_answer_or_frame_is_noticed"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(
            8,
            "fixtures of every version's vault, backup, server and frames read by the live path",
            CLIENT,
            "formats",
        )
    },
    Row {
        names: &["power_cut_at_each_moment_of_each_migration_leaves_the_old_store_or_the_new_one"],
        control: Control::Tests(&["control_a_migration_in_several_commits_is_caught_in_between"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(8, "power cuts at each write of each migration of the server's store", RELAY, "migrations")
    },
    Row {
        names: &["backups_made_while_writing_are_whole_vaults_of_one_moment"],
        control: Control::Tests(&["control_a_plain_copy_of_the_file_lacks_what_was_saved"]),
        in_test: 100,
        per_change: 100,
        nightly: 2_000,
        shards: 2,
        ..row(9, "backups while another thread writes", VAULT, "backups")
    },
    Row {
        names: &["backups_made_in_steps_beside_a_writer_are_whole_vaults_of_one_moment"],
        control: Control::Tests(&["control_a_plain_copy_of_the_file_lacks_what_was_saved"]),
        in_test: 20,
        per_change: 100,
        nightly: 2_000,
        shards: 2,
        ..row(9, "backups in steps beside a writer", VAULT, "backups")
    },
    Row {
        names: &["a_backup_cut_off_at_any_kibibyte_is_refused"],
        control: Control::Inside("the same file, whole, is taken"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(9, "backups cut off at each KiB are refused", VAULT, "backups")
    },
    Row {
        names: &["a_flipped_bit_is_an_error_or_changes_nothing"],
        control: Control::Tests(&["control_the_same_content_unsealed_is_read_differently_without_an_error"]),
        in_test: 10_000,
        per_change: 10_000,
        // More than the file has bits: each of them once.
        nightly: 1_000_000,
        shards: 4,
        ..row(10, "single flipped bits of a vault", VAULT, "bit_flips")
    },
    Row {
        names: &["every_structurally_damaged_vault_is_found_and_what_is_wrong_is_named"],
        control: Control::Tests(&["control_the_same_damage_to_unsealed_tables_is_read_without_an_error"]),
        in_test: 300,
        per_change: 300,
        nightly: 30_000,
        shards: 2,
        ..row(11, "random structural damage by SQL and by pages, found and named", VAULT, "structural")
    },
    Row {
        names: &["tampering::"],
        exact: false,
        cases: Cases::Tests,
        control: Control::Tests(&["tampering::an_untouched_vault_is_clean"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(11, "written cases of structural damage, each with its name", VAULT, "vault")
    },
    Row {
        names: &["a_vault_put_back_to_an_older_state_says_how_much_it_lacks"],
        control: Control::Tests(&["control_without_the_record_an_older_state_passes"]),
        in_test: 200,
        per_change: 200,
        nightly: 20_000,
        shards: 2,
        ..row(12, "vault files put back to an older state (the vault's own part)", VAULT, "older_copies")
    },
    Row {
        names: &["an_older_copy_converges_with_its_lost_life_and_loses_nothing"],
        cases: Cases::Asked,
        control: Control::Tests(&["an_edit_that_the_server_drops_after_an_older_copy_came_back_is_missed"]),
        in_test: 4,
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
        in_test: 10_000,
        per_change: 10_000,
        nightly: 10_000,
        ..row(13, "sealings over restart, fork, clone, retry and re-seal", SEAL, "used_once")
    },
    Row {
        names: &["wycheproof"],
        exact: false,
        control: Control::Inside("each case with its published verdict turned round is noticed"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(14, "Wycheproof cases through our own wrappers", SEAL, "")
    },
    Row {
        names: &["each_frozen_one_defect_envelope_is_refused_for_its_defect"],
        control: Control::Inside("the same envelope without a defect opens"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(14, "envelopes with one defect, each refused for it", SEAL, "defects")
    },
    Row {
        names: &["three_devices_show_the_same_after_any_schedule"],
        control: Control::Tests(&[
            "a_dropped_push_is_caught",
            "a_dropped_envelope_is_caught",
            "swapped_writers_are_caught",
        ]),
        in_test: 10_000,
        per_change: 10_000,
        nightly: 1_000_000,
        shards: 200,
        ..row(
            15,
            "schedules of three devices: edit, exchange, drop, repeat, cut, restart",
            CLIENT,
            "convergence",
        )
    },
    Row {
        names: &["devices_and_the_real_relay_come_to_the_same_over_any_network"],
        control: Control::Tests(&[
            "control_an_item_that_the_network_leaves_out_is_caught",
            "control_another_seed_gives_another_trace",
        ]),
        in_test: 6,
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
        in_test: 2,
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
        in_test: 6,
        per_change: 500,
        nightly: 20_000,
        shards: 20,
        ..row(18, "simulated networks with wrong clocks that jump, each seed twice", CLIENT, "simulated")
    },
    Row {
        names: &["a_share_ends_on_its_date_whatever_the_owners_clock_says"],
        cases: Cases::Tests,
        control: Control::Inside("on its last day the same share still holds"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(18, "a share until a date, with the owner's clock wrong", CLIENT, "simulated")
    },
    Row {
        names: &["programs_whose_clocks_are_wrong_and_jump_lose_nothing_and_show_the_same"],
        control: Control::Tests(&[
            "control_a_program_under_another_clock_says_another_year_and_sees_it_jump",
        ]),
        in_test: 1,
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
        names: &["a_server_that_goes_back_gets_everything_again_from_whoever_wrote_it"],
        cases: Cases::Asked,
        control: Control::Tests(&["an_edit_that_a_restored_server_drops_is_missed"]),
        in_test: 8,
        per_change: 200,
        nightly: 2_000,
        shards: 2,
        ..row(19, "a server restored from an older backup; every edit comes back", CLIENT, "restored")
    },
    Row {
        names: &["a_pruned_server_that_is_put_back_from_a_backup_is_no_dead_end"],
        control: Control::Tests(&["control_what_no_holder_brings_back_is_missed"]),
        in_test: 4,
        per_change: 10,
        nightly: 200,
        ..row(19, "the same with a server that has pruned before or after", CLIENT, "pruning")
    },
    Row {
        names: &["a_device_that_was_away_for_half_a_year_comes_back_and_all_have_the_same"],
        control: Control::Tests(&["control_a_device_that_lost_what_it_wrote_while_away_is_found_out"]),
        in_test: 1_000,
        per_change: 5_000,
        nightly: 50_000,
        ..row(
            20,
            "edits of five devices in 180 days, one of them away, over a log that is pruned",
            CLIENT,
            "long_offline",
        )
    },
    Row {
        names: &["no_parser_panics_hangs_or_grows_on_any_input"],
        control: Control::Tests(&["control_a_planted_panic_hang_and_growth_are_found"]),
        // A second for each parser, a minute, half an hour.
        in_test: 14,
        per_change: 14 * 60,
        nightly: 14 * 1_800,
        shards: 14,
        ..row(23, "seconds of fuzzing, dealt out over every parser", "mecum-fuzz", "targets")
    },
    Row {
        names: &["malformed_frames_end_nothing_change_nothing_and_cost_no_memory"],
        control: Control::Tests(&["control_a_frame_that_is_stored_and_a_server_that_ended_are_noticed"]),
        in_test: 1_000,
        per_change: 10_000,
        nightly: 100_000,
        shards: 4,
        ..row(24, "recorded sessions with a field changed, to the living server", SERVER, "malformed")
    },
    Row {
        names: &["an_answer_changed_at_any_field_changes_nothing_and_the_honest_one_is_taken_after_it"],
        control: Control::Tests(&["control_a_client_without_its_checks_takes_some_of_them"]),
        in_test: 1_000,
        per_change: 20_000,
        nightly: 100_000,
        shards: 2,
        ..row(24, "answers changed at each field, to a living client", CLIENT, "malformed")
    },
    Row {
        names: &["a_bomb_is_put_aside_at_once_and_touches_nothing_else"],
        control: Control::Tests(&["control_a_guard_that_is_missing_or_slow_is_noticed"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(25, "bombs from a member's device, in a process of limited memory", CLIENT, "bombs")
    },
    Row {
        names: &["a_panic_anywhere_leaves_the_app_alive_and_everything_that_was_saved"],
        control: Control::Tests(&["control_a_session_that_goes_on_as_the_panic_left_it_is_found_out"]),
        in_test: 39,
        per_change: 200,
        nightly: 2_000,
        shards: 4,
        ..row(26, "panics injected around the engine, in commits, exchanges and tasks", CLIENT, "panics")
    },
    Row {
        names: &["after_locking_no_key_and_no_word_is_in_memory_and_never_in_the_servers"],
        control: Control::Inside("while it is open, each key and word is found"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(28, "secrets in the memory of a locked device, and of the server at any time", SERVER, "memory")
    },
    Row {
        names: &["a_lying_server_is_refused_by_name_said_in_words_and_changes_nothing"],
        control: Control::Inside("each attack succeeds once the checks in its way are taken out"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(30, "attacks of a lying server", CLIENT, "byzantine")
    },
    Row {
        names: &["who_is_out_reads_nothing_that_came_after_and_who_is_in_reads_all"],
        control: Control::Tests(&["control_a_removal_that_keeps_the_key_is_seen_to_close_nothing"]),
        in_test: 60,
        per_change: 2_000,
        nightly: 10_000,
        shards: 2,
        ..row(31, "membership histories against an ex-member with every key", SYNC, "revocation")
    },
    Row {
        names: &["nothing_that_an_ex_delegate_or_a_stolen_key_writes_counts_on_any_device"],
        control: Control::Tests(&["control_a_device_that_does_not_heed_what_is_void_shows_it"]),
        in_test: 400,
        per_change: 1_000,
        nightly: 50_000,
        shards: 2,
        ..row(32, "forged and backdated changes after a removal, by any order", SYNC, "backdated")
    },
    Row {
        names: &["random_histories_of_honest_and_dishonest_members_are_judged_as_by_the_model"],
        cases: Cases::Asked,
        control: Control::Tests(&["a_model_without_one_of_its_rules_is_seen_to_differ"]),
        in_test: 600,
        per_change: 100_000,
        nightly: 100_000,
        asked_by: "MECUM_MODEL_HISTORIES",
        ..row(33, "membership histories beside an independent model", SYNC, "membership_model")
    },
    Row {
        names: &[
            "removing_a_lost_device_and_rotating_200_documents_takes_seconds_and_goes_on_after_any_stop",
        ],
        control: Control::Tests(&["control_without_the_removal_the_lost_device_has_every_key"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(35, "a lost device is removed and 200 documents go on under new keys", CLIENT, "lost_device")
    },
    Row {
        names: &["nothing_weaker_than_today_is_taken"],
        control: Control::Inside("each thing as it is, unchanged, is taken"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(36, "downgrades and weak input", SEAL, "downgrade")
    },
    Row {
        names: &[
            "parameters_below_the_floor_are_refused",
            "a_slot_below_the_floor_is_refused_by_a_shipped_program",
        ],
        exact: false,
        cases: Cases::Tests,
        control: Control::Inside("the floor itself is taken, and the same slot where a test sets none"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(37, "passphrase parameters below the floor", SEAL, "")
    },
    Row {
        names: &["lifecycle::a_key_slot_below_the_floor_does_not_open_in_a_shipped_program"],
        cases: Cases::Tests,
        control: Control::Tests(&["lifecycle::control_the_same_weak_slot_opens_where_a_test_permits_it"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(37, "a vault whose slot was weakened", VAULT, "vault")
    },
    Row {
        names: &["bypass::no_trick_gets_past_any_route"],
        control: Control::Tests(&[
            "bypass::control_a_route_without_its_policy_is_caught",
            "bypass::control_a_route_that_nobody_wrote_tricks_for_is_caught",
        ]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(38, "tricks against every route, and written acts of who may not", RELAY, "relay")
    },
    Row {
        names: &["sign_in::a_replayed_sign_in_opens_no_session"],
        control: Control::Inside(
            "the same sign-in is taken the first time, and a fresh one after the restart",
        ),
        in_test: 11_000,
        per_change: 11_000,
        nightly: 11_000,
        ..row(39, "replayed sign-ins, also later and after a restart", RELAY, "relay")
    },
    Row {
        names: &["lockouts::a_flood_of_wrong_sign_ins_keeps_no_device_of_the_account_out"],
        control: Control::Tests(&[
            "controls::control_without_the_limit_a_flood_of_wrong_sign_ins_never_has_to_wait",
        ]),
        in_test: 3_000,
        per_change: 100_000,
        nightly: 100_000,
        ..row(40, "wrong sign-ins in a victim's name; no device is kept out", RELAY, "relay")
    },
    Row {
        names: &["lockouts::an_account_that_is_there_and_one_that_is_not_are_answered_alike_and_as_fast"],
        control: Control::Tests(&["controls::control_a_difference_in_work_is_seen_in_the_medians"]),
        in_test: 6_000,
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
        control: Control::Inside("after them a well-formed request is served"),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(47, "oversized, smuggled and odd requests", RELAY, "relay")
    },
    Row {
        names: &[
            "refusals::an_account_cannot_pass_its_quota",
            "refusals::an_account_that_asks_too_often_waits_and_others_do_not",
            "lockouts::a_device_that_floods_takes_nothing_from_the_others_of_its_account",
        ],
        cases: Cases::Tests,
        control: Control::Tests(&["controls::control_with_a_larger_quota_the_same_push_is_stored"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(48, "quota, and others who do not wait", RELAY, "relay")
    },
    Row {
        names: &[
            "safe::kit::tests::any_single_wrong_word_of_a_kit_is_caught",
            "safe::kit::tests::any_two_exchanged_words_are_caught",
            "safe::kit::tests::any_single_typed_character_that_is_wrong_is_caught",
        ],
        cases: Cases::Tests,
        control: Control::Tests(&["safe::kit::tests::a_kit_reads_back_as_the_same_key"]),
        in_test: ALL,
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
        control: Control::Tests(&[
            "a_no_and_a_code_that_was_taken_back_are_heard_at_the_other_end",
            "a_code_whose_time_is_over_ends_on_both_devices",
        ]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(54, "ways in which a second device comes in, with cuts and locks", CLIENT, "pairing")
    },
    Row {
        names: &["a_new_device_begins_from_snapshots_and_has_what_the_others_have"],
        cases: Cases::Tests,
        control: Control::Tests(&["what_a_dishonest_member_folds_is_refused_and_the_envelopes_are_fetched"]),
        in_test: ALL,
        per_change: ALL,
        nightly: ALL,
        ..row(54, "a second device has everything", CLIENT, "snapshots")
    },
    Row {
        names: &["no_fewer_than_two_helpers_and_no_shorter_wait_bring_an_account_back"],
        control: Control::Tests(&["control_with_the_wait_taken_away_the_account_comes_back_at_once"]),
        in_test: 6,
        per_change: 24,
        nightly: 24,
        ..row(54, "subsets of the helpers, with every end of the wait", CLIENT, "helpers")
    },
    Row {
        names: &["of_a_hundred_damaged_vaults_the_check_finds_a_hundred"],
        control: Control::Tests(&["control_the_same_damage_to_unsealed_tables_is_read_without_an_error"]),
        in_test: 100,
        per_change: 100,
        nightly: 10_000,
        shards: 2,
        ..row(55, "vault check with --read-data finds every damaged vault", VAULT, "structural")
    },
    Row {
        names: &["repairs::mending_a_damaged_vault_never_removes_good_data"],
        control: Control::Tests(&["repairs::control_a_mending_that_drops_an_entry_is_noticed"]),
        in_test: 6,
        per_change: 100,
        nightly: 2_000,
        shards: 4,
        ..row(55, "damaged vaults mended by the app; nothing good is removed", CLIENT, "integrity")
    },
];
