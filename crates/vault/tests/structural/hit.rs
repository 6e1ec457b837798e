//! What a damage has hit, as plain SQL sees it, and whether a check names that and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;

use mecum_seal::DocumentId;
use mecum_vault::{CheckReport, Problem, Table, UnlockVaultError};
use rusqlite::Connection;

use crate::fixture::document;

/// What is folded: of which document, the first number and the last, under which the run lies.
pub(crate) const RUNS: [(u8, u64, u64); 2] = [(1, 1, 8), (2, 4, 6)];

/// The kind of rows that are heads of documents: no table of the program's.
const HEADS: i64 = 0;

/// A row by its place: kind, id, generation, body.
type Row = (i64, Vec<u8>, i64, Vec<u8>);
/// Chain and body of an envelope, or of a run, by document and number.
type Envelopes = BTreeMap<(Vec<u8>, i64), (Vec<u8>, Vec<u8>)>;

/// Everything in a vault's file, as it lies there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tables {
    rows: BTreeMap<i64, Row>,
    envelopes: Envelopes,
    head: Vec<Vec<u8>>,
}

impl Tables {
    pub(crate) fn of(path: &Path) -> rusqlite::Result<Self> {
        let sql = Connection::open(path)?;
        let mut rows = sql.prepare("SELECT at, kind, id, gen, body FROM row NOT INDEXED")?;
        let rows = rows.query_map([], |r| Ok((r.get(0)?, (r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))))?;
        let mut envelopes = sql.prepare("SELECT document, n, chain, body FROM envelope")?;
        let envelopes = envelopes.query_map([], |r| Ok(((r.get(0)?, r.get(1)?), (r.get(2)?, r.get(3)?))))?;
        let mut head = sql.prepare("SELECT body FROM head")?;
        let head = head.query_map([], |r| r.get(0))?;
        Ok(Self {
            rows: rows.collect::<Result<_, _>>()?,
            envelopes: envelopes.collect::<Result<_, _>>()?,
            head: head.collect::<Result<_, _>>()?,
        })
    }

    /// The name of the row at a place, by the order in which the fixture writes them: a row keeps its place.
    fn name(&self, at: i64) -> Vec<u8> {
        let kind = self.rows[&at].0;
        let before = self.rows.range(..at).filter(|(_, row)| row.0 == kind).count();
        let nth = u8::try_from(before).expect("few rows");
        match table_of(kind) {
            Some(Table::View) => vec![b'v', nth],
            Some(Table::Setting) => vec![b's', nth % 6, nth / 6],
            None => document(nth + 1).as_bytes().to_vec(),
            Some(other) => panic!("the fixture writes nothing into {other:?}"),
        }
    }
}

fn table_of(kind: i64) -> Option<Table> {
    Table::ALL.into_iter().find(|table| i64::from(table.code()) == kind)
}

/// The numbers of what lies under one: those of a run, or its own.
fn numbers(of: &[u8], n: i64) -> RangeInclusive<u64> {
    let n = n.cast_unsigned();
    let run = RUNS.iter().find(|(d, _, last)| document(*d).as_bytes() == of && *last == n);
    run.map_or(n, |(_, first, _)| *first)..=n
}

/// What was hit must be named so: one of these for each.
struct Wanted {
    what: String,
    named: Box<dyn Fn(&Problem) -> bool>,
}

/// What was hit.
#[derive(Default)]
struct Hit {
    wanted: Vec<Wanted>,
    tables: BTreeSet<Option<Table>>,
    documents: BTreeSet<DocumentId>,
    /// Documents whose heads were put back.
    put_back: BTreeSet<Vec<u8>>,
    head: bool,
}

impl Hit {
    fn wants(&mut self, problem: Problem) {
        let what = format!("{problem:?}");
        self.wanted.push(Wanted { what, named: Box::new(move |named| *named == problem) });
    }

    /// The document whose head is at a place is not known any more.
    fn headless(&mut self, before: &Tables, at: i64) {
        let Some(document) = DocumentId::from_slice(&before.name(at)) else { return };
        self.documents.insert(document);
        self.wants(Problem::DocumentHeadMissing { document });
    }

    fn between(before: &Tables, old: &Tables, after: &Tables) -> Self {
        let mut hit = Self { head: before.head != after.head, ..Self::default() };
        if hit.head {
            hit.wants(Problem::HeadRolledBack);
        }
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        let places: BTreeSet<i64> = before.rows.keys().chain(after.rows.keys()).copied().collect();
        for at in places {
            let (was, is) = (before.rows.get(&at), after.rows.get(&at));
            if was != is {
                hit.row(before, old, at, (was, is));
                *counts.entry(was.map_or(-1, |row| row.0)).or_default() -= 1;
                *counts.entry(is.map_or(-1, |row| row.0)).or_default() += 1;
            }
        }
        counts.remove(&-1);
        for (kind, count) in counts {
            let (table, count_of) = (table_of(kind), u32::try_from(count.unsigned_abs()).expect("few rows"));
            if count < 0 {
                hit.wants(Problem::RowsMissing { table, count: count_of });
            } else if count > 0 {
                hit.wants(Problem::RowsAdded { table, count: count_of });
            }
        }
        let places: BTreeSet<_> = before.envelopes.keys().chain(after.envelopes.keys()).collect();
        for place in places {
            let (was, is) = (before.envelopes.get(place), after.envelopes.get(place));
            // Under a head that was put back to an older state, its older envelopes are right.
            if was != is && !hit.put_back.contains(&place.0) {
                hit.envelope(place, was.is_some(), is.is_some());
            }
        }
        hit
    }

    /// One row that is another.
    fn row(&mut self, before: &Tables, old: &Tables, at: i64, (was, is): (Option<&Row>, Option<&Row>)) {
        self.tables.extend([was, is].into_iter().flatten().map(|row| table_of(row.0)));
        match (was, is) {
            (Some(was), Some(is)) => {
                let table = table_of(is.0);
                let is_older = old.rows.values().any(|row| row == is) && (was.0, &was.1) == (is.0, &is.1);
                if is_older {
                    let name = before.name(at);
                    self.documents.extend(DocumentId::from_slice(&name));
                    self.put_back.insert(name.clone());
                    self.wants(Problem::RowRolledBack { table, name });
                    return;
                }
                self.wants(Problem::RowDamaged { table });
                if was.0 == HEADS {
                    self.headless(before, at);
                }
            }
            (Some(was), None) if was.0 == HEADS => self.headless(before, at),
            (None, Some(is)) => self.wants(Problem::RowRepeated { table: table_of(is.0) }),
            _ => {}
        }
    }

    /// One place of an envelope, or of a run, that holds something else.
    fn envelope(&mut self, (of, n): &(Vec<u8>, i64), was: bool, is: bool) {
        let Some(document) = DocumentId::from_slice(of) else { return };
        self.documents.insert(document);
        let numbers = numbers(of, *n);
        match (was, is) {
            (true, false) => {
                numbers.for_each(|n| self.wants(Problem::EnvelopeMissing { document, n }));
            }
            (false, _) => self.wants(Problem::EnvelopeAdded { document, n: n.cast_unsigned() }),
            (true, true) => self.wanted.push(Wanted {
                what: format!("one of {numbers:?} of {document}"),
                named: Box::new(move |problem| is_at(problem, document, &numbers)),
            }),
        }
    }
}

/// Whether a problem is with one of these envelopes of a document.
fn is_at(problem: &Problem, of: DocumentId, numbers: &RangeInclusive<u64>) -> bool {
    match problem {
        Problem::EnvelopeMissing { document, n }
        | Problem::EnvelopeRepeated { document, n }
        | Problem::EnvelopeDamaged { document, n } => *document == of && numbers.contains(n),
        Problem::EnvelopesSwapped { document, a, b } => {
            *document == of && (numbers.contains(a) || numbers.contains(b))
        }
        _ => false,
    }
}

impl Hit {
    /// Whether a problem is with something that was hit, or follows from it.
    fn explains(&self, problem: &Problem) -> bool {
        match problem {
            Problem::RowsMissing { table, .. }
            | Problem::RowsAdded { table, .. }
            | Problem::RowRepeated { table }
            | Problem::RowDamaged { table }
            | Problem::RowRolledBack { table, .. } => self.tables.contains(table),
            Problem::DocumentHeadMissing { document }
            | Problem::EnvelopeMissing { document, .. }
            | Problem::EnvelopeAdded { document, .. }
            | Problem::EnvelopeRepeated { document, .. }
            | Problem::EnvelopesSwapped { document, .. }
            | Problem::EnvelopeDamaged { document, .. } => self.documents.contains(document),
            // Rows do not fit the head where rows are others, or the head itself; commits are gone by the head alone.
            Problem::Rows | Problem::HeadRolledBack => !self.tables.is_empty() || self.head,
            Problem::CommitsLost { .. } => self.head,
            _ => false,
        }
    }
}

/// What was hit and is not named, or what is named and was not hit. Of damage to pages it is enough that the structure is named, or the
/// part that keeps the vault from opening.
pub(crate) fn unnamed(
    before: &Tables,
    old: &Tables,
    after: Option<&Tables>,
    report: &Result<CheckReport, UnlockVaultError>,
    by_pages: bool,
) -> Option<String> {
    let report = match report {
        Ok(report) => report,
        Err(UnlockVaultError::Damaged { .. }) if by_pages => return None,
        Err(error) => return Some(format!("the check does not look: {error:?}")),
    };
    let by_itself = |problem: &Problem| matches!(problem, Problem::Structure | Problem::Head);
    if by_pages && report.problems.iter().any(by_itself) {
        return None;
    }
    let Some(after) = after else {
        return Some("it cannot be read, and its structure is not named".to_owned());
    };
    let hit = Hit::between(before, old, after);
    if hit.wanted.is_empty() {
        return Some("nothing that lies there is another".to_owned());
    }
    let missed = hit.wanted.iter().find(|wanted| !report.problems.iter().any(|named| (wanted.named)(named)));
    if let Some(missed) = missed {
        return Some(format!("not named: {}", missed.what));
    }
    let elsewhere = report.problems.iter().find(|problem| !hit.explains(problem));
    elsewhere.map(|problem| format!("named, and it was not hit: {problem:?}"))
}
