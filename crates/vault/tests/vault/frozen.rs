//! A vault row by row, frozen: what a seed makes is what it always made, and what was made is read.
//!
//! The rows are compared and not the file: where SQLite puts them is its own matter.

use std::path::Path;

use mecum_faults::Frozen;
use mecum_vault::{Durability, Table, UnlockVaultError, Vault, WriteVaultError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use crate::fixture::{content, create, document, file_in, fold, folder, unlock};

/// The lock record: a counter and its tag.
const RECORD_BYTES: usize = 24;

/// The tables in the order of the file, and what each row is called by: the columns before the last, in text.
const TABLES: [(&str, &str); 5] = [
    ("slot", "SELECT kind, body FROM slot ORDER BY kind"),
    ("guard", "SELECT failed, next_try_ms, x'' FROM guard"),
    ("head", "SELECT body FROM head"),
    ("row", "SELECT kind, id, gen, body FROM row ORDER BY at"),
    ("envelope", "SELECT document, n, chain, body FROM envelope ORDER BY document, n"),
];

fn fill(vault: &Vault) {
    let done: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
        w.put(Table::Setting, b"auto-lock-min", &[0, 10])?;
        w.put(Table::Account, b"person", "Laras".as_bytes())?;
        w.put(Table::View, b"", b"a row without a name")?;
        for n in 1..=4_u8 {
            w.append(document(1), &[n; 40])?;
        }
        w.append(document(2), &[9; 300]).map(drop)
    });
    done.expect("the vault takes it");
    vault
        .write(Durability::Full, |w| w.put(Table::Setting, b"auto-lock-min", &[0, 20]))
        .expect("written over");
}

fn record(file: &Path) -> Vec<u8> {
    let lock = std::fs::read(format!("{}.lock", file.display())).expect("beside the vault");
    lock[..RECORD_BYTES].to_vec()
}

/// Every row of a vault that nobody has open, and the version of its file.
fn rows(file: &Path) -> Vec<(String, Vec<u8>)> {
    let connection = Connection::open(file).expect("plain SQLite opens it");
    let version: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number");
    let mut all = vec![("version".to_owned(), version.to_be_bytes().to_vec())];
    for (table, sql) in TABLES {
        let mut query = connection.prepare(sql).expect("the tables are those");
        let columns = query.column_count();
        let mut rows = query.query([]).expect("read");
        while let Some(row) = rows.next().expect("read") {
            let mut name = table.to_owned();
            for column in 0..columns - 1 {
                let word = match row.get_ref(column).expect("there") {
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Blob(bytes) => {
                        bytes.iter().fold("x".to_owned(), |t, b| t + &format!("{b:02x}"))
                    }
                    other => panic!("{table} has no {other:?}"),
                };
                name = name + " " + &word;
            }
            all.push((name, row.get(columns - 1).expect("a blob")));
        }
    }
    all
}

/// A vault put together of frozen rows by the text of its tables, with a lock record beside it.
fn put_together(file: &Path, names: &[String], frozen: &Frozen, record: &str) {
    let connection = Connection::open(file).expect("a file");
    connection.execute_batch(include_str!("../../migrations/0001_vault.sql")).expect("its tables");
    let version = i64::from_be_bytes(frozen.get("version").try_into().expect("a number"));
    connection.pragma_update(None, "application_id", 0x4d45_434d).expect("set");
    connection.pragma_update(None, "user_version", version).expect("set");
    for name in names {
        let words: Vec<&str> = name.split(' ').collect();
        let bytes = frozen.get(name);
        let number = |at: usize| words[at].parse::<i64>().expect("a number");
        let blob = |at: usize| -> Vec<u8> {
            let (pairs, _) = words[at].as_bytes()[1..].as_chunks::<2>();
            let byte =
                |pair: &[u8; 2]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("digits");
            pairs.iter().map(byte).collect()
        };
        let done = match words[0] {
            "slot" => connection.execute("INSERT INTO slot VALUES (?1, ?2)", params![number(1), bytes]),
            "guard" => {
                connection.execute("INSERT INTO guard VALUES (1, ?1, ?2)", params![number(1), number(2)])
            }
            "head" => connection.execute("INSERT INTO head VALUES (1, ?1)", params![bytes]),
            "row" => connection.execute(
                "INSERT INTO row (kind, id, gen, body) VALUES (?1, ?2, ?3, ?4)",
                params![number(1), blob(2), number(3), bytes],
            ),
            "envelope" => connection.execute(
                "INSERT INTO envelope VALUES (?1, ?2, ?3, ?4)",
                params![blob(1), number(2), blob(3), bytes],
            ),
            _ => continue,
        };
        assert_eq!(done, Ok(1), "{name}");
    }
    std::fs::write(format!("{}.lock", file.display()), frozen.get(record)).expect("beside it");
}

/// What a seed makes, compared with the frozen rows; and what is read of a vault that was put together of these.
fn holds(name: &str, seed: u64, folds: bool) {
    let made = folder();
    let file = file_in(made.path());
    let vault = create(&file, seed);
    fill(&vault);
    if folds {
        fold(&vault, document(1), (2, 3)).expect("folds");
        vault.write(Durability::Full, |w| w.put(Table::Setting, b"scrub", &[1])).expect("a narrow head");
    }
    let expected = content(&vault).expect("reads");
    vault.lock().expect("locks");
    let mut written = rows(&file);
    written.push(("lock".to_owned(), record(&file)));
    let vault = unlock(&file).expect("unlocks");
    for n in 0..3 {
        vault.write(Durability::Full, |w| w.put(Table::Setting, b"later", &[n])).expect("three commits more");
    }
    vault.lock().expect("locks");
    written.push(("lock three commits later".to_owned(), record(&file)));

    let names: Vec<String> = written.iter().map(|(name, _)| name.clone()).collect();
    let written: Vec<_> = written.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), name, &written);
    for (record, lost) in [("lock", 0), ("lock three commits later", 3)] {
        let kept = folder();
        let file = file_in(kept.path());
        put_together(&file, &names, &frozen, record);
        let vault = unlock(&file).expect("the frozen rows are a vault");
        assert_eq!(content(&vault).as_ref(), Ok(&expected), "with all that was put in");
        assert_eq!(vault.check(true).is_clean(), lost == 0, "{record}: every row is vouched for");
        assert_eq!(vault.lost_commits(), lost, "{record} says what is missing");
    }
    let kept = folder();
    let file = file_in(kept.path());
    let without: Vec<String> = names.iter().filter(|name| !name.starts_with("row 9 ")).cloned().collect();
    put_together(&file, &without, &frozen, "lock");
    assert!(matches!(unlock(&file), Err(UnlockVaultError::Damaged { .. })), "the head counts the rows");
}

#[test]
fn the_rows_of_a_vault_are_read_and_written_as_ever() {
    holds("vault-v1.txt", 71, false);
}

#[test]
fn the_rows_of_a_vault_with_a_folded_run_are_read_and_written_as_ever() {
    holds("vault-v3.txt", 72, true);
}
