//! Rows and envelopes against a model, and transactions that leave nothing behind when they fail.

use std::collections::BTreeMap;

use mecum_seal::DocumentId;
use mecum_vault::{Durability, Link, Location, Table, Vault, WriteVaultError};
use proptest::prelude::*;

use crate::fixture::{
    Content, NOW_MS, PASSPHRASE, content, create, document, envelopes, file_in, fill, folder, made_again,
    options, residue, unlock,
};

#[derive(Debug, Clone)]
enum Step {
    Put(Table, u8, Vec<u8>),
    Delete(Table, u8),
    Append(u8, Vec<u8>),
    Drop(u8),
}

#[derive(Debug, Clone)]
enum Act {
    Commit(Vec<Step>, Durability),
    Fail(Vec<Step>),
    Reopen,
    Idle,
    Fold(u8, u64, u64),
    Unfold(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let table = prop_oneof![Just(Table::View), Just(Table::Keys), Just(Table::Import)];
    let body = prop::collection::vec(any::<u8>(), 0..300);
    let step = prop_oneof![
        4 => (table.clone(), 0..6u8, body.clone()).prop_map(|(t, n, b)| Step::Put(t, n, b)),
        1 => (table, 0..6u8).prop_map(|(t, n)| Step::Delete(t, n)),
        3 => (1..4u8, body).prop_map(|(d, b)| Step::Append(d, b)),
        1 => (1..4u8).prop_map(Step::Drop),
    ];
    prop::collection::vec(step, 0..6)
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let durability = prop_oneof![Just(Durability::Full), Just(Durability::Normal)];
    let act = prop_oneof![
        6 => (steps(), durability).prop_map(|(s, d)| Act::Commit(s, d)),
        2 => steps().prop_map(Act::Fail),
        1 => Just(Act::Reopen),
        1 => Just(Act::Idle),
        2 => (1..=3u8, 0..8u64, 1..8u64).prop_map(|(n, at, most)| Act::Fold(n, at, most)),
        1 => (1..=3u8).prop_map(Act::Unfold),
    ];
    prop::collection::vec(act, 1..20)
}

fn carry_out(
    vault: &Vault,
    steps: &[Step],
    durability: Durability,
    fail: bool,
) -> Result<(), WriteVaultError> {
    vault.write(durability, |w| {
        for step in steps {
            match step {
                Step::Put(table, name, body) => {
                    w.put(*table, &[*name], body)?;
                    let back = w.get(*table, &[*name])?;
                    assert_eq!(back.as_deref(), Some(body), "a transaction sees its own writes");
                }
                Step::Delete(table, name) => drop(w.delete(*table, &[*name])?),
                Step::Append(n, body) => {
                    let at = w.append(document(*n), body)?;
                    assert_eq!(at, w.envelope_count(document(*n)), "numbers have no gaps");
                }
                Step::Drop(n) => {
                    let there = w.envelope_count(document(*n));
                    assert_eq!(w.drop_log(document(*n))?, there, "all of them");
                }
            }
        }
        if fail { Err(WriteVaultError::NotSaved { full: false }) } else { Ok(()) }
    })
}

fn model(into: &mut Content, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Put(table, name, body) => drop(into.rows.insert((*table, vec![*name]), body.clone())),
            Step::Delete(table, name) => drop(into.rows.remove(&(*table, vec![*name]))),
            Step::Drop(n) => drop(into.envelopes.remove(&document(*n))),
            Step::Append(n, body) => into.envelopes.entry(document(*n)).or_default().push(body.clone()),
        }
    }
}

/// Folds at most so many whole envelopes from number `at` + 1 on, up to the next run or the end.
fn fold_some(vault: &Vault, document: DocumentId, at: u64, most: u64) {
    let links = vault.links(document, 0).expect("reads");
    let run: Vec<Vec<u8>> = links
        .into_iter()
        .skip_while(|link| link.first() <= at)
        .map_while(|link| if let Link::Whole { envelope, .. } = link { Some(envelope) } else { None })
        .take(usize::try_from(most).expect("few"))
        .collect();
    let first =
        vault.links(document, 0).expect("reads").into_iter().map(|link| link.first()).find(|n| *n > at);
    if let Some(first) = first.filter(|_| !run.is_empty()) {
        let last = first + run.len() as u64 - 1;
        let folded = vault.write(Durability::Normal, |w| w.fold(document, (first, last), &residue(&run)));
        assert_eq!(folded, Ok(()), "whole envelopes fold");
    }
}

fn unfold_all(vault: &Vault, document: DocumentId) {
    for link in vault.links(document, 0).expect("reads") {
        if let Link::Folded(run) = link {
            let again = made_again(&run);
            let back = vault.write(Durability::Normal, |w| w.unfold(document, run.first(), &again));
            assert_eq!(back, Ok(()), "what was folded takes its place again");
        }
    }
}

fn run(mut vault: Vault, acts: &[Act]) {
    let mut expected = Content::default();
    for act in acts {
        match act {
            Act::Commit(steps, durability) => {
                carry_out(&vault, steps, *durability, false).expect("the vault takes it");
                model(&mut expected, steps);
            }
            Act::Fail(steps) => {
                let failed = carry_out(&vault, steps, Durability::Full, true);
                assert_eq!(failed, Err(WriteVaultError::NotSaved { full: false }), "the work's own error");
            }
            Act::Reopen => vault = vault.reopen(PASSPHRASE, NOW_MS, &options(5)).expect("unlocks again"),
            Act::Idle => vault.idle().expect("checkpoints"),
            Act::Fold(n, at, most) => fold_some(&vault, document(*n), *at, *most),
            Act::Unfold(n) => unfold_all(&vault, document(*n)),
        }
        assert_eq!(content(&vault).as_ref(), Ok(&expected), "the vault holds what the model holds");
    }
    assert!(vault.check(true).is_clean(), "and its check finds nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_vault_in_memory_holds_what_was_committed_and_nothing_else(acts in acts()) {
        let vault = Vault::create(&Location::Memory, PASSPHRASE, NOW_MS, &options(1)).expect("a new vault");
        run(vault, &acts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 15, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_vault_in_a_file_holds_what_was_committed_and_nothing_else(acts in acts()) {
        let folder = folder();
        run(create(&file_in(folder.path()), 1), &acts);
    }
}

#[test]
fn everything_is_there_after_locking_and_unlocking() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    assert!(before.rows.len() == 30 && before.envelopes.len() == 3, "the fixture has content");
    vault.lock().expect("locks");
    let vault = unlock(&path).expect("unlocks");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "all of it is back");
    assert_eq!(vault.lost_commits(), 0, "and no commit is missing");
}

#[test]
fn lists_and_envelopes_can_be_read_in_part() {
    let vault = Vault::create(&Location::Memory, PASSPHRASE, NOW_MS, &options(1)).expect("a new vault");
    let names: [&[u8]; 5] = [b"b/2", b"a/1", b"a/", b"b", b"a/2"];
    let done: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
        names.iter().try_for_each(|name| w.put(Table::View, name, name))?;
        (0..10u8).try_for_each(|n| w.append(document(1), &[n; 100]).map(drop))
    });
    done.expect("the vault takes it");
    let under = |prefix: &[u8]| -> Vec<Vec<u8>> {
        vault.list_prefix(Table::View, prefix).expect("reads").into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(under(b"a/"), [&b"a/"[..], b"a/1", b"a/2"], "by prefix, in byte order");
    assert_eq!(under(b"b/"), [&b"b/2"[..]], "again after the names are known");
    assert_eq!(vault.names(Table::View).expect("reads").len(), 5, "names alone");
    let tail = envelopes(&vault, document(1), 7).expect("reads");
    assert_eq!(
        tail.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
        [8, 9, 10],
        "only what comes after the seventh"
    );
    assert_eq!(envelopes(&vault, document(1), 10), Ok(Vec::new()), "nothing after the last");
    assert_eq!(envelopes(&vault, document(9), 0), Ok(Vec::new()), "nothing of an unknown document");
}

#[test]
fn a_write_that_panics_leaves_the_vault_as_it_was() {
    let vault = Vault::create(&Location::Memory, PASSPHRASE, NOW_MS, &options(1)).expect("a new vault");
    fill(&vault, 3);
    let before = content(&vault).expect("reads");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
            w.put(Table::View, b"half", b"done")?;
            w.append(document(1), b"half")?;
            panic!("in the middle of a transaction");
        });
    }));
    assert!(panicked.is_err(), "the panic arrives");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "nothing of the write remains");
    assert_eq!(
        carry_out(&vault, &[Step::Append(1, vec![1])], Durability::Full, false),
        Ok(()),
        "and it goes on"
    );
    assert!(vault.check(true).is_clean(), "with nothing out of place");
}

#[test]
fn a_swallowed_error_does_not_let_half_a_write_through() {
    let vault = Vault::create(&Location::Memory, PASSPHRASE, NOW_MS, &options(1)).expect("a new vault");
    let huge = vec![0u8; 17 * 1024 * 1024];
    let written: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
        w.put(Table::View, b"a", b"kept?")?;
        let _ = w.put(Table::View, b"b", &huge);
        assert!(w.put(Table::View, b"c", b"").is_err(), "after an error nothing more is taken");
        Ok(())
    });
    assert_eq!(written, Err(WriteVaultError::NotSaved { full: false }), "the commit is refused");
    assert_eq!(
        content(&vault),
        Ok(Content { rows: BTreeMap::new(), ..Content::default() }),
        "nothing was saved"
    );
}

#[test]
fn a_write_without_changes_costs_no_commit() {
    let vault = Vault::create(&Location::Memory, PASSPHRASE, NOW_MS, &options(1)).expect("a new vault");
    fill(&vault, 4);
    let commits = vault.commits();
    let read: Result<bool, WriteVaultError> =
        vault.write(Durability::Full, |w| Ok(w.get(Table::View, b"v\0")?.is_some()));
    assert_eq!((read, vault.commits()), (Ok(true), commits), "reading is no commit");
}

#[test]
fn a_log_that_no_idle_moment_empties_stays_bounded_and_a_burst_does_not_wait_for_it() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 7);
    let log = path.with_extension("sqlite-wal");
    let length = || std::fs::metadata(&log).map_or(0, |meta| meta.len());
    let write = |round: u8, bytes: usize| {
        let done: Result<(), WriteVaultError> =
            vault.write(Durability::Normal, |w| w.put(Table::View, b"page", &vec![round; bytes]));
        done.expect("a write");
    };
    let before = length();
    for round in 0..100 {
        write(round, 3_000);
    }
    assert!(length() > before + 100 * 4_096, "a hundred saved edits are in the log: {}", length());
    let mut most = 0;
    for round in 0..160 {
        write(round, 128 * 1024);
        most = most.max(length());
    }
    assert!(most < 13 << 20, "the log is moved into the file when it has grown: {most}");
    assert!(most > 9 << 20, "the control: and not with every write: {most}");
    assert!(vault.check(true).is_clean(), "all is there");
}
