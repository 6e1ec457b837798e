//! Rows `trace`, `trace-memory` and `text-first`: a document with the history of a long text.
//!
//! No kind of entry holds such a text yet: a field is one value of at most 8 KiB. It is opened by the path by which every document is
//! opened, out of a vault, and travels as the part of a snapshot does.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use automerge::Automerge;
use automerge::sync::{State, SyncDoc as _};
use mecum_client::Session;
use mecum_client::testing::{first_device, surroundings};
use mecum_domain::Relation;
use mecum_seal::DocumentId;

use crate::Failed;
use crate::chart::{SEED, location, unlock};
use crate::cost::{cpu_time, peak_mb, present_mb};
use crate::report::{Numbers, Row};
use crate::text::Text;

/// The word with which the bench starts itself.
pub(crate) const CHILD: &str = "trace-child";

const TIMES: usize = 14;
const SYNCS: usize = 3;

const MOST_OVER_LOAD: f64 = 1.10;
const MOST_MEMORY: f64 = 1.1;
const MOST_BYTES: f64 = 1.05;
const MOST_TIME: f64 = 1.3;

/// Operations that such a document may have here. Documents of the product take 65,536 from others.
const OPERATIONS: usize = 400_000;

const HELD: &str = "opened by the path of every document (no kind of entry holds a text of this length yet)";

/// A vault with the document in it, and the same bytes in plain files.
struct Placed {
    folder: std::path::PathBuf,
    document: DocumentId,
}

impl Placed {
    fn new(work: &Path, text: &Text) -> Result<Self, Failed> {
        let folder = work.join("trace");
        if !folder.exists() {
            fs::create_dir_all(&folder)?;
        }
        fs::write(folder.join("chunk"), &text.chunk)?;
        let mut session = first_device(&location(&folder.join("device")), surroundings(SEED));
        let chart = session.create_chart("Laras", Some("1988-02-11"), Relation::Own, None)?;
        let document = session.place_for_tests(chart, &text.chunk)?;
        let plain = Automerge::load(&text.chunk)?;
        let heads: Vec<[u8; 32]> = plain.get_heads().into_iter().map(|hash| hash.0).collect();
        if session.load_for_tests(document)?.heads() != heads {
            return Err("the two sides load different documents".into());
        }
        session.lock()?;
        Ok(Self { folder, document })
    }

    fn open(&self) -> Result<Session, Failed> {
        unlock(&self.folder.join("device"))
    }
}

pub(crate) fn measure(work: &Path, text: &Text, wanted: impl Fn(&str) -> bool) -> Result<Vec<Row>, Failed> {
    let placed = Placed::new(work, text)?;
    let mut rows = Vec::new();
    if wanted("trace") {
        rows.push(time(&placed, text)?);
    }
    if wanted("trace-memory") {
        rows.push(memory(&placed, text)?);
    }
    if wanted("text-first") {
        rows.push(first(&placed, text)?);
    }
    Ok(rows)
}

fn time(placed: &Placed, text: &Text) -> Result<Row, Failed> {
    let (mut ours, mut baseline) = (Numbers::default(), Numbers::default());
    let from_vault = || -> Result<Duration, Failed> {
        let session = placed.open()?;
        let began = cpu_time();
        let document = session.load_for_tests(placed.document)?;
        let took = cpu_time().saturating_sub(began);
        drop(document);
        Ok(took)
    };
    let from_file = || -> Result<Duration, Failed> {
        let began = cpu_time();
        let document = Automerge::load(&fs::read(placed.folder.join("chunk"))?)?;
        let took = cpu_time().saturating_sub(began);
        drop(document);
        Ok(took)
    };
    from_vault()?;
    from_file()?;
    for time in 0..TIMES {
        if time % 2 == 0 {
            ours.time(from_vault()?);
            baseline.time(from_file()?);
        } else {
            baseline.time(from_file()?);
            ours.time(from_vault()?);
        }
    }
    let what = format!(
        "CPU time to read, unseal, inflate and load from the vault's file, against read and Automerge::load of the same chunk from a plain file; {HELD}: {}",
        text.said
    );
    let row = Row::of("trace", what, "≤ 1.10×", "ms", &ours, |_| false);
    Ok(row.against(&baseline, &ours, |ours, plain| ours <= MOST_OVER_LOAD * plain))
}

fn memory(placed: &Placed, text: &Text) -> Result<Row, Failed> {
    let (mut ours, mut baseline) = (Numbers::default(), Numbers::default());
    let (mut our_peak, mut plain_peak) = (Numbers::default(), Numbers::default());
    for _ in 0..TIMES {
        let (rise, peak) = rise_of("vault", &placed.folder.join("device"))?;
        ours.0.push(rise);
        our_peak.0.push(peak);
        let (rise, peak) = rise_of("file", &placed.folder.join("chunk"))?;
        baseline.0.push(rise);
        plain_peak.0.push(peak);
    }
    let what = format!(
        "how far the memory of a process rises above what it had before (VmHWM over VmRSS) while a document is opened from its unlocked vault, against one that reads the plain file and loads it; with the whole program they reach {:.1} and {:.1} MB; {HELD}: {}",
        our_peak.median().unwrap_or_default(),
        plain_peak.median().unwrap_or_default(),
        text.said
    );
    let row = Row::of("trace-memory", what, "≤ 1.1×", "MB", &ours, |_| false);
    Ok(row.against(&baseline, &ours, |ours, plain| ours <= MOST_MEMORY * plain))
}

/// The rise and the peak of a process that opens the document.
fn rise_of(side: &str, path: &Path) -> Result<(f64, f64), Failed> {
    let output = Command::new(std::env::current_exe()?)
        .args([CHILD, side])
        .arg(path)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("the loading process failed".into());
    }
    let said = String::from_utf8(output.stdout)?;
    let (before, peak) = said.trim().split_once(' ').ok_or("the loading process said nothing")?;
    let (before, peak): (f64, f64) = (before.parse()?, peak.parse()?);
    Ok((peak - before, peak))
}

/// The loading process: `vault PROFILE` or `file PATH`. Says its memory before and at its peak, in MB.
pub(crate) fn child(arguments: &[String]) -> Result<(), Failed> {
    match arguments {
        [side, path] if side == "vault" => {
            let session = unlock(Path::new(path))?;
            let before = present_mb()?;
            let documents = session.load_all_for_tests()?;
            println!("{before} {}", peak_mb()?);
            drop(documents);
        }
        [side, path] if side == "file" => {
            let before = present_mb()?;
            let document = Automerge::load(&fs::read(path)?)?;
            println!("{before} {}", peak_mb()?);
            drop(document);
        }
        _ => return Err("usage: trace-child vault|file PATH".into()),
    }
    Ok(())
}

fn first(placed: &Placed, text: &Text) -> Result<Row, Failed> {
    let mut holder = Automerge::load(&text.chunk)?;
    let saved = holder.save();
    let mut session = placed.open()?;
    let part = session.seal_part_for_tests(placed.document, &text.chunk, text.times.clone())?;
    let (mut ours, mut load) = (Numbers::default(), Numbers::default());
    for time in 0..=TIMES {
        let began = cpu_time();
        let document = session.take_part_for_tests(placed.document, &part, OPERATIONS)?;
        let took = cpu_time().saturating_sub(began);
        drop(document);
        let began = cpu_time();
        let plain = Automerge::load(&saved)?;
        if time > 0 {
            ours.time(took);
            load.time(cpu_time().saturating_sub(began));
        }
        drop(plain);
    }
    let size = Numbers(vec![number(part.len())?]);
    let plain = Numbers(vec![number(saved.len())?]);
    let size_row = Row::of(
        "text-first",
        format!("bytes of the sealed and padded part, with the times of its changes ({} B before pressing), against save()", text.times.len()),
        "≤ 1.05×",
        "B",
        &size,
        |_| false,
    )
    .against(&plain, &size, |ours, save| ours <= MOST_BYTES * save);
    let time_row = Row::of(
        "text-first",
        "CPU time until it is opened, inflated, checked, loaded, compared with what it saves as, pressed and committed to the vault, against Automerge::load of save(). Not in it: judging change by change, which knows entries only, and which refuses a text and more than 65,536 operations: this part is what the product would do, not yet what it does",
        "≤ 1.3×",
        "ms",
        &ours,
        |_| false,
    )
    .against(&load, &ours, |ours, load| ours <= MOST_TIME * load);
    let mut parts = vec![size_row, time_row];
    for (who, receiver_first) in [("the receiver", true), ("the holder", false)] {
        let (mut bytes, mut time) = (Numbers::default(), Numbers::default());
        for _ in 0..SYNCS {
            let (said, took) = sync(&mut holder, receiver_first)?;
            bytes.0.push(number(said)?);
            time.time(took);
        }
        let what = format!(
            "for comparison, Automerge's own sync protocol, where {who} speaks first: bytes both ways, in {:.0} ms; neither sealed nor signed",
            time.median().unwrap_or_default()
        );
        let row = Row::of("text-first", what, "not judged", "B", &bytes, |_| true);
        parts.push(row.against(&plain, &bytes, |_, _| true));
    }
    let what = format!("first sync of {}", text.said);
    Ok(Row::joined("text-first", what, "bytes ≤ 1.05× save(); time ≤ 1.3× load", parts))
}

/// Bytes both ways and the time until the receiver has everything.
fn sync(holder: &mut Automerge, receiver_first: bool) -> Result<(usize, Duration), Failed> {
    let mut receiver = Automerge::new();
    let (mut here, mut there) = (State::new(), State::new());
    let (mut said, mut turn) = (0, receiver_first);
    let mut quiet = 0;
    let began = Instant::now();
    while quiet < 2 {
        let message = if turn {
            receiver.generate_sync_message(&mut there)
        } else {
            holder.generate_sync_message(&mut here)
        };
        quiet = if message.is_some() { 0 } else { quiet + 1 };
        if let Some(message) = message {
            let bytes = message.encode();
            said += bytes.len();
            let message = automerge::sync::Message::decode(&bytes)?;
            if turn {
                holder.receive_sync_message(&mut here, message)?;
            } else {
                receiver.receive_sync_message(&mut there, message)?;
            }
        }
        turn = !turn;
    }
    let took = began.elapsed();
    if receiver.get_heads() != holder.get_heads() {
        return Err("Automerge's sync protocol did not end".into());
    }
    Ok((said, took))
}

fn number(bytes: usize) -> Result<f64, Failed> {
    Ok(f64::from(u32::try_from(bytes)?))
}
