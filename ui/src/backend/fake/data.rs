//! Fixtures of what is kept: a check that found something, backups, erasures, recovery helpers, and a restore that waits.

use mecum_api::*;

use super::{Fake, NOW_MS, chart};

const DAY_MS: i64 = 86_400_000;

fn words() -> Vec<String> {
    "lantern maple orbit quiet river stone".split(' ').map(str::to_owned).collect()
}

/// Puts them.
pub fn put(fake: &Fake) {
    let finding = |kind, count, mend| Finding { kind, count, mend };
    fake.put(
        "check_status",
        CheckView {
            phase: TaskPhase::Done,
            percent: 100,
            looked: 12_480,
            findings: vec![
                finding(FindingKind::Record, 2, MendBy::Part),
                finding(FindingKind::Lists, 14, MendBy::Here),
            ],
            ended_ms: NOW_MS,
            message_id: None,
        },
    );
    let backup = |days: i64, aside| BackupView {
        backup: format!("mecum-2026090{}-081200.backup", 8 - days),
        made_ms: NOW_MS - days * DAY_MS,
        bytes: 4_180_000,
        aside,
    };
    fake.put(
        "backup_list",
        BackupsView {
            folder: "/home/laras/Documents/Mecum backups".into(),
            backups: vec![backup(2, false), backup(5, true)],
            last_ms: NOW_MS - 2 * DAY_MS,
            ..BackupsView::default()
        },
    );
    let reader = |name: &str, state| PastReaderView { account: name.into(), name: name.into(), state };
    let readers = vec![reader("Budi", MemberState::Member), reader("Sari", MemberState::Removed)];
    fake.put(
        "erasure_look",
        ErasureLook {
            may: true,
            from_file: true,
            waits: true,
            own_devices: 1,
            readers,
            ..ErasureLook::default()
        },
    );
    fake.put(
        "erasure_list",
        vec![ErasureView {
            erasure: "1".into(),
            chart: chart(1),
            section: "notes".into(),
            reason: "about somebody else".into(),
            phase: ErasurePhase::Done,
            at_ms: NOW_MS - DAY_MS,
            ..ErasureView::default()
        }],
    );
    helpers(fake);
    fake.put(
        "restore_get",
        RestoreView {
            phase: RestorePhase::Waiting,
            words: words(),
            asked_ms: NOW_MS - 2 * DAY_MS,
            released_ms: NOW_MS + 5 * DAY_MS,
            parts: vec![RestorePartView { number: 2, from: "Budi".into(), wrong: false }],
            needed: 2,
            ..RestoreView::default()
        },
    );
}

fn helpers(fake: &Fake) {
    let helper =
        |number, name: &str, state| HelperView { number, name: name.into(), state, ..HelperView::default() };
    fake.put(
        "helpers_get",
        HelpersView {
            set: true,
            made_here: true,
            stored: true,
            wait_days: 7,
            helpers: vec![
                helper(1, "Ibu Ratna", HelperState::Kept),
                HelperView { answered_as: Some("Budi S.".into()), ..helper(2, "Budi", HelperState::Asking) },
                helper(3, "Sari", HelperState::Chosen),
            ],
            people: vec![HelperPersonView { account: "a1".into(), name: "Ibu Ratna".into() }],
            account: "0f1e2d3c4b5a69788796a5b4c3d2e1f0".into(),
            server: Some("https://mecum.example".into()),
            ..HelpersView::default()
        },
    );
    let part = |from: &str, state| PartView {
        account: format!("00112233445566778899aabbccddeeff{}", from.len()),
        from: from.into(),
        number: 1,
        state,
        at_ms: NOW_MS,
        server: "https://mecum.example".into(),
    };
    fake.put("part_list", vec![part("Ibu Ratna", PartState::Kept), part("Sari", PartState::Old)]);
    fake.put(
        "part_asked",
        PartAskedView {
            from: "Ibu Ratna".into(),
            device_name: "New phone".into(),
            words: words(),
            ..PartAskedView::default()
        },
    );
}

/// Somebody asks to restore the account.
pub fn asked() -> HelpersNoticeView {
    HelpersNoticeView {
        asked_ms: NOW_MS - 2 * DAY_MS,
        released_ms: NOW_MS + 5 * DAY_MS,
        words: words(),
        others: 0,
        stopping: false,
    }
}
