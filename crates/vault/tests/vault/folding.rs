//! Runs of envelopes of which a residue is kept: the chain over them holds, and nothing else takes their place.

use std::path::Path;

use mecum_seal::{DocumentId, Hash32, PassphraseSlot, RowKey, derive_key, open_row, sha256, sha256_parts};
use mecum_vault::{
    Durability, Link, Location, Part, Problem, ReadVaultError, Salvage, Table, UnlockVaultError, Vault,
    WriteVaultError,
};
use rusqlite::{Connection, params};

use crate::fixture::{
    NOW_MS, PASSPHRASE, content, create, document, envelopes, file_in, fill, fold, folder, made_again,
    options, residue, unlock,
};

const DAMAGED: WriteVaultError = WriteVaultError::Damaged { what: Part::Envelopes };

fn whole(vault: &Vault) -> usize {
    let links = vault.links(document(1), 0).expect("reads");
    links.iter().filter(|link| matches!(link, Link::Whole { .. })).count()
}

#[test]
fn a_folded_run_stands_for_its_envelopes_until_they_are_put_back() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    let bytes = || {
        Connection::open(&path).expect("opens").query_row(
            "SELECT sum(length(body)) FROM envelope WHERE document = ?1",
            [document(1).as_bytes()],
            |row| row.get::<_, i64>(0),
        )
    };
    fold(&vault, document(1), (3, 6)).expect("folds");
    assert_eq!((whole(&vault), vault.envelope_count(document(1))), (4, 8), "four of eight are a run");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "which stands for the same envelopes");
    assert!(vault.check(false).is_clean() && vault.check(true).is_clean(), "and is no damage");
    assert_eq!(vault.check(true).envelopes, 24, "they are counted");
    let from_inside = vault.links(document(1), 4).expect("reads");
    assert_eq!(from_inside.first().map(Link::first), Some(3), "asked from its middle, the run comes whole");
    for n in 1..=8 {
        let link = vault.link(document(1), n).expect("reads").expect("there");
        assert!((link.first()..=link.last()).contains(&n), "the link of each number holds it");
    }
    assert_eq!(vault.link(document(1), 9), Ok(None), "and there are no more");
    vault.write(Durability::Full, |w| w.append(document(1), b"another")).expect("the log goes on");
    fold(&vault, document(1), (7, 9)).expect("a run follows a run");
    fold(&vault, document(1), (1, 2)).expect("or comes before one");
    vault.lock().expect("locks");
    assert!(bytes().expect("reads") > 0, "sealed residues are there");

    let vault = unlock(&path).expect("unlocks");
    assert_eq!(whole(&vault), 0, "nothing but runs");
    assert!(vault.check(true).is_clean(), "still no damage");
    for link in vault.links(document(1), 0).expect("reads") {
        let Link::Folded(run) = link else { panic!("only runs") };
        let again = made_again(&run);
        vault.write(Durability::Full, |w| w.unfold(document(1), run.first(), &again)).expect("goes back");
    }
    assert_eq!(whole(&vault), 9, "every envelope is itself again");
    let mut now = content(&vault).expect("reads");
    assert_eq!(now.envelopes.entry(document(1)).or_default().pop(), Some(b"another".to_vec()), "the new one");
    assert_eq!(now, before, "and the others as they were");
    assert!(vault.check(true).is_clean(), "with the chain that they had");
    fold(&vault, document(1), (1, 5)).expect("folds");
    let dropped = vault.write(Durability::Full, |w| w.drop_log(document(1)));
    assert_eq!(dropped, Ok(9), "a log goes with its runs");
}

#[test]
fn only_the_envelopes_that_were_folded_are_put_back_and_only_whole_ones_are_folded() {
    let folder = folder();
    let vault = create(&file_in(folder.path()), 1);
    fill(&vault, 2);
    fold(&vault, document(1), (3, 6)).expect("folds");
    let run = vault.link(document(1), 3).expect("reads").expect("there");
    let Link::Folded(run) = run else { panic!("it was folded") };
    let good = made_again(&run);
    let mut flipped = good.clone();
    flipped[1][7] ^= 1;
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    for wrong in [flipped, swapped, good[1..].to_vec(), [good.clone(), vec![Vec::new()]].concat()] {
        assert!(!run.are(&wrong), "other envelopes are not the ones");
        let put = vault.write(Durability::Full, |w| w.unfold(document(1), 3, &wrong));
        assert_eq!(put, Err(DAMAGED), "nor do they take the place");
    }
    for (at, why) in [(1, "no run begins here"), (4, "it begins earlier"), (99, "nothing is here")] {
        let put = vault.write(Durability::Full, |w| w.unfold(document(1), at, &good));
        assert_eq!(put, Err(DAMAGED), "{why}");
    }
    for (range, why) in [
        ((1, 3), "a run would be cut"),
        ((4, 5), "within a run"),
        ((3, 6), "nothing but a run"),
        ((8, 9), "beyond the end"),
        ((0, 1), "numbers begin at 1"),
        ((8, 7), "nothing in it"),
    ] {
        let folded = vault.write(Durability::Full, |w| w.fold(document(1), range, b"x"));
        assert_eq!(folded, Err(DAMAGED), "{why}");
    }
    let unknown = vault.write(Durability::Full, |w| w.fold(document(9), (1, 1), b"x"));
    assert_eq!(unknown, Err(DAMAGED), "a document that is not there");
    let commits = vault.commits();
    let failed = vault.write(Durability::Full, |w| {
        w.fold(document(2), (1, 8), b"x")?;
        Err::<(), _>(WriteVaultError::NotSaved { full: false })
    });
    assert!(failed.is_err() && vault.commits() == commits, "it fails as a whole");
    assert_eq!(envelopes(&vault, document(2), 0).expect("reads").len(), 8, "and leaves the envelopes");
    assert!(vault.check(true).is_clean(), "nothing of all this did harm");
}

#[test]
fn a_run_goes_on_growing_with_what_lies_beside_it() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    fold(&vault, document(1), (3, 4)).expect("folds");
    fold(&vault, document(1), (3, 6)).expect("with what follows it");
    fold(&vault, document(1), (1, 6)).expect("and with what comes before it");
    let links = vault.links(document(1), 0).expect("reads");
    let spans: Vec<(u64, u64)> = links.iter().map(|link| (link.first(), link.last())).collect();
    assert_eq!(spans, [(1, 6), (7, 7), (8, 8)], "one run");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "which stands for the same envelopes");
    assert!(vault.check(true).is_clean(), "and is no damage");
    vault.lock().expect("locks");
    let vault = unlock(&path).expect("unlocks");
    let Some(Link::Folded(run)) = vault.link(document(1), 2).expect("reads") else { panic!("it was folded") };
    vault.write(Durability::Full, |w| w.unfold(document(1), 1, &made_again(&run))).expect("goes back");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "and all of them can be put back");
    assert!(vault.check(true).is_clean(), "with the chain that they had");
}

#[test]
fn somebody_without_the_keys_moves_no_run_and_makes_none() {
    let changes: [(&str, &str); 7] = [
        ("another end", "UPDATE envelope SET n = 5 WHERE document = ?1 AND n = 6 AND ?2"),
        (
            "another beginning",
            "UPDATE envelope SET chain = CAST(substr(chain, 1, 39) || x'02' AS BLOB) WHERE document = ?1 AND n = 6 AND ?2",
        ),
        (
            "no run any more",
            "UPDATE envelope SET chain = substr(chain, 1, 32) WHERE document = ?1 AND n = 6 AND ?2",
        ),
        (
            "another chain",
            "UPDATE envelope SET chain = CAST(randomblob(32) || substr(chain, 33) AS BLOB) WHERE document = ?1 AND n = 6 AND ?2",
        ),
        (
            "another residue",
            "UPDATE envelope SET body = randomblob(length(body)) WHERE document = ?1 AND n = 6 AND ?2",
        ),
        (
            "another document's",
            "UPDATE envelope SET body = (SELECT body FROM envelope WHERE document = ?2 AND n = 6) WHERE document = ?1 AND n = 6",
        ),
        (
            "a run out of an envelope",
            "UPDATE envelope SET chain = CAST(chain || x'0000000000000007' AS BLOB) WHERE document = ?1 AND n = 7 AND ?2",
        ),
    ];
    for (what, sql) in changes {
        let folder = folder();
        let path = file_in(folder.path());
        let vault = create(&path, 1);
        fill(&vault, 2);
        fold(&vault, document(1), (3, 6)).expect("folds");
        fold(&vault, document(2), (3, 6)).expect("folds");
        vault.lock().expect("locks");
        let connection = Connection::open(&path).expect("plain SQLite opens it");
        let changed = connection.execute(
            &sql.replace("AND ?2", "AND ?2 IS NOT NULL"),
            params![document(1).as_bytes(), document(2).as_bytes()],
        );
        assert!(changed.is_ok_and(|changed| changed == 1), "{what}: the file was changed");
        drop(connection);
        let vault = unlock(&path).expect("the rows are good");
        let read = vault.links(document(1), 0);
        assert_eq!(read, Err(ReadVaultError::Damaged { what: Part::Envelopes }), "{what}: not read");
        let problems = vault.check(false).problems;
        assert!(!problems.is_empty(), "{what}: found");
        assert!(
            problems.iter().all(|problem| matches!(
                problem,
                Problem::EnvelopeDamaged { document: of, .. } | Problem::EnvelopeMissing { document: of, .. }
                    if *of == document(1)
            )),
            "{what}: laid to the document that was hit: {problems:?}"
        );
    }
}

#[test]
fn damage_beside_a_folded_run_is_laid_to_what_was_hit() {
    // By way of a copy: a single UPDATE would read what it has just written.
    let swapped = "CREATE TEMP TABLE was AS SELECT document, n, body FROM envelope;
         UPDATE envelope SET body =
             (SELECT was.body FROM was WHERE was.document = envelope.document AND was.n = 14 - envelope.n)
         WHERE document = x'01010101010101010101010101010101' AND n IN (6, 8)";
    let before_it = "UPDATE envelope SET chain = zeroblob(32)
         WHERE document = x'01010101010101010101010101010101' AND n = 2";
    let cases =
        [("run and envelope swapped", swapped, 8, false), ("the chain before a run", before_it, 2, true)];
    for (what, sql, hit, is_whole) in cases {
        let folder = folder();
        let path = file_in(folder.path());
        let vault = create(&path, 1);
        fill(&vault, 2);
        let document = document(1);
        fold(&vault, document, (3, 6)).expect("folds");
        vault.lock().expect("locks");
        let connection = Connection::open(&path).expect("plain SQLite opens it");
        connection.execute_batch(sql).expect("valid SQL");
        drop(connection);
        let problems = unlock(&path).expect("the rows are good").check(false).problems;
        assert!(problems.contains(&Problem::EnvelopeDamaged { document, n: hit }), "{what}: {problems:?}");
        let missing = problems.iter().any(|problem| matches!(problem, Problem::EnvelopeMissing { .. }));
        assert_eq!(missing, !is_whole, "{what}: a run that is whole is not missing: {problems:?}");
    }
}

/// The layout as it was when runs were first written: bytes, associated data and key.
#[test]
fn the_layout_of_a_folded_run_is_frozen() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    let log = DocumentId::from_bytes([0xd0; 16]);
    vault
        .write(Durability::Full, |w| (1..=3_u8).try_for_each(|n| w.append(log, &[n; 40]).map(drop)))
        .expect("appends");
    let run: Vec<Vec<u8>> = (2..=3_u8).map(|n| vec![n; 40]).collect();
    vault.write(Durability::Full, |w| w.fold(log, (2, 3), &residue(&run))).expect("folds");
    vault.lock().expect("locks");

    let connection = Connection::open(&path).expect("opens");
    let chain = |before: Hash32, n: u8| {
        let id = sha256(&[n; 40]);
        sha256_parts(&[before.as_bytes(), id.as_bytes()])
    };
    let (one, three) = {
        let one = chain(Hash32::ZERO, 1);
        (one, chain(chain(one, 2), 3))
    };
    let row = |n: i64| -> (Vec<u8>, Vec<u8>) {
        let sql = "SELECT chain, body FROM envelope WHERE n = ?1";
        connection.query_row(sql, [n], |row| Ok((row.get(0)?, row.get(1)?))).expect("there")
    };
    assert_eq!(row(1), (one.as_bytes().to_vec(), vec![1; 40]), "an envelope is a row of its own");
    let (column, body) = row(3);
    assert_eq!(column, [three.as_bytes().as_slice(), &2_u64.to_be_bytes()].concat(), "chain and beginning");
    let slot: Vec<u8> = connection
        .query_row("SELECT body FROM slot", [], |row| row.get(0))
        .expect("a slot of the passphrase");
    let slot = PassphraseSlot::decode(&slot, options(1).kdf.floor()).expect("a slot");
    let Ok(vault_key) = slot.open(PASSPHRASE) else { panic!("the passphrase opens it") };
    let key = RowKey::from_bytes(*derive_key(&vault_key, "mecum/vault/1/folded").expose());
    let aad = [
        b"mecum/vault/1/folded".as_slice(),
        log.as_bytes(),
        &2_u64.to_be_bytes(),
        &3_u64.to_be_bytes(),
        one.as_bytes(),
        three.as_bytes(),
    ]
    .concat();
    let opened = open_row(&key, &aad, &body).expect("a sealed row of exactly this place");
    assert_eq!(opened.as_slice(), residue(&run), "and in it the residue as it was handed over");
}

fn version(path: &Path) -> i64 {
    let connection = Connection::open(path).expect("opens");
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("reads")
}

fn set_version(path: &Path, version: i64) {
    Connection::open(path)
        .and_then(|file| file.pragma_update(None, "user_version", version))
        .expect("writes");
}

/// Whether a residue keeps seeds of salts (ADR 0019) lies under its seal. Programs of before them read files up to version 2.
#[test]
fn a_run_that_is_written_now_makes_the_file_too_new_for_programs_that_know_no_seeds_and_older_files_open() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    vault.lock().expect("locks");
    assert_eq!(version(&path), 1, "a file without runs is what every version reads");
    let vault = unlock(&path).expect("unlocks");
    fold(&vault, document(1), (3, 6)).expect("folds");
    vault.lock().expect("locks");
    assert_eq!(version(&path), 3, "one with runs of now says so, and is not taken for damage");

    set_version(&path, 2);
    let vault = unlock(&path).expect("one with runs of before opens");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "with all that is in it");
    assert!(vault.check(true).is_clean(), "and is sound");
    vault.write(Durability::Full, |w| w.append(document(2), b"another")).expect("the log goes on");
    vault.lock().expect("locks");
    assert_eq!(version(&path), 2, "it stays one of before while nothing is folded");
    let vault = unlock(&path).expect("unlocks");
    fold(&vault, document(1), (3, 7)).expect("a run of before goes on growing");
    vault.lock().expect("locks");
    assert_eq!(version(&path), 3, "and is one of now");

    set_version(&path, 5);
    assert_eq!(unlock(&path).err(), Some(UnlockVaultError::TooNew), "what is newer still is said to be so");
}

/// Programs of before such conversations read files up to version 3, whatever is in them, and say of a later one that it is too new.
#[test]
fn a_file_with_a_care_space_is_too_new_for_the_version_before_not_damaged() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let noted: Result<u64, WriteVaultError> = vault.write(Durability::Full, |w| {
        w.note_care()?;
        w.append(document(2), b"another")
    });
    noted.expect("noted");
    vault.lock().expect("locks");
    assert_eq!(version(&path), 4, "which no version before reads");
    let vault = unlock(&path).expect("this one does");
    let before = content(&vault).expect("reads");
    fold(&vault, document(1), (3, 6)).expect("folds");
    vault.lock().expect("locks");
    assert_eq!(version(&path), 4, "a run takes nothing back of it");
    let vault = unlock(&path).expect("unlocks");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "with all that is in it");
    assert!(vault.check(true).is_clean(), "and is sound");
    assert!(vault.scrub().expect("it is written anew"), "after an erasure");
    vault.lock().expect("locks");
    assert_eq!(version(&path), 4, "and stays what it is");

    let folded = file_in(&folder.path().join("folded"));
    std::fs::create_dir_all(folded.parent().expect("a folder")).expect("made");
    let vault = create(&folded, 1);
    fill(&vault, 2);
    fold(&vault, document(1), (3, 6)).expect("folds");
    let undone: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
        w.note_care()?;
        Err(WriteVaultError::TooLarge)
    });
    undone.expect_err("the transaction is given up");
    vault.lock().expect("locks");
    assert_eq!(version(&folded), 3, "what is not committed is not noted");
}

/// Of a damaged file it may be that what makes it too new for a program is what was lost: what is taken out of it says so all the same.
#[test]
fn what_is_taken_out_of_a_file_is_for_no_earlier_program_than_the_file_was() {
    for noted in [1, 2, 3, 4] {
        let folder = folder();
        let path = file_in(folder.path());
        let vault = create(&path, 1);
        fill(&vault, 2);
        vault.lock().expect("locks");
        set_version(&path, noted);
        let mended = file_in(&folder.path().join("mended"));
        std::fs::create_dir_all(mended.parent().expect("a folder")).expect("made");
        let salvage = Salvage::open(&Location::File(path), PASSPHRASE, NOW_MS, &options(3));
        let begun =
            salvage.expect("it is read").begin_vault(&Location::File(mended.clone()), &options(4), |w| {
                w.append(document(2), b"all that was good").map(drop)
            });
        begun.expect("a new one").lock().expect("locks");
        assert_eq!(version(&mended), noted, "as it was");
        assert!(unlock(&mended).expect("unlocks").check(true).is_clean(), "and it is a vault");
    }
}

#[test]
fn a_file_gives_back_what_folding_leaves_free_a_few_pages_at_a_time() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    let log = document(7);
    let written = vault.write(Durability::Normal, |w| {
        (0..400_u16).try_for_each(|n| w.append(log, &n.to_be_bytes().repeat(1_000)).map(drop))
    });
    written.expect("appends");
    vault.idle().expect("checkpoints");
    let size = || std::fs::metadata(&path).expect("there").len();
    let full = size();
    vault.write(Durability::Normal, |w| w.fold(log, (1, 400), b"n, a thousand times")).expect("folds");
    vault.idle().expect("gives back");
    let after_one = size();
    assert!(full - after_one <= 64 * 4_096, "no more than a few pages in one step: {full}, {after_one}");
    for _ in 0..10 {
        vault.idle().expect("gives back");
    }
    let after = size();
    assert!(after < full / 4, "what is free goes: {after} of {full}");
    let commits = vault.commits();
    vault.idle().expect("nothing to do");
    assert_eq!((size(), vault.commits()), (after, commits), "and then it stays");
    assert!(vault.check(true).is_clean(), "all is as it was written");
    vault.lock().expect("locks");
    assert!(unlock(&path).expect("unlocks").check(true).is_clean(), "after a restart too");
}

#[test]
fn what_was_folded_and_then_dropped_is_in_no_page_of_the_file_once_it_was_scrubbed() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    // Each is longer than a page; none of its pieces is like another.
    let piece = |n: u64, at: u64| sha256(&[n.to_be_bytes(), at.to_be_bytes()].concat());
    for n in 0..12 {
        let envelope: Vec<u8> = (0..100).flat_map(|at| *piece(n, at).as_bytes()).collect();
        vault.write(Durability::Full, |w| w.append(document(9), &envelope)).expect("appends");
    }
    let left = || {
        let files = std::fs::read_dir(folder.path()).expect("a folder").flatten();
        let bytes: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.path()).expect("reads")).collect();
        let has = |one: &Hash32| bytes.iter().any(|file| file.windows(32).any(|part| part == one.as_bytes()));
        (0..12).flat_map(|n| (10..90).map(move |at| (n, at))).filter(|(n, at)| has(&piece(*n, *at))).count()
    };
    vault.idle().expect("rests");
    fold(&vault, document(9), (1, 12)).expect("folds");
    vault.write(Durability::Full, |w| w.drop_log(document(9))).expect("drops");
    assert!(left() > 900, "the search finds it while it is there");
    assert_eq!(vault.scrub(), Ok(true), "nobody reads");
    assert_eq!(left(), 0, "nothing of it in any file");
    assert!(vault.check(true).is_clean(), "and what else there was is sound");
}

#[test]
fn what_was_saved_over_by_something_shorter_is_in_no_page_of_the_file_once_it_was_scrubbed() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let name = document(1);
    let body = |n: u8| -> Vec<u8> { (0..200 - 13 * n).flat_map(|at| *sha256(&[n, at]).as_bytes()).collect() };
    let put = |n| vault.write(Durability::Full, |w| w.put_over(Table::Snapshot, name.as_bytes(), &body(n)));
    let stored = || -> Vec<u8> {
        let sql = "SELECT body FROM row WHERE kind = 5 ORDER BY length(body) DESC LIMIT 1";
        Connection::open(&path).expect("opens").query_row(sql, [], |row| row.get(0)).expect("a snapshot")
    };
    let left = |sealed: &[u8]| {
        let files = std::fs::read_dir(folder.path()).expect("a folder").flatten();
        let bytes: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.path()).expect("reads")).collect();
        let pieces = sealed.windows(32).skip(1_200).step_by(40);
        pieces.filter(|piece| bytes.iter().any(|file| file.windows(32).any(|part| part == *piece))).count()
    };
    for folded in [false, true] {
        if folded {
            fold(&vault, name, (1, 4)).expect("folds");
        }
        put(1).expect("saved");
        let before = stored();
        assert!(left(&before) > 80, "the search finds it while it is there");
        put(2).expect("saved over it");
        vault.idle().expect("rests");
        assert_eq!(vault.scrub(), Ok(true), "nobody reads");
        assert_eq!(left(&before), 0, "nothing of it in any file");
        let read = vault.get(Table::Snapshot, name.as_bytes()).expect("reads").map(|body| body.to_vec());
        assert_eq!(read, Some(body(2)), "and the new one is there");
    }
    assert!(vault.check(true).is_clean(), "as what else there was");
}

#[test]
fn between_two_saves_the_log_is_moved_once_it_is_long_and_else_when_it_is_quiet() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 1);
    vault.idle().expect("rests");
    let file = || std::fs::read(&path).expect("reads");
    let (before, mut moved) = (file(), None);
    for n in 0..100_u32 {
        vault
            .write(Durability::Full, |w| w.put(Table::Setting, &n.to_be_bytes(), &[7; 3_000]))
            .expect("saved");
        vault.idle_between_saves().expect("rests a little");
        if file() != before {
            moved = Some(n);
            break;
        }
    }
    assert!(moved.is_some_and(|n| (10..60).contains(&n)), "after a while, and not each time: {moved:?}");
    let before = file();
    vault.write(Durability::Full, |w| w.put(Table::Setting, b"one more", b"small")).expect("saved");
    vault.idle_between_saves().expect("rests a little");
    vault.shorten_log().expect("it is short");
    assert_eq!(file(), before, "a short one stays");
    vault.idle().expect("rests");
    assert_ne!(file(), before, "when it is quiet it is moved");
    assert!(vault.check(true).is_clean(), "all is as it was written");
}
