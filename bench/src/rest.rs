//! Row `rest`: what the history of a chart takes on a device's disk, while it is written and when it is at rest.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, Automerge, ObjId, ObjType};
use mecum_client::testing::{NOW_MS, first_device, surroundings};
use mecum_client::{FixedClock, ItemKey, Session, Surroundings};
use mecum_domain::{Edit, EntryId, Field, Kind, Relation};
use mecum_testkit::{Dice, FakeRelay, MixedEntry, generate_mixed};
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

/// Entries of the chart that is edited again and again, over so many years: a document each.
const EDITED: usize = 1_000;
const YEARS: usize = 8;
/// Flushes, each of so many edits: two values of half of it entries of one year.
const FLUSHES: usize = 2_600;
const OF_A_FLUSH: usize = 100;
/// Flushes between two exchanges with the server.
const BETWEEN_EXCHANGES: usize = 10;
/// Between two flushes, ms: eight years of them.
const PAUSE_MS: i64 = 27 * 60 * 60 * 1_000;
/// At the end nobody writes for so long, ms: what is quiet folds.
const QUIET_MS: i64 = 60 * 60 * 1_000;
/// Idle moments after the last edit. The app has one every five seconds.
const LAST_IDLES: i64 = 60;

/// Built once: the same bytes each time but for salts.
pub(crate) fn measure(work: &Path) -> Result<Row, Failed> {
    let edited = edited(&work.join("rest-edited"))?;
    let mixed = mixed(&work.join("rest-mixed"))?;
    let what = format!(
        "{} edits of {EDITED} entries in {YEARS} documents by one device, flushes of {OF_A_FLUSH} with an idle moment after each, a server that takes them every {BETWEEN_EXCHANGES}; below it the larger chart of {ENTRIES} entries that were written once and nobody has sent",
        FLUSHES * OF_A_FLUSH,
    );
    let mut parts = edited.rows("history", true)?;
    parts.extend(mixed.rows("chart", false)?);
    Ok(Row::joined("rest", what, "≤ 1.3× save() + 64 KB; peak ≤ 2.2×; written ≤ 3×", parts))
}

/// What the app asked to be stored, in bytes.
struct Said {
    /// The envelopes as they were sealed, folded away since or not.
    sealed: u64,
    /// Where they were counted.
    raw: Option<Raw>,
}

/// What was to be stored, neither deflated nor sealed, in bytes.
struct Raw {
    /// Every edit as a change of its own: what D1 of the notes sets its figures against.
    edits: u64,
    /// The changes of the flushes with their typed edits: the baseline of row `hundred`.
    flushes: u64,
}

/// What was seen of one vault, in bytes.
struct Seen {
    steady: f64,
    peak: f64,
    wrote: f64,
    said: Said,
    save: f64,
    inside: Inside,
}

impl Seen {
    /// Looks at a vault while `work` writes it, and when it is locked. `work` answers what was to be stored.
    fn of(
        profile: &Path,
        session: Session,
        work: impl FnOnce(&mut Session) -> Result<Said, Failed>,
    ) -> Result<Self, Failed> {
        let mut session = session;
        let watch = Watch::begin(profile);
        let before = written()?;
        let said = work(&mut session)?;
        session.lock()?;
        let wrote = number(written()? - before)?;
        let peak = number(watch.end())?;
        let steady = number(on_disk(profile))?;
        let mut save = 0;
        for document in unlock(profile)?.plain_for_tests()? {
            let mut whole = Automerge::load(&document.snapshot)?;
            let changes = document.tail.into_iter().map(automerge::Change::from_bytes);
            whole.apply_changes(changes.collect::<Result<Vec<_>, _>>()?)?;
            save += whole.save().len();
        }
        Ok(Self { steady, peak, wrote, said, save: number(save as u64)?, inside: Inside::of(profile)? })
    }

    /// Its three rows. Only the chart that D1 of the notes is about is judged; the other is shown beside it.
    fn rows(&self, name: &str, judged: bool) -> Result<Vec<Row>, Failed> {
        let part = |what: String, target, ours: f64, baseline: f64, good: bool| {
            let good = good || !judged;
            let target = if judged { target } else { "shown, not judged" };
            Row {
                ok: good,
                ..Row::of("rest", what, target, "B", &Numbers(vec![ours]), |_| false).against(
                    &Numbers(vec![baseline]),
                    &Numbers(vec![ours]),
                    |_, _| good,
                )
            }
        };
        let Self { steady, peak, wrote, said, save, inside } = self;
        let sealed = number(said.sealed)?;
        let asked = number(said.raw.as_ref().map_or(said.sealed, |raw| raw.edits))?;
        let against = match &said.raw {
            Some(raw) => format!(
                "the raw changes of the edits, one each; it is {:.1}× of the {} B of changes and typed edits in the flushes, and {:.1}× of the {} B of sealed envelopes",
                wrote / number(raw.flushes)?,
                raw.flushes,
                wrote / sealed,
                said.sealed,
            ),
            None => "the sealed envelopes".to_owned(),
        };
        Ok(vec![
            part(
                format!(
                    "{name}: all files of the locked vault, against the sum of save() of its documents. In it: {}",
                    inside.said()
                ),
                "≤ 1.3× + 64 KB",
                *steady,
                *save,
                *steady <= MOST_STEADY * save + STEADY_BESIDE,
            ),
            part(
                format!(
                    "{name}: the same with the write-ahead log, at its largest while it was written; looked at every 2 ms"
                ),
                "≤ 2.2×",
                *peak,
                *save,
                *peak <= MOST_PEAK * save,
            ),
            part(
                format!(
                    "{name}: bytes handed to write calls while it was written and locked, against {against}"
                ),
                "≤ 3",
                *wrote,
                asked,
                *wrote <= MOST_AMPLIFIED * asked,
            ),
        ])
    }
}

/// Many edits of few entries, over years, with a server that takes them: what D1 of the notes is about.
fn edited(profile: &Path) -> Result<Seen, Failed> {
    let clock = Arc::new(FixedClock::new(NOW_MS));
    let around = Surroundings { clock: Arc::<FixedClock>::clone(&clock), ..surroundings(SEED) };
    let mut relay = FakeRelay::new([7; 32]);
    let mut session = first_device(&location(profile), around);
    session.pin_for_tests(relay.key());
    let chart = session.create_chart("Laras", Some("1988-02-11"), Relation::Own, None)?;
    Seen::of(profile, session, |session| {
        let dice = Dice::new(SEED);
        let entries: Vec<EntryId> = (0..EDITED)
            .map(|at| {
                let mut bytes = [0; 16];
                let (high, low) = bytes.split_at_mut(8);
                high.copy_from_slice(&dice.bits().to_be_bytes());
                low.copy_from_slice(&(at as u64).to_be_bytes());
                EntryId::from_bytes(bytes)
            })
            .collect();
        let per_year = EDITED / YEARS;
        let mut raw = Raw { edits: 0, flushes: 0 };
        let mut plain = Plain::new(YEARS);
        for (year, of_year) in entries.chunks(per_year).enumerate() {
            let added = of_year.iter().map(|entry| (Kind::VitalSign, measured(&dice, *entry, 2018 + year)));
            session.write_for_tests(chart, added.collect(), true)?;
            session.idle()?;
            exchange(session, &mut relay)?;
        }
        for flush in 0..FLUSHES {
            // Years one after the other, as a chart grows; now and then an older one.
            let now = flush * YEARS / FLUSHES;
            let year = if dice.once_in(10) { usize::try_from(dice.below(now as u64 + 1))? } else { now };
            let of_year = entries.get(year * per_year..(year + 1) * per_year).unwrap_or_default();
            let from = usize::try_from(dice.below((per_year - OF_A_FLUSH / 2) as u64))?;
            let mut edits = Vec::with_capacity(OF_A_FLUSH);
            for entry in of_year.iter().skip(from).take(OF_A_FLUSH / 2) {
                for (field, low, high) in [(Field::Value, 105, 165), (Field::Value2, 60, 98)] {
                    let value = dice.between(low, high).to_string();
                    raw.edits += plain.put(year, *entry, field, &value)?;
                    edits.push((Kind::VitalSign, Edit::Set { entry: *entry, field, value: Some(value) }));
                }
            }
            session.write_for_tests(chart, edits, true)?;
            if let Some(one) = of_year.get(from) {
                raw.flushes += session.last_body_for_tests(chart, ItemKey::Entry(*one.as_bytes()))? as u64;
            }
            clock.advance(PAUSE_MS);
            session.idle()?;
            if flush % BETWEEN_EXCHANGES == 0 {
                exchange(session, &mut relay)?;
                session.idle()?;
            }
        }
        exchange(session, &mut relay)?;
        for _ in 0..LAST_IDLES {
            session.idle()?;
            clock.advance(QUIET_MS / LAST_IDLES);
        }
        let all = session.all_envelopes_for_tests()?;
        Ok(Said { sealed: all.values().map(|bytes| bytes.len() as u64).sum(), raw: Some(raw) })
    })
}

/// The same values in plain documents, a change for each.
struct Plain {
    years: Vec<AutoCommit>,
    entries: BTreeMap<EntryId, ObjId>,
}

impl Plain {
    fn new(years: usize) -> Self {
        Self {
            years: std::iter::repeat_with(AutoCommit::new).take(years).collect(),
            entries: BTreeMap::new(),
        }
    }

    /// The bytes of the change that writes a value.
    fn put(&mut self, year: usize, entry: EntryId, field: Field, value: &str) -> Result<u64, Failed> {
        let document = self.years.get_mut(year).ok_or("no such year")?;
        let map = match self.entries.entry(entry) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let map = document.put_object(automerge::ROOT, entry.to_string(), ObjType::Map)?;
                document.commit();
                new.insert(map)
            }
        };
        document.put(&*map, field.key(), value)?;
        // The value that is there already is no change.
        if document.commit().is_none() {
            return Ok(0);
        }
        let change = document.get_last_local_change().ok_or("no change")?;
        Ok(change.raw_bytes().len() as u64)
    }
}

fn measured(dice: &Dice, entry: EntryId, year: usize) -> Edit {
    let when = format!("{year}-{:02}-{:02}T08:05:00+07:00", dice.between(1, 12), dice.between(1, 28));
    let fields = vec![
        (Field::Code, "85354-9".to_owned()),
        (Field::Value, dice.between(105, 165).to_string()),
        (Field::Value2, dice.between(60, 98).to_string()),
        (Field::Unit, "mm[Hg]".to_owned()),
        (Field::Effective, when),
    ];
    Edit::Add { entry, kind: Kind::VitalSign, fields }
}

fn exchange(session: &mut Session, relay: &mut FakeRelay) -> Result<(), Failed> {
    for _ in 0..1_000 {
        let request = session.request()?;
        let said = session.said(&request, mecum_sync::FORMS);
        let response = relay.answer(session.installation(), said, 200);
        if !session.accept(&request, &response)?.more {
            return Ok(());
        }
    }
    Err("the exchange comes to no end".into())
}

/// Entries that were written once, and nobody has sent: nothing of it can be folded away.
fn mixed(profile: &Path) -> Result<Seen, Failed> {
    let mut session = first_device(&location(profile), surroundings(SEED));
    let chart = session.create_chart("Laras", Some("1988-02-11"), Relation::Own, None)?;
    Seen::of(profile, session, |session| {
        let mut history = additions_first(generate_mixed(SEED, ENTRIES));
        let single = history.split_off(ENTRIES - SINGLE);
        // A flush finds the entries that it changes: additions and changes are never in one.
        let changes = history.iter().position(|(_, edit)| matches!(edit, Edit::Set { .. }));
        let (additions, changes) = history.split_at(changes.unwrap_or(history.len()));
        for part in additions.chunks(BETWEEN_IDLE).chain(changes.chunks(BETWEEN_IDLE)) {
            session.write_for_tests(chart, part.to_vec(), true)?;
            session.idle()?;
        }
        session.write_for_tests(chart, single, false)?;
        session.idle()?;
        let all = session.all_envelopes_for_tests()?;
        Ok(Said { sealed: all.values().map(|bytes| bytes.len() as u64).sum(), raw: None })
    })
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
            "the history, {snapshots} B of snapshots and {envelopes} B of envelopes and what was kept of folded ones; {lists} B of lists, which save() has not; {others} B of other rows, mostly places of what was not sent"
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
