//! Rows 21 to 40: whoever lies, forges, guesses or sends what is malformed.

use super::{ALL, CLIENT, Cases, Control, RELAY, Row, SEAL, SERVER, SYNC, VAULT, WINDOW, row};

pub(super) const ROWS: &[Row] = &[
    Row {
        names: &["no_parser_panics_hangs_or_grows_on_any_input"],
        control: Control::Tests(&["control_a_planted_panic_hang_and_growth_are_found"]),
        // A second for each parser, a minute, half an hour.
        per_change: 23 * 60,
        nightly: 23 * 1_800,
        shards: 23,
        ..row(23, "seconds of fuzzing, dealt out over every parser", "mecum-fuzz", "targets")
    },
    Row {
        names: &["malformed_frames_end_nothing_change_nothing_and_cost_no_memory"],
        control: Control::Tests(&[
            "control_a_frame_that_is_stored_and_a_server_that_ended_are_noticed",
            "control_a_frame_that_the_limits_keep_waiting_is_sent_again_until_it_is_judged",
        ]),
        per_change: 100_000,
        nightly: 100_000,
        shards: 4,
        ..row(24, "recorded sessions with a field changed, to the living server", SERVER, "malformed")
    },
    Row {
        names: &["an_answer_changed_at_any_field_changes_nothing_and_the_honest_one_is_taken_after_it"],
        control: Control::Tests(&["control_a_client_without_its_checks_takes_some_of_them"]),
        per_change: 100_000,
        nightly: 100_000,
        shards: 2,
        ..row(24, "answers changed at each field, to a living client", CLIENT, "malformed")
    },
    Row {
        names: &[
            "routes::an_answer_of_any_other_route_changed_at_any_field_is_refused_in_words_and_changes_nothing",
        ],
        control: Control::Tests(&[
            "routes::control_a_client_that_does_not_ask_whose_answer_it_is_takes_some_of_them",
        ]),
        per_change: 1_000,
        nightly: 10_000,
        shards: 10,
        ..row(
            24,
            "answers of the other routes changed at each field, to a living client",
            CLIENT,
            "malformed",
        )
    },
    Row {
        names: &["mailboxes::a_message_that_is_waited_for_is_taken_after_any_number_of_changed_ones"],
        control: Control::Tests(&[
            "mailboxes::control_whoever_takes_what_lies_in_a_mailbox_for_said_does_not_go_on_waiting",
        ]),
        per_change: 1_000,
        nightly: 10_000,
        shards: 10,
        ..row(
            24,
            "messages in mailboxes changed on their way, to whoever waits for them",
            CLIENT,
            "malformed",
        )
    },
    Row {
        names: &["wakes::whatever_is_said_on_a_wake_socket_ends_nothing_and_costs_no_memory"],
        control: Control::Tests(&["wakes::control_a_client_that_takes_messages_of_any_size_is_seen_to_grow"]),
        per_change: 1_000,
        nightly: 10_000,
        shards: 10,
        ..row(24, "wake sockets malformed, to a living client and an app", CLIENT, "malformed")
    },
    Row {
        names: &["a_bomb_is_put_aside_at_once_and_touches_nothing_else"],
        control: Control::Tests(&["control_a_guard_that_is_missing_or_slow_is_noticed"]),
        per_change: ALL,
        nightly: ALL,
        ..row(25, "bombs from a member's device, in a process of limited memory", CLIENT, "bombs")
    },
    Row {
        names: &["a_panic_anywhere_leaves_the_app_alive_and_everything_that_was_saved"],
        control: Control::Tests(&["control_a_session_that_goes_on_as_the_panic_left_it_is_found_out"]),
        per_change: 200,
        nightly: 2_000,
        shards: 4,
        ..row(26, "panics injected around the engine, in commits, exchanges and tasks", CLIENT, "panics")
    },
    Row {
        names: &["after_locking_no_key_and_no_word_is_in_memory_and_never_in_the_servers"],
        control: Control::Inside("while it is open, each key and word is found"),
        per_change: ALL,
        nightly: ALL,
        ..row(28, "secrets in the memory of a locked device, and of the server at any time", SERVER, "memory")
    },
    Row {
        names: &[
            "nothing_is_left_in_the_windows_processes_when_it_is_locked_by_the_button",
            "nothing_is_left_in_the_windows_processes_when_it_is_locked_by_itself_after_a_minute",
        ],
        control: Control::Inside("while it is open, each key and word is found; before it was opened, none"),
        per_change: 2,
        nightly: 2,
        ..row(28, "secrets in the window's processes after a lock, by each way of locking", WINDOW, "memory")
    },
    Row {
        names: &["nothing_of_a_locked_device_is_written_to_the_systems_swap_file"],
        control: Control::Inside("of a device that is open, keys and words are in the swap file"),
        per_change: ALL,
        nightly: ALL,
        ..row(28, "secrets in what the system swaps out of a locked device", SERVER, "swap")
    },
    Row {
        names: &["a_lying_server_is_refused_by_name_said_in_words_and_changes_nothing"],
        control: Control::Inside("each attack succeeds once the checks in its way are taken out"),
        per_change: ALL,
        nightly: ALL,
        ..row(30, "attacks of a lying server", CLIENT, "byzantine")
    },
    Row {
        names: &["memory::an_answer_without_an_end_or_packed_is_left_and_costs_no_memory"],
        control: Control::Tests(&["memory::control_a_client_that_reads_to_the_end_or_unpacks_is_found_out"]),
        per_change: ALL,
        nightly: ALL,
        ..row(30, "answers without an end, of absurd lengths, or packed: their memory", CLIENT, "byzantine")
    },
    Row {
        names: &["oracles::what_does_not_open_is_answered_like_what_does_whyever_it_does_not"],
        control: Control::Tests(&[
            "oracles::control_a_client_that_asks_again_for_what_does_not_open_is_heard",
        ]),
        per_change: ALL,
        nightly: ALL,
        ..row(30, "envelopes that do not open: what a server hears after each", CLIENT, "byzantine")
    },
    Row {
        names: &["who_is_out_reads_nothing_that_came_after_and_who_is_in_reads_all"],
        control: Control::Tests(&["control_a_removal_that_keeps_the_key_is_seen_to_close_nothing"]),
        per_change: 2_000,
        nightly: 10_000,
        shards: 2,
        ..row(31, "membership histories against an ex-member with every key", SYNC, "revocation")
    },
    Row {
        names: &["nothing_that_an_ex_delegate_or_a_stolen_key_writes_counts_on_any_device"],
        control: Control::Tests(&["control_a_device_that_does_not_heed_what_is_void_shows_it"]),
        per_change: 1_000,
        nightly: 50_000,
        shards: 2,
        ..row(32, "forged and backdated changes after a removal, by any order", SYNC, "backdated")
    },
    Row {
        names: &["random_histories_of_honest_and_dishonest_members_are_judged_as_by_the_model"],
        cases: Cases::Asked,
        control: Control::Tests(&["a_model_without_one_of_its_rules_is_seen_to_differ"]),
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
        per_change: ALL,
        nightly: ALL,
        ..row(35, "a lost device is removed and 200 documents go on under new keys", CLIENT, "lost_device")
    },
    Row {
        names: &["nothing_weaker_than_today_is_taken"],
        control: Control::Inside("each thing as it is, unchanged, is taken"),
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
        per_change: ALL,
        nightly: ALL,
        ..row(37, "passphrase parameters below the floor", SEAL, "")
    },
    Row {
        names: &["lifecycle::a_key_slot_below_the_floor_does_not_open_in_a_shipped_program"],
        cases: Cases::Tests,
        control: Control::Tests(&["lifecycle::control_the_same_weak_slot_opens_where_a_test_permits_it"]),
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
        per_change: ALL,
        nightly: ALL,
        ..row(38, "tricks against every route, and written acts of who may not", RELAY, "relay")
    },
    Row {
        names: &["sign_in::a_replayed_sign_in_opens_no_session"],
        control: Control::Inside(
            "the same sign-in is taken the first time, and a fresh one after the restart",
        ),
        per_change: 11_000,
        nightly: 11_000,
        ..row(39, "replayed sign-ins, also later and after a restart", RELAY, "relay")
    },
    Row {
        names: &["lockouts::a_flood_of_wrong_sign_ins_keeps_no_device_of_the_account_out"],
        control: Control::Tests(&[
            "controls::control_without_the_limit_a_flood_of_wrong_sign_ins_never_has_to_wait",
        ]),
        per_change: 100_000,
        nightly: 100_000,
        ..row(40, "wrong sign-ins in a victim's name; no device is kept out", RELAY, "relay")
    },
];
