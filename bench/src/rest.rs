//! Row `rest`: what the history of a chart takes on a device's disk, while it is written and when it is at rest.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use automerge::Automerge;
use mecum_client::testing::{first_device, surroundings};
use mecum_domain::{Edit, Kind, Relation};
use mecum_testkit::{MixedEntry, generate_mixed};
use mecum_vault::Table;
use rusqlite::Connection;

use crate::Failed;
use crate::chart::{SEED, location, unlock};
use crate::cost::written;
use crate::report::{Numbers, Row};

const ENTRIES: usize = 10_000;
/// Of these, the last ones are written one by one.
const SINGLE: usize = 100;
/// Entries between two idle moments, as the app has one every few seconds.
const BETWEEN_IDLE: usize = 2_000;

const MOST_STEADY: f64 = 1.3;
const STEADY_BESIDE: f64 = 64.0 * 1_024.0;
const MOST_PEAK: f64 = 2.2;
const MOST_AMPLIFIED: f64 = 3.0;

/// Built once: the same bytes each time but for salts.
pub(crate) fn measure(work: &Path) -> Result<Row, Failed> {
    let profile = work.join("rest");
    let mut session = first_device(&location(&profile), surroundings(SEED));
    let chart = session.create_chart("Laras", Some("1988-02-11"), Relation::Own, None)?;
    let mut history = additions_first(generate_mixed(SEED, ENTRIES));
    let single = history.split_off(ENTRIES - SINGLE);
    let watch = Watch::begin(&profile);
    let before = written()?;
    // A flush finds the entries that it changes: additions and changes are never in one.
    let changes =
        history.iter().position(|(_, edit)| matches!(edit, Edit::Set { .. })).unwrap_or(history.len());
    let (additions, changes) = history.split_at(changes);
    for part in additions.chunks(BETWEEN_IDLE).chain(changes.chunks(BETWEEN_IDLE)) {
        session.write_for_tests(chart, part.to_vec(), true)?;
        session.idle()?;
    }
    session.write_for_tests(chart, single, false)?;
    session.idle()?;
    session.lock()?;
    let wrote = number(written()? - before)?;
    let peak = number(watch.end())?;
    let steady = number(on_disk(&profile))?;
    let mut save = 0;
    for document in unlock(&profile)?.plain_for_tests()? {
        let mut whole = Automerge::load(&document.snapshot)?;
        let changes = document.tail.into_iter().map(automerge::Change::from_bytes);
        whole.apply_changes(changes.collect::<Result<Vec<_>, _>>()?)?;
        save += whole.save().len();
    }
    let save = number(save as u64)?;
    let inside = Inside::of(&profile)?;
    let envelopes = inside.envelopes;
    let part = |what: String, target, ours: f64, baseline: f64, good: bool| Row {
        ok: good,
        ..Row::of("rest", what, target, "B", &Numbers(vec![ours]), |_| false).against(
            &Numbers(vec![baseline]),
            &Numbers(vec![ours]),
            |_, _| good,
        )
    };
    let steady_row = part(
        format!(
            "all files of the locked vault, against the sum of save() of its documents. In it: {}",
            inside.said()
        ),
        "≤ 1.3× + 64 KB",
        steady,
        save,
        steady <= MOST_STEADY * save + STEADY_BESIDE,
    );
    let peak_row = part(
        "the same with the write-ahead log, at its largest while it was written; looked at every 2 ms"
            .to_owned(),
        "≤ 2.2×",
        peak,
        save,
        peak <= MOST_PEAK * save,
    );
    let amplified = part(
        "bytes handed to write calls while it was written and locked, against the sealed envelopes"
            .to_owned(),
        "≤ 3",
        wrote,
        number(envelopes)?,
        wrote <= MOST_AMPLIFIED * number(envelopes)?,
    );
    let what = format!(
        "{ENTRIES} mixed entries by one device: flushes of up to 800, with an idle moment every {BETWEEN_IDLE}, and then {SINGLE} single edits"
    );
    Ok(Row::joined(
        "rest",
        what,
        "≤ 1.3× save() + 64 KB; peak ≤ 2.2×; written ≤ 3×",
        vec![steady_row, peak_row, amplified],
    ))
}

/// The entries as one device writes them: what changes an entry after all that add one.
pub(crate) fn additions_first(entries: Vec<MixedEntry>) -> Vec<(Kind, Edit)> {
    let all = entries.into_iter().map(|entry| (entry.kind, entry.edit));
    let (mut history, changes): (Vec<_>, Vec<_>) =
        all.partition(|(_, edit)| !matches!(edit, Edit::Set { .. }));
    history.extend(changes);
    history
}

/// Sealed bytes of a vault, by what they are for.
struct Inside {
    envelopes: u64,
    snapshots: u64,
    lists: u64,
    others: u64,
}

impl Inside {
    fn of(profile: &Path) -> Result<Self, Failed> {
        let file = Connection::open(profile.join("vault.sqlite"))?;
        let sum = |what: &str| {
            let sql = format!("SELECT COALESCE(SUM(LENGTH(body)), 0) FROM {what}");
            file.query_row(&sql, [], |row| row.get::<_, i64>(0))
        };
        let rows = |tables: &str| sum(&format!("row WHERE kind {tables}"));
        let (snapshot, view) = (Table::Snapshot.code(), Table::View.code());
        Ok(Self {
            envelopes: u64::try_from(sum("envelope")?)?,
            snapshots: u64::try_from(rows(&format!("= {snapshot}"))?)?,
            lists: u64::try_from(rows(&format!("= {view}"))?)?,
            others: u64::try_from(rows(&format!("NOT IN ({snapshot}, {view})"))?)?,
        })
    }

    fn said(&self) -> String {
        let Self { envelopes, snapshots, lists, others } = self;
        format!(
            "the history, {envelopes} B of envelopes, which stay besides the snapshots (nothing prunes a device's log yet), and {snapshots} B of snapshots; {lists} B of lists, which save() has not; {others} B of other rows, mostly places of what was not sent"
        )
    }
}

fn on_disk(profile: &Path) -> u64 {
    let files = std::fs::read_dir(profile).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

fn number(bytes: u64) -> Result<f64, Failed> {
    Ok(f64::from(u32::try_from(bytes)?))
}

/// A thread that looks at a folder again and again.
struct Watch {
    peak: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Watch {
    fn begin(folder: &Path) -> Self {
        let (peak, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (folder, seen, ends): (PathBuf, _, _) = (folder.into(), Arc::clone(&peak), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                seen.fetch_max(on_disk(&folder), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Self { peak, over, thread }
    }

    fn end(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        self.peak.load(Ordering::Relaxed)
    }
}
