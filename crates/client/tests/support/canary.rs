//! Texts and keys to look for, in every spelling in which they could stand in a file, and the search itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::world::base64;

/// A spelling as a program would write it, and the part of it that is the same whatever stands around it.
pub(crate) struct Spelling {
    pub(crate) name: &'static str,
    pub(crate) written: Vec<u8>,
    pub(crate) sought: Vec<u8>,
}

/// Every spelling of `bytes`; of a text also the wide ones.
pub(crate) fn spellings(bytes: &[u8], text: Option<&str>) -> Vec<Spelling> {
    let whole = |name, bytes: Vec<u8>| Spelling { name, sought: bytes.clone(), written: bytes };
    let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let mut all = vec![
        whole("as it is", bytes.to_vec()),
        whole("hex", hex.clone().into_bytes()),
        whole("hex in capitals", hex.to_uppercase().into_bytes()),
    ];
    if let Some(text) = text {
        all.push(whole("UTF-16, little end first", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        all.push(whole("UTF-16, big end first", text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
    }
    for (name, before) in [("base64", 0), ("base64 after one byte", 1), ("base64 after two bytes", 2)] {
        let around = [&b"::"[..before], bytes, b"::"].concat();
        let written = base64(&around).into_bytes();
        // The symbols whose six bits all come from the bytes themselves.
        let (first, last) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
        all.push(Spelling { name, sought: written[first..last].to_vec(), written });
    }
    all.push(deflated(bytes));
    all
}

/// Deflated by itself (RFC 1951): the bytes between the header of the block and its end.
fn deflated(bytes: &[u8]) -> Spelling {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).expect("memory takes everything");
    let written = encoder.finish().expect("memory takes everything");
    Spelling { name: "deflated", sought: written[1..written.len() - 2].to_vec(), written }
}

/// What is looked for.
#[derive(Default)]
pub(crate) struct Search {
    needles: Vec<(String, &'static str, Vec<u8>)>,
    /// By their first four bytes.
    by_start: HashMap<[u8; 4], Vec<usize>>,
}

impl Search {
    /// Looks for every spelling of `bytes` too.
    pub(crate) fn add(&mut self, label: &str, bytes: &[u8], text: Option<&str>) {
        for spelling in spellings(bytes, text) {
            assert!(spelling.sought.len() >= 8, "{label}, {}: too short to be sure of", spelling.name);
            let start = [0, 1, 2, 3].map(|at| spelling.sought[at]);
            self.by_start.entry(start).or_default().push(self.needles.len());
            self.needles.push((label.to_owned(), spelling.name, spelling.sought));
        }
    }

    /// What was found in `hay`: which, in which spelling.
    pub(crate) fn find(&self, hay: &[u8]) -> BTreeSet<(String, &'static str)> {
        let mut found = BTreeSet::new();
        // Two bytes rule out nearly every place before the table is asked.
        let mut may_start = vec![false; 1 << 16];
        for [a, b, ..] in self.by_start.keys() {
            may_start[usize::from(*a) << 8 | usize::from(*b)] = true;
        }
        for (at, window) in hay.windows(4).enumerate() {
            if !may_start[usize::from(window[0]) << 8 | usize::from(window[1])] {
                continue;
            }
            let start = [window[0], window[1], window[2], window[3]];
            for needle in self.by_start.get(&start).into_iter().flatten() {
                let (label, spelling, bytes) = &self.needles[*needle];
                if hay[at..].starts_with(bytes) {
                    found.insert((label.clone(), *spelling));
                }
            }
        }
        found
    }

    /// How many spellings are looked for.
    pub(crate) fn len(&self) -> usize {
        self.needles.len()
    }
}

/// Texts that were planted, by what they are.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Planted {
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) keys: BTreeSet<[u8; 32]>,
}

impl Planted {
    /// Plants a text.
    pub(crate) fn text(&mut self, what: &str, text: &str) -> String {
        let before = self.texts.insert(what.to_owned(), text.to_owned());
        assert!(before.is_none(), "{what} is planted once");
        text.to_owned()
    }

    pub(crate) fn search(&self) -> Search {
        let mut search = Search::default();
        for (what, text) in &self.texts {
            search.add(what, text.as_bytes(), Some(text));
        }
        for (n, key) in self.keys.iter().enumerate() {
            search.add(&format!("key {n}"), key, None);
        }
        search
    }
}
