//! What the commands print: for a person at a terminal, with no id and nothing of any record.

use mecum_relay::folder::{BackupMade, Manifest, Restored};
use mecum_relay::store::sqlite::check::{Checked, Held};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What a backup that was just made holds.
pub(crate) fn made(made: &BackupMade) -> String {
    let Manifest { accounts, spaces, envelopes, database_bytes, .. } = &made.manifest;
    format!(
        "backed up to {}\n{accounts} accounts, {spaces} spaces, {envelopes} envelopes, {}\n\
         the server's key is in it: keep it as safe as the server",
        made.dir.display(),
        size(*database_bytes)
    )
}

/// What a check found.
pub(crate) fn checked(checked: &Checked) -> String {
    let Held { accounts, devices, spaces, pushes, envelopes, envelope_bytes, .. } = checked.held;
    let mut lines = vec![format!(
        "read {accounts} accounts, {devices} devices, {spaces} spaces, {pushes} pushes, {envelopes} envelopes ({})",
        size(envelope_bytes)
    )];
    lines.extend(checked.findings.iter().map(|finding| format!("wrong: {finding}")));
    if checked.unnamed > 0 {
        lines.push(format!("wrong: and {} more", checked.unnamed));
    }
    lines.push(if checked.is_sound() {
        "nothing is wrong".to_owned()
    } else {
        "something is wrong".to_owned()
    });
    lines.join("\n")
}

/// What a backup says of itself, before it is restored.
pub(crate) fn offered(manifest: &Manifest, now_ms: i64) -> String {
    let Manifest { accounts, spaces, envelopes, pin, made_at_ms, last_stored_at_ms, .. } = manifest;
    let last = last_stored_at_ms
        .map_or_else(|| "nothing was ever pushed".to_owned(), |ms| format!("last push {}", ago(ms, now_ms)));
    format!(
        "backup made {}, {last}\n{accounts} accounts, {spaces} spaces, {envelopes} envelopes\npin {pin}",
        ago(*made_at_ms, now_ms)
    )
}

/// What was restored.
pub(crate) fn restored(restored: &Restored) -> String {
    let mut lines = vec![checked(&restored.checked)];
    if let Some(aside) = &restored.put_aside {
        lines.push(format!("what was there before lies in {}", aside.display()));
    }
    if restored.dropped_codes > 0 {
        let dropped = restored.dropped_codes;
        lines.push(format!(
            "{dropped} unused enrolment codes were dropped: make new ones where they are needed"
        ));
    }
    lines.push("restored: the server can be started".to_owned());
    lines.join("\n")
}

/// How long ago, in the two largest units.
fn ago(then_ms: i64, now_ms: i64) -> String {
    let passed_ms = now_ms.saturating_sub(then_ms);
    if passed_ms < 0 {
        return "at a time that has not come yet by this machine's clock".to_owned();
    }
    let (days, hours, minutes) =
        (passed_ms / DAY_MS, passed_ms % DAY_MS / HOUR_MS, passed_ms % HOUR_MS / MINUTE_MS);
    match (days, hours) {
        (0, 0) => format!("{minutes} min ago"),
        (0, _) => format!("{hours} h {minutes} min ago"),
        _ => format!("{days} d {hours} h ago"),
    }
}

/// A size in the unit that fits.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut thousandths = bytes;
    let mut unit = "KB";
    for name in UNITS {
        unit = name;
        if thousandths < 1_000_000 {
            break;
        }
        thousandths /= 1_000;
    }
    format!("{}.{} {unit}", thousandths / 1_000, thousandths % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_read_as_a_person_says_them() {
        let sizes = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (5_640_000, "5.6 MB"),
            (12_340_000_000, "12.3 GB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text, "{bytes} bytes");
        }
        let ages = [
            (0, "0 min ago"),
            (59 * MINUTE_MS, "59 min ago"),
            (HOUR_MS, "1 h 0 min ago"),
            (50 * HOUR_MS, "2 d 2 h ago"),
        ];
        for (passed, text) in ages {
            assert_eq!(ago(7, 7 + passed), text, "{passed} ms");
        }
        assert!(ago(8, 7).contains("not come yet"), "a clock that went back is not an age");
    }
}
