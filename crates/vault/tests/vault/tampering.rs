//! Somebody edits the file with plain SQL: every such change is noticed, and the check names it.

use std::path::Path;

use mecum_vault::{
    Durability, Location, Part, Problem, ReadVaultError, Table, UnlockVaultError, Vault, WriteVaultError,
};
use rusqlite::Connection;

use crate::fixture::{NOW_MS, PASSPHRASE, content, create, document, file_in, fill, folder, options, unlock};

/// What comes of unlocking, and then of reading everything.
type Read = Result<Result<(), ReadVaultError>, UnlockVaultError>;

/// Makes a filled vault, lets `tamper` at the file, and returns what comes of reading everything and what a check
/// finds.
fn after(tamper: impl FnOnce(&Connection, &Path)) -> (Read, Vec<Problem>) {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    vault.lock().expect("locks");
    let connection = Connection::open(&path).expect("plain SQLite opens it");
    tamper(&connection, &path);
    drop(connection);
    let read = unlock(&path).map(|vault| {
        content(&vault)
            .map(|found| assert_eq!(found, before, "what is read is what was written, or an error"))
    });
    let report =
        Vault::examine(&Location::File(path), PASSPHRASE, NOW_MS, true, &options(3)).expect("the slot opens");
    (read, report.problems)
}

fn sql(connection: &Connection, statement: &str) {
    let changed = connection.execute(statement, []).expect("valid SQL");
    assert!(changed > 0, "the file was changed by: {statement}");
}

/// Exchanges one column between two rows. In Rust: a single UPDATE would read what it has just written.
fn swap(connection: &Connection, table: &str, column: &str, a: &str, b: &str) {
    let value = |place: &str| -> Vec<u8> {
        connection
            .query_row(&format!("SELECT {column} FROM {table} WHERE {place}"), [], |row| row.get(0))
            .expect("there is such a row")
    };
    let (at_a, at_b) = (value(a), value(b));
    assert_ne!(at_a, at_b, "swapping the same changes nothing");
    for (place, value) in [(a, at_b), (b, at_a)] {
        let changed = connection
            .execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {place}"), [value])
            .expect("valid SQL");
        assert_eq!(changed, 1, "one row at {place}");
    }
}

const FIRST_VIEW: &str = "at = (SELECT at FROM row WHERE kind = 6 ORDER BY at LIMIT 1)";
const SECOND_VIEW: &str = "at = (SELECT at FROM row WHERE kind = 6 ORDER BY at LIMIT 1 OFFSET 1)";

const ROWS_DAMAGED: Read = Err(UnlockVaultError::Damaged { what: Part::Rows });
const ENVELOPES_DAMAGED: Read = Ok(Err(ReadVaultError::Damaged { what: Part::Envelopes }));

#[test]
fn an_untouched_vault_is_clean() {
    assert_eq!(after(|_, _| {}), (Ok(Ok(())), vec![]), "the tests below change something");
}

#[test]
fn a_deleted_row_is_noticed_and_its_table_named() {
    let (read, problems) =
        after(|c, _| sql(c, "DELETE FROM row WHERE at = (SELECT max(at) FROM row WHERE kind = 6)"));
    assert_eq!(read, ROWS_DAMAGED, "the vault does not open as if nothing were missing");
    assert_eq!(problems, [Problem::RowsMissing { table: Some(Table::View), count: 1 }], "named");
}

#[test]
fn a_deleted_table_of_rows_is_noticed_and_named() {
    let (read, problems) = after(|c, _| sql(c, "DELETE FROM row WHERE kind = 9"));
    assert_eq!(read, ROWS_DAMAGED, "does not open");
    assert_eq!(problems, [Problem::RowsMissing { table: Some(Table::Setting), count: 24 }], "named");
}

#[test]
fn a_repeated_row_is_noticed_and_named() {
    let (read, problems) = after(|c, _| {
        sql(
            c,
            "INSERT INTO row (kind, id, gen, body) SELECT kind, id, gen, body FROM row WHERE kind = 6 LIMIT 1",
        );
    });
    assert_eq!(read, ROWS_DAMAGED, "does not open");
    assert!(problems.contains(&Problem::RowRepeated { table: Some(Table::View) }), "named: {problems:?}");
}

#[test]
fn swapped_contents_of_rows_are_noticed_and_named() {
    let (read, problems) = after(|c, _| swap(c, "row", "body", FIRST_VIEW, SECOND_VIEW));
    assert_eq!(read, Ok(Err(ReadVaultError::Damaged { what: Part::Row(Table::View) })), "noticed when read");
    assert_eq!(problems, vec![Problem::RowDamaged { table: Some(Table::View) }; 2], "both named");
}

#[test]
fn a_row_copied_to_another_table_is_noticed_and_named() {
    let (read, problems) =
        after(|c, _| sql(c, "UPDATE row SET kind = 9 WHERE at = (SELECT max(at) FROM row WHERE kind = 6)"));
    assert_eq!(read, ROWS_DAMAGED, "does not open");
    assert!(problems.contains(&Problem::RowsMissing { table: Some(Table::View), count: 1 }), "{problems:?}");
    assert!(problems.contains(&Problem::RowsAdded { table: Some(Table::Setting), count: 1 }), "{problems:?}");
}

#[test]
fn swapped_ids_are_noticed_and_named() {
    let (read, problems) = after(|c, _| swap(c, "row", "id", FIRST_VIEW, SECOND_VIEW));
    assert!(matches!(read, Ok(Err(_)) | Err(_)), "not read as if nothing had happened: {read:?}");
    assert!(problems.contains(&Problem::RowDamaged { table: Some(Table::View) }), "named: {problems:?}");
}

/// Puts things of an older state of the file into the present one.
fn after_rollback(statement: &str) -> (Read, Vec<Problem>, Vec<u8>) {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    vault.idle().expect("checkpoints");
    let old = folder.path().join("old.sqlite");
    vault.backup_to(&old).expect("an older state");
    fill(&vault, 3);
    let before = content(&vault).expect("reads");
    vault.lock().expect("locks");
    let connection = Connection::open(&path).expect("plain SQLite opens it");
    connection.execute("ATTACH ?1 AS old", [old.to_str().expect("a plain path")]).expect("attaches");
    sql(&connection, statement);
    drop(connection);
    let read = unlock(&path).map(|vault| {
        content(&vault)
            .map(|found| assert_eq!(found, before, "what is read is what was written, or an error"))
    });
    let report =
        Vault::examine(&Location::File(path), PASSPHRASE, NOW_MS, true, &options(3)).expect("the slot opens");
    (read, report.problems, b"v\x02".to_vec())
}

#[test]
fn a_row_put_back_to_an_older_state_is_noticed_and_named() {
    // Rows keep their place when they are replaced, so the old row of the same place is the old state of it.
    let (read, problems, name) = after_rollback(
        "UPDATE row SET (gen, body) = (SELECT o.gen, o.body FROM old.row o WHERE o.at = row.at)
         WHERE at = (SELECT at FROM row WHERE kind = 6 ORDER BY at LIMIT 1 OFFSET 2)",
    );
    assert_eq!(read, ROWS_DAMAGED, "does not open");
    assert_eq!(
        problems,
        [Problem::RowRolledBack { table: Some(Table::View), name }],
        "named by its own name"
    );
}

#[test]
fn a_document_head_put_back_is_noticed_and_named() {
    let (read, problems, _) = after_rollback(
        "UPDATE row SET (gen, body) = (SELECT o.gen, o.body FROM old.row o WHERE o.at = row.at)
         WHERE at = (SELECT min(at) FROM row WHERE kind = 0)",
    );
    assert_eq!(read, ROWS_DAMAGED, "does not open");
    let rolled_back = problems.iter().any(|p| matches!(p, Problem::RowRolledBack { table: None, .. }));
    assert!(rolled_back, "named: {problems:?}");
}

#[test]
fn rows_put_back_are_not_hidden_behind_one_that_is_missing() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    let write = |round: u8| {
        let written: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
            // More than there are sums: some share one, so that no single older row explains it.
            (0..200u8).try_for_each(|n| w.put(Table::View, &[b'v', n], &[round; 40]))
        });
        written.expect("the vault takes it");
    };
    write(1);
    vault.idle().expect("checkpoints");
    let old = folder.path().join("old.sqlite");
    vault.backup_to(&old).expect("an older state");
    write(2);
    vault.lock().expect("locks");
    let connection = Connection::open(&path).expect("plain SQLite opens it");
    connection.execute("ATTACH ?1 AS old", [old.to_str().expect("a plain path")]).expect("attaches");
    let look = || {
        let location = Location::File(path.clone());
        Vault::examine(&location, PASSPHRASE, NOW_MS, true, &options(3)).expect("the slot opens").problems
    };
    sql(&connection, "DELETE FROM row WHERE at = (SELECT max(at) FROM row WHERE kind = 6)");
    let missing = Problem::RowsMissing { table: Some(Table::View), count: 1 };
    assert_eq!(look(), std::slice::from_ref(&missing), "one that is missing, and nothing else");
    let back = "UPDATE row SET (gen, body) = (SELECT o.gen, o.body FROM old.row o WHERE o.at = row.at) WHERE kind = 6";
    sql(&connection, back);
    let problems = look();
    assert!(problems.contains(&missing), "still named: {problems:?}");
    assert!(problems.contains(&Problem::Rows), "and more than that row does not fit: {problems:?}");
}

#[test]
fn the_vault_head_put_back_alone_is_noticed_and_named() {
    let (read, problems, _) = after_rollback("UPDATE head SET body = (SELECT o.body FROM old.head o)");
    assert_eq!(read, ROWS_DAMAGED, "does not open");
    assert!(problems.contains(&Problem::HeadRolledBack), "named: {problems:?}");
}

#[test]
fn a_changed_vault_head_is_noticed_and_named() {
    let (read, problems) = after(|c, _| sql(c, "UPDATE head SET body = zeroblob(1144)"));
    assert_eq!(read, Err(UnlockVaultError::Damaged { what: Part::Head }), "does not open");
    assert_eq!(problems, [Problem::Head], "named");
}

#[test]
fn deleted_envelopes_are_noticed_and_named() {
    let d = document(2);
    for n in [1, 3, 8] {
        let (read, problems) = after(|c, _| {
            sql(
                c,
                &format!(
                    "DELETE FROM envelope WHERE document = x'02020202020202020202020202020202' AND n = {n}"
                ),
            );
        });
        assert_eq!(read, ENVELOPES_DAMAGED, "envelope {n} is missed");
        assert_eq!(problems, [Problem::EnvelopeMissing { document: d, n }], "named");
    }
}

#[test]
fn swapped_envelopes_are_noticed_and_named() {
    let at = |n| format!("document = x'02020202020202020202020202020202' AND n = {n}");
    let (read, problems) = after(|c, _| swap(c, "envelope", "body", &at(3), &at(6)));
    assert_eq!(read, ENVELOPES_DAMAGED, "noticed");
    assert_eq!(problems, [Problem::EnvelopesSwapped { document: document(2), a: 3, b: 6 }], "named");
}

#[test]
fn envelopes_swapped_between_documents_are_noticed_and_named() {
    let at = |d| format!("document = x'{d}' AND n = 4");
    let (two, three) = (at("02".repeat(16)), at("03".repeat(16)));
    let (read, problems) = after(|c, _| swap(c, "envelope", "body", &two, &three));
    assert_eq!(read, ENVELOPES_DAMAGED, "noticed");
    for document in [document(2), document(3)] {
        assert!(problems.contains(&Problem::EnvelopeDamaged { document, n: 4 }), "named: {problems:?}");
    }
}

#[test]
fn a_repeated_envelope_is_noticed_and_named() {
    let (read, problems) = after(|c, _| {
        sql(
            c,
            "UPDATE envelope SET body = (SELECT o.body FROM envelope o WHERE o.document = envelope.document AND o.n = 2)
             WHERE document = x'01010101010101010101010101010101' AND n = 5",
        );
    });
    assert_eq!(read, ENVELOPES_DAMAGED, "noticed");
    assert_eq!(problems, [Problem::EnvelopeRepeated { document: document(1), n: 5 }], "named");
}

#[test]
fn an_added_envelope_is_noticed_and_named() {
    let (read, problems) = after(|c, _| {
        sql(
            c,
            "INSERT INTO envelope (document, n, chain, body) SELECT document, 9, chain, body FROM envelope
             WHERE document = x'01010101010101010101010101010101' AND n = 8",
        );
    });
    assert_eq!(read, ENVELOPES_DAMAGED, "noticed");
    assert_eq!(problems, [Problem::EnvelopeAdded { document: document(1), n: 9 }], "named");
}

#[test]
fn a_changed_envelope_is_noticed_and_named() {
    let (read, problems) = after(|c, _| {
        sql(
            c,
            "UPDATE envelope SET body = zeroblob(484) WHERE document = x'01010101010101010101010101010101' AND n = 8",
        );
    });
    assert_eq!(read, ENVELOPES_DAMAGED, "noticed");
    assert_eq!(problems, [Problem::EnvelopeDamaged { document: document(1), n: 8 }], "named");
}

#[test]
fn a_document_whose_head_is_deleted_is_noticed_and_named() {
    let (read, problems) =
        after(|c, _| sql(c, "DELETE FROM row WHERE at = (SELECT min(at) FROM row WHERE kind = 0)"));
    assert_eq!(read, ROWS_DAMAGED, "does not open");
    assert!(problems.contains(&Problem::RowsMissing { table: None, count: 1 }), "counted: {problems:?}");
    let named = problems.iter().any(|p| matches!(p, Problem::DocumentHeadMissing { .. }));
    assert!(named, "the document is named: {problems:?}");
}

#[test]
fn a_smuggled_trigger_keeps_the_vault_shut() {
    let folder = folder();
    let path = file_in(folder.path());
    create(&path, 1).lock().expect("locks");
    let connection = Connection::open(&path).expect("plain SQLite opens it");
    connection
        .execute_batch("CREATE TRIGGER t AFTER UPDATE ON head BEGIN DELETE FROM envelope; END")
        .expect("a trigger");
    drop(connection);
    assert_eq!(unlock(&path).err(), Some(UnlockVaultError::Damaged { what: Part::Schema }), "does not open");
}

#[test]
fn a_missing_write_ahead_log_is_noticed_and_named() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    vault.idle().expect("checkpoints");
    fill(&vault, 3);
    // As after a crash: the file and its lock are there, the log with the last four commits is not.
    let other = folder.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    let copy = file_in(&other);
    std::fs::copy(&path, &copy).expect("copies the file");
    std::fs::copy(path.with_extension("sqlite.lock"), copy.with_extension("sqlite.lock"))
        .expect("and the lock");
    let reopened = unlock(&copy).expect("an older state of the file is whole in itself");
    assert_eq!(reopened.lost_commits(), 4, "the four commits since are missed");
    let problems = reopened.check(true).problems;
    assert_eq!(problems, [Problem::CommitsLost { count: 4 }], "and named");
}

#[test]
fn zeroed_and_swapped_pages_are_noticed() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    vault.lock().expect("locks");
    let bytes = std::fs::read(&path).expect("reads");
    let pages = bytes.len() / 4_096;
    let (mut noticed, mut same) = (0, 0);
    for a in 0..pages {
        for b in a..pages {
            let mut changed = bytes.clone();
            if a == b {
                changed[a * 4_096..][..4_096].fill(0);
            } else {
                let (left, right) = changed.split_at_mut(b * 4_096);
                left[a * 4_096..][..4_096].swap_with_slice(&mut right[..4_096]);
            }
            let _ = std::fs::remove_file(path.with_extension("sqlite-wal"));
            std::fs::write(&path, &changed).expect("writes");
            match unlock(&path).map_err(drop).and_then(|vault| content(&vault).map_err(drop)) {
                Ok(found) => {
                    assert_eq!(found, before, "pages {a} and {b}: never anything else than what was written");
                    same += 1;
                }
                Err(()) => noticed += 1,
            }
        }
    }
    println!("{pages} pages: {noticed} changes noticed, {same} without effect on the content");
    assert!(noticed > same, "most pages carry content");
}
