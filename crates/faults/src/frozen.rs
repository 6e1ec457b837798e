//! Frozen bytes of a stored or sent layout: `tests/vectors/NAME` in the folder of the crate whose layout it is, one vector on each
//! line, its name and its bytes in hexadecimal digits.
//!
//! What is in such a file is what the live path writes, and what it reads for ever. With `MECUM_WRITE_VECTORS=1` a missing file is
//! written; one that is there never is. A later layout gets a file of its own.

use std::collections::BTreeSet;
use std::path::Path;

/// The vectors of one file.
pub struct Frozen {
    file: String,
    vectors: Vec<(String, Vec<u8>)>,
}

impl Frozen {
    /// The vectors of `tests/vectors/{name}` under `root` (`env!("CARGO_MANIFEST_DIR")`), after it was compared with what the live
    /// path writes now.
    ///
    /// # Panics
    /// If a vector is missing or new, two have one name, or the live path writes other bytes: these are a test's verdicts.
    #[must_use]
    pub fn compared(root: &str, name: &str, written: &[(&str, Vec<u8>)]) -> Self {
        let path = Path::new(root).join("tests/vectors").join(name);
        if !path.exists() && std::env::var_os("MECUM_WRITE_VECTORS").is_some() {
            let lines = written.iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes)));
            std::fs::write(&path, lines.collect::<String>()).expect("the folder of vectors is there");
        }
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let vectors: Vec<_> = text.lines().map(parse).collect();
        let names: Vec<&str> = vectors.iter().map(|(name, _)| name.as_str()).collect();
        let expected: Vec<&str> = written.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, expected, "{name} holds every layout, and nothing else");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{name}: each name stands once");
        for ((what, frozen), (_, written)) in vectors.iter().zip(written) {
            assert_eq!(hex(frozen), hex(written), "{name}: {what} is written as it always was");
        }
        Self { file: name.to_owned(), vectors }
    }

    /// The frozen bytes of a vector.
    ///
    /// # Panics
    /// If there is none of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> &[u8] {
        let found = self.vectors.iter().find(|(of, _)| of == name);
        found.map_or_else(|| panic!("{} has no {name}", self.file), |(_, bytes)| bytes.as_slice())
    }
}

fn parse(line: &str) -> (String, Vec<u8>) {
    let (name, digits) = line.rsplit_once(' ').expect("a name and its bytes");
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "{name}: two digits are a byte");
    let byte =
        |pair: &[u8; 2]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("hexadecimal digits");
    (name.to_owned(), pairs.iter().map(byte).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
