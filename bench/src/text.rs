//! A text with a long history: 260,000 single characters typed and deleted, in the shape of the well known editing traces (seven
//! insertions to three deletions, mostly where the last one was), made by a seed.
//!
//! A change is what a flush of the product would hold: what was typed until a pause or a jump, at most a hundred characters.

use std::fs;
use std::path::Path;

use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, ObjType, ROOT, SaveOptions};
use mecum_documents::{Actor, Document};
use mecum_testkit::Dice;

use crate::Failed;
use crate::chart::SEED;

/// Characters typed or deleted.
const EDITS: usize = 260_000;

/// Most of them in one change.
const AT_ONCE: usize = 100;

const WORDS: [&str; 24] = [
    "the ",
    "and ",
    "pressure ",
    "was ",
    "slept ",
    "badly, ",
    "again. ",
    "took ",
    "tablet ",
    "with ",
    "breakfast ",
    "walked ",
    "to ",
    "market ",
    "dizzy ",
    "after ",
    "lunch ",
    "better ",
    "today ",
    "doctor ",
    "said ",
    "wait ",
    "until ",
    "Monday. ",
];

/// The history, made.
pub(crate) struct Text {
    /// The document as the product saves it: one uncompressed chunk.
    pub(crate) chunk: Vec<u8>,
    /// The times of its changes as a snapshot of the product carries them.
    pub(crate) times: Vec<u8>,
    /// What it is, in words.
    pub(crate) said: String,
}

/// The history, from the cache beside the report, or made anew.
pub(crate) fn text(beside: &Path) -> Result<Text, Failed> {
    let cached = |kind: &str| beside.join(format!("text-{EDITS}-{SEED}-v1.{kind}"));
    let read = |kind: &str| fs::read(cached(kind));
    if let (Ok(chunk), Ok(times), Ok(said)) = (read("chunk"), read("times"), read("said")) {
        return Ok(Text { chunk, times, said: String::from_utf8(said)? });
    }
    eprintln!("bench: writing a text of {EDITS} edits");
    let text = write()?;
    fs::write(cached("chunk"), &text.chunk)?;
    fs::write(cached("times"), &text.times)?;
    fs::write(cached("said"), &text.said)?;
    Ok(text)
}

/// Where the writing stands.
struct Writing {
    dice: Dice,
    length: usize,
    cursor: usize,
}

/// One character more, or one less before a place.
#[derive(Clone, Copy)]
enum Edit {
    Insert(usize, char),
    Delete(usize),
}

impl Writing {
    fn below(&self, end: usize) -> usize {
        usize::try_from(self.dice.below(end.max(1) as u64)).unwrap_or(0)
    }

    fn jump(&mut self) {
        self.cursor = match self.below(10) {
            0..=4 => self.length,
            5..=8 => (self.cursor + self.below(400)).saturating_sub(200).min(self.length),
            _ => self.below(self.length),
        };
    }

    /// What is written until a pause or a jump.
    fn flush(&mut self) -> Vec<Edit> {
        let mut edits = Vec::new();
        while edits.len() < AT_ONCE {
            if self.below(100) < 35 && self.cursor > 0 {
                for _ in 0..(1 + self.below(12)).min(self.cursor) {
                    self.cursor -= 1;
                    self.length -= 1;
                    edits.push(Edit::Delete(self.cursor));
                }
            } else {
                for _ in 0..=self.below(3) {
                    for letter in WORDS.get(self.below(WORDS.len())).copied().unwrap_or(" ").chars() {
                        edits.push(Edit::Insert(self.cursor, letter));
                        self.cursor += 1;
                        self.length += 1;
                    }
                }
            }
            if self.below(100) < 12 {
                break;
            }
        }
        if self.below(100) < 30 {
            self.jump();
        }
        edits
    }
}

fn write() -> Result<Text, Failed> {
    let actor = Actor::from_bytes([0x42; 16]);
    let mut doc = Automerge::load(&Document::new(actor).save())?.with_actor(ActorId::from([0x42; 16]));
    let mut writing = Writing { dice: Dice::new(SEED), length: 0, cursor: 0 };
    let mut tx = doc.transaction();
    let text = tx.put_object(ROOT, "text", ObjType::Text)?;
    tx.commit();
    let (mut changes, mut done, mut deleted) = (1_usize, 0, 0);
    // As `client/times.rs` writes them: differences in ms, zigzag LEB128.
    let mut times = Vec::new();
    put_time(&mut times, mecum_client::testing::NOW_MS);
    while done < EDITS {
        let mut edits = writing.flush();
        edits.truncate(EDITS - done);
        let mut tx = doc.transaction();
        for edit in &edits {
            match edit {
                Edit::Insert(at, letter) => tx.splice_text(&text, *at, 0, letter.encode_utf8(&mut [0; 4]))?,
                Edit::Delete(at) => {
                    deleted += 1;
                    tx.splice_text(&text, *at, 1, "")?;
                }
            }
        }
        tx.commit();
        let typing = 120 * edits.len() as u64 + writing.dice.below(4_000) + 500;
        put_time(&mut times, i64::try_from(typing)?);
        done += edits.len();
        changes += 1;
    }
    let chunk = doc.save_with_options(SaveOptions { deflate: false, retain_orphans: false });
    let said = format!(
        "{done} characters typed or deleted one by one ({deleted} deletions, {} characters left), in {changes} changes: a change is a flush, what was typed until a pause or a jump, {} edits in the middle and {AT_ONCE} at most; seed {SEED}",
        done - 2 * deleted,
        done / changes
    );
    Ok(Text { chunk, times, said })
}

fn put_time(out: &mut Vec<u8>, difference: i64) {
    let mut left = difference.unsigned_abs() << 1;
    while left > 0x7f {
        out.push(u8::try_from(left & 0x7f).unwrap_or(0) | 0x80);
        left >>= 7;
    }
    out.push(u8::try_from(left).unwrap_or(0));
}
