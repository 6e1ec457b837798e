//! Other processes' memory: what is in it at one moment, and a search in it that says where something is.
//!
//! Memory is taken as `gcore` writes it ([`Dump::core`]), or read where it stands ([`Dump::resident`]), which is what can be
//! done with a browser's process: most of what that has mapped was never touched. It must not know what it looks for.

mod core_file;
pub(crate) mod pages;

use std::collections::BTreeSet;

/// A needle's first bytes decide whether a place is looked at: there must be as many.
const FIRST: usize = 2;

/// An empty page.
static PAGE: [u8; 4_096] = [0; 4_096];

/// What is looked for. It may be a key: it is not printed.
pub struct Needle {
    name: String,
    bytes: Vec<u8>,
}

impl Needle {
    /// A key, under a name that may be printed.
    pub fn key(name: &str, key: &[u8; 32]) -> Self {
        Self { name: name.to_owned(), bytes: key.to_vec() }
    }

    /// Any bytes; at least two.
    pub fn piece(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.to_vec() }
    }

    /// A text in UTF-8 and in UTF-16. It is printed.
    pub fn text(name: &str, text: &str) -> [Self; 2] {
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let name = format!("{name} ({text:?})");
        [
            Self { name: name.clone(), bytes: text.as_bytes().to_vec() },
            Self { name: format!("{name}, wide"), bytes: wide },
        ]
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// One stretch of memory, and what it is.
pub(crate) struct Stretch {
    pub(crate) at: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) what: String,
}

/// Memory at one moment.
pub struct Dump {
    stretches: Vec<Stretch>,
}

/// What was found, in words.
#[derive(Default)]
pub struct Found {
    /// Each place, with what was found there and what kind of memory it is.
    pub places: Vec<String>,
    kinds: BTreeSet<String>,
}

impl Found {
    /// The different things that were found.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.kinds
    }
}

impl Dump {
    pub(crate) fn of(stretches: Vec<Stretch>) -> Self {
        Self { stretches }
    }

    /// Bytes that are no process's, such as a file's, under a name of their own.
    pub fn bytes_of(what: &str, bytes: Vec<u8>) -> Self {
        Self::of(vec![Stretch { at: 0, bytes, what: what.to_owned() }])
    }

    /// How much there is, in bytes.
    pub fn len(&self) -> u64 {
        self.stretches.iter().map(|stretch| stretch.bytes.len() as u64).sum()
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where any of these is. Where there is much of the same, at each of its places.
    pub fn search(&self, needles: &[Needle]) -> Found {
        let mut by_first: Vec<Vec<&Needle>> = vec![Vec::new(); 1 << 16];
        for needle in needles {
            let [first, second, ..] = needle.bytes.as_slice() else { continue };
            by_first[usize::from(u16::from_be_bytes([*first, *second]))].push(needle);
        }
        let mut found = Found::default();
        for stretch in &self.stretches {
            // Pages that nobody wrote to are the most of it.
            let pages =
                stretch.bytes.chunks(PAGE.len()).enumerate().filter(|(_, page)| !PAGE.starts_with(page));
            for (page, bytes) in pages {
                let from = page * PAGE.len();
                for at in from..from + bytes.len() {
                    let Some(&[first, second]) = stretch.bytes.get(at..at + FIRST) else { continue };
                    let candidates = &by_first[usize::from(u16::from_be_bytes([first, second]))];
                    for needle in candidates {
                        if stretch.bytes[at..].starts_with(&needle.bytes) {
                            found.add(needle, stretch, at);
                        }
                    }
                }
            }
        }
        found
    }
}

impl Found {
    fn add(&mut self, needle: &Needle, stretch: &Stretch, at: usize) {
        let place = stretch.at + at as u64;
        self.places.push(format!("{} at {place:x}, {} from {:x}", needle.name, stretch.what, stretch.at));
        self.kinds.insert(needle.name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_a_text_are_found_across_pages_and_a_missing_one_is_not() {
        let key = [7; 32];
        let mut bytes = vec![0; 3 * PAGE.len()];
        bytes[PAGE.len() - 10..PAGE.len() + 22].copy_from_slice(&key);
        let wide: Vec<u8> = "kelapa".encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes[2 * PAGE.len() + 1..][..wide.len()].copy_from_slice(&wide);
        let mut needles = vec![Needle::key("a key", &key), Needle::key("another", &[8; 32])];
        needles.extend(Needle::text("a text", "kelapa"));
        let found = Dump::bytes_of("a file", bytes).search(&needles);
        let names: Vec<&str> = found.names().iter().map(String::as_str).collect();
        assert_eq!(names, ["a key", "a text (\"kelapa\"), wide"], "each once: {:?}", found.places);
    }

    #[test]
    fn what_a_process_has_on_its_heap_is_read_where_it_stands() {
        let planted: Vec<u8> = (0..64_u8).map(|n| n.wrapping_mul(151) ^ 0x5a).collect();
        let dump = Dump::resident(std::process::id()).expect("a process may read itself");
        assert!(dump.len() > 1 << 16, "its memory is there");
        let found = dump.search(&[Needle::piece("planted", &planted)]);
        assert!(!found.places.is_empty(), "what is on the heap is found");
    }
}
