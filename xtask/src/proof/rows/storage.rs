//! Rows 1 to 11: what is stored outlasts kills, cuts of power and damage.

use super::{ALL, CLIENT, Cases, Control, RELAY, Row, SERVER, VAULT, row};

pub(super) const ROWS: &[Row] = &[
    Row {
        names: &["nothing_acknowledged_is_lost_by_a_kill_at_any_call"],
        control: Control::Tests(&["control_an_operation_that_acknowledges_early_loses"]),
        per_change: ALL,
        nightly: ALL,
        ..row(1, "SIGKILL at each call of each vault operation", VAULT, "syscall_kills")
    },
    Row {
        names: &["no_kill_at_any_call_of_the_clients_operations_loses_or_halves_anything"],
        control: Control::Tests(&["control_an_operation_that_says_done_too_early_is_found_out"]),
        per_change: ALL,
        nightly: ALL,
        ..row(1, "SIGKILL at calls of the client's operations", CLIENT, "client_kills")
    },
    Row {
        names: &["nothing_acknowledged_is_lost_when_the_writer_is_killed"],
        control: Control::Tests(&["control_a_writer_that_acknowledges_before_it_commits_loses"]),
        per_change: 1_000,
        nightly: 20_000,
        shards: 4,
        ..row(2, "SIGKILL at random moments while writing", VAULT, "random_kills")
    },
    Row {
        names: &["what_was_saved_survives_any_power_cut"],
        control: Control::Tests(&["control_without_syncs_or_full_durability_power_cuts_lose"]),
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
        per_change: 400,
        nightly: 40_000,
        shards: 4,
        ..row(4, "each sync fails and loses its pages, then the power goes", VAULT, "io_faults")
    },
    Row {
        names: &["a_full_disk_loses_nothing_and_the_vault_opens_and_goes_on"],
        control: Control::Tests(&["control_without_kept_room_or_care_a_full_disk_shuts_and_loses"]),
        per_change: 200,
        nightly: 2_000,
        shards: 2,
        ..row(5, "really full disks of 1, 4 and 16 MiB", VAULT, "full_disk")
    },
    Row {
        names: &["two_processes_with_one_vault_lose_nothing_of_each_other"],
        control: Control::Tests(&["control_without_the_lock_two_processes_spoil_each_others_work"]),
        per_change: 10_000,
        nightly: 100_000,
        shards: 2,
        ..row(6, "commits of two processes that take turns at one vault", VAULT, "two_processes")
    },
    Row {
        names: &["no_acknowledged_push_is_lost_by_a_kill"],
        control: Control::Tests(&["control_a_server_put_back_to_an_older_state_is_seen_to_lose"]),
        per_change: 2_000,
        nightly: 20_000,
        shards: 10,
        ..row(7, "SIGKILL of the server while it takes pushes (SQLite)", SERVER, "kills")
    },
    Row {
        names: &["everything_that_version_1_stored_or_sent_is_read_by_this_version"],
        control: Control::Tests(&["control_a_changed_byte_in_a_recorded_answer_or_frame_is_noticed"]),
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
        per_change: ALL,
        nightly: ALL,
        ..row(8, "power cuts at each write of each migration of the server's store", RELAY, "migrations")
    },
    Row {
        names: &["backups_made_while_writing_are_whole_vaults_of_one_moment"],
        control: Control::Tests(&["control_a_plain_copy_of_the_file_lacks_what_was_saved"]),
        per_change: 100,
        nightly: 2_000,
        shards: 2,
        ..row(9, "backups while another thread writes", VAULT, "backups")
    },
    Row {
        names: &["backups_made_in_steps_beside_a_writer_are_whole_vaults_of_one_moment"],
        control: Control::Tests(&["control_a_plain_copy_of_the_file_lacks_what_was_saved"]),
        per_change: 100,
        nightly: 2_000,
        shards: 2,
        ..row(9, "backups in steps beside a writer", VAULT, "backups")
    },
    Row {
        names: &["a_backup_cut_off_at_any_kibibyte_is_refused"],
        control: Control::Inside("the same file, whole, is taken"),
        per_change: ALL,
        nightly: ALL,
        ..row(9, "backups cut off at each KiB are refused", VAULT, "backups")
    },
    Row {
        names: &["a_flipped_bit_is_an_error_or_changes_nothing"],
        control: Control::Tests(&["control_the_same_content_unsealed_is_read_differently_without_an_error"]),
        per_change: 10_000,
        // More than the file has bits: each of them once.
        nightly: 1_000_000,
        shards: 4,
        ..row(10, "single flipped bits of a vault", VAULT, "bit_flips")
    },
    Row {
        names: &["every_structurally_damaged_vault_is_found_and_what_is_wrong_is_named"],
        control: Control::Tests(&[
            "control_the_same_damage_to_unsealed_tables_is_read_without_an_error",
            "control_a_check_that_says_less_or_something_else_is_noticed",
        ]),
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
        per_change: ALL,
        nightly: ALL,
        ..row(11, "written cases of structural damage, each with its name", VAULT, "vault")
    },
];
