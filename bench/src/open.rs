//! Row `open`: all documents of the chart, from the vault's file and from plain files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use automerge::{Automerge, Change};

use crate::Failed;
use crate::chart::{Built, unlock};
use crate::report::{Numbers, Row};

const TIMES: usize = 15;

const MOST: f64 = 1.15;

/// A document's plain files.
struct Plain {
    snapshot: PathBuf,
    tail: PathBuf,
}

pub(crate) fn measure(built: &Built) -> Result<Row, Failed> {
    let profile = built.device("open")?;
    let session = unlock(&profile)?;
    let plain = write_plain(&session.plain_for_tests()?, &profile.join("plain"))?;
    drop(session);
    let (mut ours, mut baseline) = (Numbers::default(), Numbers::default());
    for time in 0..=TIMES {
        let session = unlock(&profile)?;
        let began = Instant::now();
        let documents = session.load_all_for_tests()?;
        let took = began.elapsed();
        let began = Instant::now();
        let loaded = plain.iter().map(load_plain).collect::<Result<Vec<_>, _>>()?;
        let plain_took = began.elapsed();
        for (document, plain) in documents.iter().zip(&loaded) {
            let heads: Vec<[u8; 32]> = plain.get_heads().into_iter().map(|hash| hash.0).collect();
            if document.heads() != heads {
                return Err("the two sides loaded different documents".into());
            }
        }
        // The first time reads code and files into memory.
        if time > 0 {
            ours.time(took);
            baseline.time(plain_took);
        }
    }
    let what = format!(
        "read, unseal and load every document from the vault file, against read, Automerge::load and apply_changes of the same snapshots and changes from plain files; {}",
        built.said
    );
    let row = Row::of("open", what, "≤ 1.15×", "ms", &ours, |_| false);
    Ok(row.against(&baseline, &ours, |ours, baseline| ours <= MOST * baseline))
}

/// One file for the snapshot and one for the tail: each change after its length.
fn write_plain(
    documents: &[mecum_client::testing::PlainDocument],
    folder: &Path,
) -> Result<Vec<Plain>, Failed> {
    fs::create_dir_all(folder)?;
    let mut files = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        let plain = Plain {
            snapshot: folder.join(format!("{number}.snapshot")),
            tail: folder.join(format!("{number}.tail")),
        };
        fs::write(&plain.snapshot, &document.snapshot)?;
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

fn load_plain(plain: &Plain) -> Result<Automerge, Failed> {
    let mut document = Automerge::load(&fs::read(&plain.snapshot)?)?;
    let tail = fs::read(&plain.tail)?;
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
