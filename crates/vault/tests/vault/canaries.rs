//! Nothing that is stored can be found in any file of the vault.

use std::path::Path;

use mecum_vault::{Durability, Table, WriteVaultError};

use crate::fixture::{PASSPHRASE, create, document, file_in, folder, unlock};

const CANARIES: [&str; 6] = [
    "Ratna Wulandari",
    "Diabetes mellitus",
    "Metformin 500 mg",
    "medications/2026",
    PASSPHRASE,
    "+62 812-5550-123",
];

/// The ways in which a text could stand in a file.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let utf8 = text.as_bytes().to_vec();
    let utf16 = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let hex: String =
        utf8.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect();
    let mut all =
        vec![utf8, utf16(u16::to_le_bytes), utf16(u16::to_be_bytes), hex.to_uppercase().into_bytes()];
    all.push(hex.into_bytes());
    all.extend((0..3).map(|shift| base64_core(text.as_bytes(), shift)));
    all
}

/// The middle of the base64 of `bytes` at one of its three alignments: without the letters that neighbours change.
fn base64_core(bytes: &[u8], shift: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let shifted: Vec<u8> = std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect();
    let mut out = Vec::new();
    for chunk in shifted.chunks_exact(3) {
        let group = u32::from(chunk[0]) << 16 | u32::from(chunk[1]) << 8 | u32::from(chunk[2]);
        out.extend((0..4).rev().map(|i| ALPHABET[(group >> (6 * i)) as usize & 63]));
    }
    out[4..out.len() - 2].to_vec()
}

fn hits(folder: &Path) -> (usize, usize) {
    let files: Vec<_> =
        std::fs::read_dir(folder).expect("lists").map(|e| e.expect("an entry").path()).collect();
    let contents: Vec<_> = files.iter().map(|f| std::fs::read(f).expect("reads")).collect();
    let found = CANARIES.iter().flat_map(|c| spellings(c)).filter(|spelling| {
        contents.iter().any(|bytes| bytes.windows(spelling.len()).any(|window| window == spelling.as_slice()))
    });
    (found.count(), files.len())
}

#[test]
fn no_canary_is_found_in_the_vault_its_log_or_its_lock() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    for round in 0..3u8 {
        let done: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
            for canary in CANARIES {
                w.put(Table::View, canary.as_bytes(), canary.repeat(usize::from(round) + 1).as_bytes())?;
                w.put(Table::Keys, &[round], canary.as_bytes())?;
            }
            w.delete(Table::View, CANARIES[0].as_bytes())?;
            // Envelopes arrive sealed: what is appended here is what a client would append.
            w.append(document(1), &[round; 300]).map(drop)
        });
        done.expect("the vault takes it");
        let (found, files) = hits(folder.path());
        println!("open, round {round}: {found} hits in {files} files");
        assert!(files >= 3, "vault, log and lock are there");
        assert_eq!(found, 0, "nothing readable while it is open");
    }
    vault.lock().expect("locks");
    assert_eq!(hits(folder.path()).0, 0, "nothing readable when it is locked");
    assert!(
        unlock(&path).expect("unlocks").get(Table::View, CANARIES[1].as_bytes()).expect("reads").is_some(),
        "yet it is there"
    );
}

#[test]
fn control_the_search_finds_every_canary_in_an_unsealed_file() {
    let folder = folder();
    let sqlite = rusqlite::Connection::open(folder.path().join("plain.sqlite")).expect("opens");
    sqlite.execute_batch("CREATE TABLE t (x TEXT) STRICT").expect("a table");
    for canary in CANARIES {
        sqlite.execute("INSERT INTO t VALUES (?1)", [canary]).expect("a row");
    }
    drop(sqlite);
    assert!(hits(folder.path()).0 >= CANARIES.len(), "the control is found");
    for shift in 0..3 {
        let around = format!("{}{}", "x".repeat(shift), CANARIES[1]);
        let encoded = base64_core(around.as_bytes(), 0);
        let core = base64_core(CANARIES[1].as_bytes(), shift);
        assert!(encoded.windows(core.len() - 4).any(|w| core.starts_with(w)), "base64 at alignment {shift}");
    }
}
