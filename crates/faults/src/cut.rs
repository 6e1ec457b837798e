//! What a disk may hold after the power is gone.
//!
//! What was synced is there. Of what was written since, each 512-byte sector holds any of its later states, or a torn one,
//! independently of the others: so writes are lost, torn and reordered. The list of files follows its own order: files made
//! or removed since the folder was last synced may be as before.
//!
//! Left out: damage to bytes beside those that were written (SQLite counts on the disk for that, too, by its
//! `SQLITE_IOCAP_POWERSAFE_OVERWRITE`), and a profile folder that was itself not durable yet.

use std::collections::BTreeMap;
use std::path::Path;

use crate::dice::Dice;
use crate::disk::Event;

const SECTOR: u64 = 512;

/// The files of a folder, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Their contents.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// How much of what was not synced survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    All,
    /// Everything.
    None,
    /// For each sector a choice of its own.
    Random,
}

impl Loss {
    /// Mostly [`Loss::Random`]; the two ends now and then.
    pub fn choose(dice: &mut Dice) -> Loss {
        match dice.below(10) {
            0 => Loss::All,
            1 => Loss::None,
            _ => Loss::Random,
        }
    }
}

#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: u64, bytes: Vec<u8> },
    Truncate(u64),
}

#[derive(Debug, Clone)]
enum Entry {
    Made(String),
    /// With the file as it was, in case the removal is lost.
    Removed(String, File),
}

#[derive(Debug, Clone, Default)]
struct Model {
    files: BTreeMap<String, File>,
    entries: Vec<Entry>,
}

impl Image {
    /// What a disk that held `before` may hold if the power goes after the first `count` events.
    pub fn after_cut(before: &Image, events: &[Event], count: usize, loss: Loss, dice: &mut Dice) -> Image {
        let mut model = Model::default();
        for (name, durable) in &before.files {
            model.files.insert(name.clone(), File { durable: durable.clone(), pending: Vec::new() });
        }
        for event in events.iter().take(count) {
            model.follow(event);
        }
        model.settle(loss, dice)
    }

    /// Writes the files into a folder.
    pub fn store(&self, folder: &Path) -> std::io::Result<()> {
        self.files.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
    }
}

impl Model {
    fn follow(&mut self, event: &Event) {
        match event {
            Event::Made { file } => {
                self.files.insert(file.clone(), File::default());
                self.entries.push(Entry::Made(file.clone()));
            }
            Event::Write { file, at, bytes } => {
                self.change(file, Change::Write { at: *at, bytes: bytes.clone() });
            }
            Event::Truncate { file, length } => self.change(file, Change::Truncate(*length)),
            Event::Sync { file } => {
                if let Some(file) = self.files.get_mut(file) {
                    for change in std::mem::take(&mut file.pending) {
                        change.apply(&mut file.durable);
                    }
                }
            }
            Event::SyncLost { file } => {
                if let Some(file) = self.files.get_mut(file) {
                    file.pending.clear();
                }
            }
            Event::SyncFolder => self.entries.clear(),
            Event::Delete { file } => {
                if let Some(was) = self.files.remove(file) {
                    self.entries.push(Entry::Removed(file.clone(), was));
                }
            }
            Event::Mark { .. } => {}
        }
    }

    fn change(&mut self, file: &str, change: Change) {
        self.files.entry(file.to_owned()).or_default().pending.push(change);
    }

    fn settle(mut self, loss: Loss, dice: &mut Dice) -> Image {
        let kept = match loss {
            Loss::All => 0,
            Loss::None => self.entries.len(),
            Loss::Random => dice.index(self.entries.len() + 1),
        };
        for entry in self.entries.split_off(kept).into_iter().rev() {
            match entry {
                Entry::Made(name) => drop(self.files.remove(&name)),
                Entry::Removed(name, was) => drop(self.files.insert(name, was)),
            }
        }
        let files = self.files.into_iter().map(|(name, file)| (name, file.settle(loss, dice)));
        Image { files: files.collect() }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { at, bytes } => write_at(content, *at, bytes),
            Change::Truncate(length) => content.resize(index(*length), 0),
        }
    }
}

impl File {
    /// For each sector: how many of the writes that touched it are there, in their order; the last of them may be torn.
    fn settle(self, loss: Loss, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.durable;
        match loss {
            Loss::All => return content,
            Loss::None => {
                self.pending.iter().for_each(|change| change.apply(&mut content));
                return content;
            }
            Loss::Random => {}
        }
        let mut touched: BTreeMap<u64, u64> = BTreeMap::new();
        let mut truncates = 0;
        for change in &self.pending {
            match change {
                Change::Write { at, bytes } => {
                    pieces(*at, bytes).for_each(|(sector, _, _)| *touched.entry(sector).or_default() += 1);
                }
                Change::Truncate(_) => truncates += 1,
            }
        }
        // A cut that spares almost everything, or almost nothing, meets other code than one that halves it.
        let spared = 1 + dice.below(15);
        let mut left: BTreeMap<u64, u64> = BTreeMap::new();
        for (sector, writes) in touched {
            let all = dice.below(16) < spared;
            left.insert(sector, if all { writes } else { dice.below(writes) });
        }
        let mut truncates_left = dice.below(truncates + 1);
        for change in &self.pending {
            match change {
                Change::Truncate(_) if truncates_left > 0 => {
                    truncates_left -= 1;
                    change.apply(&mut content);
                }
                Change::Truncate(_) => {}
                Change::Write { at, bytes } => {
                    for (sector, at, piece) in pieces(*at, bytes) {
                        let Some(left) = left.get_mut(&sector).filter(|left| **left > 0) else { continue };
                        *left -= 1;
                        let torn = *left == 0 && dice.once_in(16);
                        let kept = if torn { dice.index(piece.len() + 1) } else { piece.len() };
                        write_at(&mut content, at, &piece[..kept]);
                    }
                }
            }
        }
        content
    }
}

/// The parts of a write, one for each sector: sector, place, bytes.
fn pieces(at: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, u64, &[u8])> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let place = at + done as u64;
        let rest = bytes.get(done..).filter(|rest| !rest.is_empty())?;
        let room = index(SECTOR - place % SECTOR);
        let piece = &rest[..rest.len().min(room)];
        done += piece.len();
        Some((place / SECTOR, place, piece))
    })
}

fn write_at(content: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let (at, end) = (index(at), index(at) + bytes.len());
    if bytes.is_empty() {
        return;
    }
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("a test's file fits into memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(at: u64, byte: u8, length: usize) -> Event {
        Event::Write { file: "f".into(), at, bytes: vec![byte; length] }
    }

    fn made() -> Event {
        Event::Made { file: "f".into() }
    }

    fn sync() -> Event {
        Event::Sync { file: "f".into() }
    }

    fn outcomes(events: &[Event]) -> Vec<Image> {
        let mut dice = Dice::new(1);
        (0..500)
            .map(|_| Image::after_cut(&Image::default(), events, events.len(), Loss::Random, &mut dice))
            .collect()
    }

    #[test]
    fn what_was_synced_is_always_there_and_what_was_not_is_in_any_state() {
        let events = [made(), write(0, 1, 1_024), sync(), Event::SyncFolder, write(0, 2, 1_024)];
        let found: Vec<Vec<u8>> = outcomes(&events).iter().map(|image| image.files["f"].clone()).collect();
        let sectors = |f: &[u8]| (f[0], f[512]);
        for wanted in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            assert!(found.iter().any(|f| sectors(f) == wanted), "each sector for itself: {wanted:?}");
        }
        assert!(found.iter().any(|f| f[0] == 2 && f[511] == 1), "and torn in the middle");
        assert!(
            found.iter().all(|f| f.len() == 1_024 && f.iter().all(|b| [1, 2].contains(b))),
            "nothing else"
        );
    }

    #[test]
    fn a_file_is_there_for_sure_once_its_folder_was_synced() {
        let unsynced = outcomes(&[made(), write(0, 1, 10), sync()]);
        assert!(unsynced.iter().any(|image| image.files.is_empty()), "it may be gone");
        assert!(unsynced.iter().any(|image| !image.files.is_empty()), "or there");
        let synced = outcomes(&[made(), write(0, 1, 10), sync(), Event::SyncFolder]);
        assert!(synced.iter().all(|image| image.files["f"] == [1; 10]), "always there");
    }

    #[test]
    fn a_removed_file_may_come_back_until_the_folder_was_synced() {
        let delete = Event::Delete { file: "f".into() };
        let events = [made(), write(0, 1, 10), sync(), Event::SyncFolder, delete];
        let found = outcomes(&events);
        assert!(found.iter().any(|image| image.files.contains_key("f")), "it may be back");
        let events = [events.as_slice(), &[Event::SyncFolder]].concat();
        assert!(outcomes(&events).iter().all(|image| image.files.is_empty()), "gone for good");
    }

    #[test]
    fn a_sync_that_fails_loses_what_it_was_to_save_and_a_later_one_does_not_bring_it_back() {
        let lost = Event::SyncLost { file: "f".into() };
        let events = [made(), Event::SyncFolder, write(0, 1, 10), lost, write(10, 2, 10), sync()];
        let expected = [vec![0; 10], vec![2; 10]].concat();
        assert!(outcomes(&events).iter().all(|image| image.files["f"] == expected), "a hole stays");
    }

    #[test]
    fn a_seed_makes_the_same_image_twice() {
        let events = [made(), write(0, 1, 9_000), write(300, 2, 4_000)];
        assert_eq!(outcomes(&events), outcomes(&events), "repeatable");
    }
}
