//! The part of a check that looks at envelopes: which one is missing, changed, repeated or out of place.

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::{DocumentId, Hash32, sha256};
use rusqlite::{Connection, params};

use super::{CheckReport, MAX_GUESSES, Problem};
use crate::error::ReadVaultError;
use crate::head::{DocumentHead, chain_step};
use crate::keys::Keys;
use crate::links::Stored;

pub(super) fn inspect_envelopes(
    connection: &Connection,
    keys: &Keys,
    documents: &BTreeMap<DocumentId, DocumentHead>,
    report: &mut CheckReport,
) -> Result<(), ReadVaultError> {
    inspect_headless(connection, documents, report)?;
    for (document, head) in documents {
        inspect_document(connection, keys, *document, head, report)?;
    }
    Ok(())
}

/// Names the documents that have envelopes and no head.
pub(super) fn inspect_headless(
    connection: &Connection,
    documents: &BTreeMap<DocumentId, DocumentHead>,
    report: &mut CheckReport,
) -> Result<(), ReadVaultError> {
    let mut statement = connection.prepare("SELECT DISTINCT document FROM envelope")?;
    let stored =
        statement.query_map([], |row| Ok(row.get_ref(0)?.as_blob().ok().and_then(DocumentId::from_slice)))?;
    for document in stored {
        match document? {
            Some(document) if documents.contains_key(&document) => {}
            Some(document) => report.problems.push(Problem::DocumentHeadMissing { document }),
            None => report.problems.push(Problem::Structure),
        }
    }
    Ok(())
}

/// What is stored of one link: the numbers that it stands for, what it adds to the chain, and whether the chain beside it follows from
/// the one before.
struct Link {
    first: u64,
    n: u64,
    adds: Adds,
    follows: bool,
}

/// What a link adds to the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Adds {
    /// The SHA-256 of an envelope.
    Envelope(Hash32),
    /// A folded run leads from one chain value to another, by its seal.
    Run(Hash32, Hash32),
}

impl Adds {
    fn to(self, chain: &Hash32) -> Hash32 {
        match self {
            Adds::Envelope(id) => chain_step(chain, &id),
            Adds::Run(before, after) if before == *chain => after,
            // Out of its place it leads nowhere.
            Adds::Run(..) => chain_step(chain, &Hash32::ZERO),
        }
    }
}

/// Checks the envelopes of one document against its head.
pub(super) fn inspect_document(
    connection: &Connection,
    keys: &Keys,
    document: DocumentId,
    head: &DocumentHead,
    report: &mut CheckReport,
) -> Result<(), ReadVaultError> {
    let links = load_links(connection, keys, document)?;
    let before = report.problems.len();
    let present: BTreeSet<u64> = links.iter().flat_map(|link| link.first..=link.n).collect();
    report.envelopes += present.len() as u64;
    let missing = (1..=head.count).filter(|n| !present.contains(n)).take(1_000);
    report.problems.extend(missing.map(|n| Problem::EnvelopeMissing { document, n }));
    let added = present.iter().filter(|n| !(1..=head.count).contains(*n));
    report.problems.extend(added.map(|n| Problem::EnvelopeAdded { document, n: *n }));
    if chain_of(links.iter().map(|link| link.adds)) == head.chain {
        let damaged = links.iter().filter(|link| !link.follows);
        report.problems.extend(damaged.map(|link| Problem::EnvelopeDamaged { document, n: link.n }));
        return Ok(());
    }
    if report.problems.len() > before {
        // What follows one that is missing cannot be judged; what follows one that is there, can.
        let judged = |link: &Link| link.first <= 1 || present.contains(&(link.first - 1));
        let counted = |link: &Link| (1..=head.count).contains(&link.n);
        let damaged = links.iter().filter(|link| !link.follows && counted(link) && judged(link));
        report.problems.extend(damaged.map(|link| Problem::EnvelopeDamaged { document, n: link.n }));
        return Ok(());
    }
    name_changed(document, head, &links, report);
    if report.problems.len() == before {
        // Chain values were made to fit: at least the last does not.
        report.problems.push(Problem::EnvelopeDamaged { document, n: head.count });
    }
    Ok(())
}

/// The right number of envelopes with a wrong chain: names the repeated, the swapped or the changed.
fn name_changed(document: DocumentId, head: &DocumentHead, links: &[Link], report: &mut CheckReport) {
    let mut first_at: BTreeMap<Adds, &Link> = BTreeMap::new();
    let mut repeated = Vec::new();
    for link in links {
        if let Some(other) = first_at.insert(link.adds, link) {
            repeated.push(if other.follows { link.n } else { other.n });
        }
    }
    if !repeated.is_empty() {
        report.problems.extend(repeated.into_iter().map(|n| Problem::EnvelopeRepeated { document, n }));
        return;
    }
    let suspects: Vec<usize> =
        links.iter().enumerate().filter(|(_, link)| !link.follows).map(|(at, _)| at).collect();
    let ids: Vec<Adds> = links.iter().map(|link| link.adds).collect();
    let mut guesses = MAX_GUESSES;
    for (nth, a) in suspects.iter().enumerate() {
        for b in suspects.iter().skip(nth + 1) {
            guesses = guesses.saturating_sub(ids.len() as u64);
            let mut swapped = ids.clone();
            swapped.swap(*a, *b);
            if guesses > 0 && chain_of(swapped.into_iter()) == head.chain {
                let number = |at: usize| links.get(at).map_or(0, |link| link.n);
                report.problems.push(Problem::EnvelopesSwapped { document, a: number(*a), b: number(*b) });
                return;
            }
        }
    }
    let damaged = links.iter().filter(|link| !link.follows);
    report.problems.extend(damaged.map(|link| Problem::EnvelopeDamaged { document, n: link.n }));
}

fn load_links(
    connection: &Connection,
    keys: &Keys,
    document: DocumentId,
) -> Result<Vec<Link>, ReadVaultError> {
    let mut statement =
        connection.prepare_cached("SELECT n, chain, body FROM envelope WHERE document = ?1 ORDER BY n")?;
    let mut cursor = statement.query(params![document.as_bytes()])?;
    let mut links: Vec<Link> = Vec::new();
    let (mut before, mut made) = (Some(Hash32::ZERO), Hash32::ZERO);
    while let Some(row) = cursor.next()? {
        let stored = Stored::of(row);
        let n = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        let run = stored.as_ref().and_then(|stored| {
            let first = stored.first?;
            let begun = before.filter(|_| links.last().is_none_or(|link| link.n < first));
            // The chain value beside the one before it may be another: then it goes on from where the links themselves lead.
            let mut from = begun.into_iter().chain(begun.map(|_| made));
            let opens = from.find(|before| stored.open(keys, document, *before).is_ok());
            Some((first, opens.map(|before| Adds::Run(before, stored.chain))))
        });
        let link = match run {
            Some((first, Some(adds))) => Link { first, n, adds, follows: true },
            // The numbers that it says are as good as its seal.
            Some((_, None)) => Link { first: n, n, adds: Adds::Envelope(Hash32::ZERO), follows: false },
            None => {
                let id = row.get_ref(2)?.as_blob().map_or(Hash32::ZERO, sha256);
                let follows = stored.as_ref().is_some_and(|stored| {
                    before.is_some_and(|before| chain_step(&before, &id) == stored.chain)
                });
                Link { first: n, n, adds: Adds::Envelope(id), follows }
            }
        };
        made = link.adds.to(&made);
        links.push(link);
        before = stored.map(|stored| stored.chain);
    }
    Ok(links)
}

fn chain_of(links: impl Iterator<Item = Adds>) -> Hash32 {
    links.fold(Hash32::ZERO, |chain, link| link.to(&chain))
}
