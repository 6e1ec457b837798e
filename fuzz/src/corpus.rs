//! What fuzzing begins with: the frozen vectors of the crates, and what was kept in `corpus/` because it once was trouble.

use std::path::Path;

use serde_json::Value;

/// The bytes of hexadecimal text, if it is such.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let [high, low] = pair else { return None };
        let digit = |digit: u8| char::from(digit).to_digit(16);
        u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
    });
    pairs.collect()
}

/// The values of one field in a list of vectors, read from hexadecimal.
pub(crate) fn field(vectors: &str, name: &str) -> Vec<Vec<u8>> {
    let list: Vec<Value> = serde_json::from_str(vectors).unwrap_or_default();
    list.iter().filter_map(|vector| from_hex(vector[name].as_str()?)).collect()
}

/// The same for a field of text.
pub(crate) fn words(vectors: &str, name: &str) -> Vec<Vec<u8>> {
    let list: Vec<Value> = serde_json::from_str(vectors).unwrap_or_default();
    list.iter().filter_map(|vector| Some(vector[name].as_str()?.as_bytes().to_vec())).collect()
}

/// The last word of each line, read from hexadecimal.
pub(crate) fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines()
        .filter_map(|line| from_hex(line.rsplit(' ').next()?))
        .filter(|bytes| !bytes.is_empty())
        .collect()
}

/// What is kept for a target in the folder of its name.
pub fn kept_in(corpus: &Path, target: &str) -> Vec<Vec<u8>> {
    let Ok(files) = std::fs::read_dir(corpus.join(target)) else { return Vec::new() };
    let mut paths: Vec<_> = files.flatten().map(|file| file.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}
