//! Row `open`: all documents of the chart, from the vault's file and from plain files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use automerge::{Automerge, Change};
use mecum_client::testing::PlainDocument;
use mecum_documents::Document;

use crate::Failed;
use crate::chart::{Built, unlock};
use crate::report::{Numbers, Row};

const TIMES: usize = 24;

const MOST: f64 = 1.15;

/// A document's plain files.
struct Plain {
    snapshot: PathBuf,
    /// The same as Automerge's own `save` writes it: with compressed columns.
    saved: PathBuf,
    tail: PathBuf,
}

impl Plain {
    fn snapshot(&self) -> &Path {
        &self.snapshot
    }

    fn saved(&self) -> &Path {
        &self.saved
    }
}

pub(crate) fn measure(built: &Built) -> Result<Row, Failed> {
    let profile = built.device("open")?;
    let session = unlock(&profile)?;
    let plain = write_plain(&session.plain_for_tests()?, &profile.join("plain"))?;
    same_documents(&session.load_all_for_tests()?, &plain)?;
    drop(session);
    let (mut ours, mut baseline, mut saved) = (Numbers::default(), Numbers::default(), Numbers::default());
    for time in 0..TIMES {
        // Each side as often before the other as after it: what ran before leaves the heap and the caches in its own state.
        if time % 2 == 0 {
            ours.time(from_vault(&profile)?);
            baseline.time(from_files(&plain, Plain::snapshot)?);
        } else {
            baseline.time(from_files(&plain, Plain::snapshot)?);
            ours.time(from_vault(&profile)?);
        }
        saved.time(from_files(&plain, Plain::saved)?);
    }
    let what = format!(
        "read, unseal and load every document from the vault file, against read, Automerge::load and apply_changes of the same snapshots and changes from plain files (from files as Automerge's own save writes them, with compressed columns, it takes {:.3} ms; that is not judged); {}",
        saved.median().unwrap_or_default(),
        built.said
    );
    let row = Row::of("open", what, "≤ 1.15×", "ms", &ours, |_| false);
    Ok(row.against(&baseline, &ours, |ours, baseline| ours <= MOST * baseline))
}

/// From an unlocked vault, opened anew, whose pages nobody has read.
fn from_vault(profile: &Path) -> Result<Duration, Failed> {
    let session = unlock(profile)?;
    let began = Instant::now();
    let documents = session.load_all_for_tests()?;
    let took = began.elapsed();
    drop(documents);
    Ok(took)
}

fn from_files(plain: &[Plain], snapshot: fn(&Plain) -> &Path) -> Result<Duration, Failed> {
    let began = Instant::now();
    let load = |plain: &Plain| load_plain(snapshot(plain), &plain.tail);
    let documents = plain.iter().map(load).collect::<Result<Vec<_>, _>>()?;
    let took = began.elapsed();
    drop(documents);
    Ok(took)
}

/// Reads everything into memory once, and makes sure that the sides load the same.
fn same_documents(documents: &[Document], plain: &[Plain]) -> Result<(), Failed> {
    for (document, plain) in documents.iter().zip(plain) {
        for snapshot in [plain.snapshot(), plain.saved()] {
            let loaded = load_plain(snapshot, &plain.tail)?;
            let heads: Vec<[u8; 32]> = loaded.get_heads().into_iter().map(|hash| hash.0).collect();
            if document.heads() != heads {
                return Err("the two sides load different documents".into());
            }
        }
    }
    if documents.len() == plain.len() { Ok(()) } else { Err("one side has more documents".into()) }
}

/// Two files for the snapshot and one for the tail: each change after its length.
fn write_plain(documents: &[PlainDocument], folder: &Path) -> Result<Vec<Plain>, Failed> {
    fs::create_dir_all(folder)?;
    let mut files = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        let named = |kind: &str| folder.join(format!("{number}.{kind}"));
        let plain = Plain { snapshot: named("snapshot"), saved: named("saved"), tail: named("tail") };
        fs::write(&plain.snapshot, &document.snapshot)?;
        fs::write(&plain.saved, Automerge::load(&document.snapshot)?.save())?;
        let mut tail = Vec::new();
        for change in &document.tail {
            tail.extend_from_slice(&(change.len() as u64).to_be_bytes());
            tail.extend_from_slice(change);
        }
        fs::write(&plain.tail, tail)?;
        files.push(plain);
    }
    Ok(files)
}

fn load_plain(snapshot: &Path, tail: &Path) -> Result<Automerge, Failed> {
    let mut document = Automerge::load(&fs::read(snapshot)?)?;
    let tail = fs::read(tail)?;
    let mut rest = tail.as_slice();
    let mut changes = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_be_bytes(*length))?;
        let (change, after) = after.split_at_checked(length).ok_or("a tail file is cut")?;
        changes.push(Change::from_bytes(change.to_vec())?);
        rest = after;
    }
    document.apply_changes(changes)?;
    Ok(document)
}
