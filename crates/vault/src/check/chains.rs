//! The part of a check that looks at envelopes: which one is missing, changed, repeated or out of place.

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::{DocumentId, Hash32, sha256};
use rusqlite::{Connection, params};

use super::{CheckReport, MAX_GUESSES, Problem};
use crate::error::ReadVaultError;
use crate::head::{DocumentHead, chain_step};

pub(super) fn inspect_envelopes(
    connection: &Connection,
    documents: &BTreeMap<DocumentId, DocumentHead>,
    report: &mut CheckReport,
) -> Result<(), ReadVaultError> {
    inspect_headless(connection, documents, report)?;
    for (document, head) in documents {
        inspect_document(connection, *document, head, report)?;
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

/// What is stored of one envelope: its number, its SHA-256, and whether the chain beside it follows from the one
/// before.
struct Link {
    n: u64,
    id: Hash32,
    follows: bool,
}

/// Checks the envelopes of one document against its head.
pub(super) fn inspect_document(
    connection: &Connection,
    document: DocumentId,
    head: &DocumentHead,
    report: &mut CheckReport,
) -> Result<(), ReadVaultError> {
    let links = load_links(connection, document)?;
    report.envelopes += links.len() as u64;
    let before = report.problems.len();
    let present: BTreeSet<u64> = links.iter().map(|link| link.n).collect();
    let missing = (1..=head.count).filter(|n| !present.contains(n)).take(1_000);
    report.problems.extend(missing.map(|n| Problem::EnvelopeMissing { document, n }));
    let added = present.iter().filter(|n| !(1..=head.count).contains(*n));
    report.problems.extend(added.map(|n| Problem::EnvelopeAdded { document, n: *n }));
    if chain_of(links.iter().map(|link| link.id)) == head.chain {
        let damaged = links.iter().filter(|link| !link.follows);
        report.problems.extend(damaged.map(|link| Problem::EnvelopeDamaged { document, n: link.n }));
        return Ok(());
    }
    if report.problems.len() > before {
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
    let mut first_at: BTreeMap<Hash32, &Link> = BTreeMap::new();
    let mut repeated = Vec::new();
    for link in links {
        if let Some(other) = first_at.insert(link.id, link) {
            repeated.push(if other.follows { link.n } else { other.n });
        }
    }
    if !repeated.is_empty() {
        report.problems.extend(repeated.into_iter().map(|n| Problem::EnvelopeRepeated { document, n }));
        return;
    }
    let suspects: Vec<usize> =
        links.iter().enumerate().filter(|(_, link)| !link.follows).map(|(at, _)| at).collect();
    let ids: Vec<Hash32> = links.iter().map(|link| link.id).collect();
    let mut guesses = MAX_GUESSES;
    for (nth, a) in suspects.iter().enumerate() {
        for b in suspects.iter().skip(nth + 1) {
            guesses = guesses.saturating_sub(ids.len() as u64);
            let mut swapped = ids.clone();
            swapped.swap(*a, *b);
            if guesses > 0 && chain_of(swapped.into_iter()) == head.chain {
                let (a, b) = (*a as u64 + 1, *b as u64 + 1);
                report.problems.push(Problem::EnvelopesSwapped { document, a, b });
                return;
            }
        }
    }
    let damaged = links.iter().filter(|link| !link.follows);
    report.problems.extend(damaged.map(|link| Problem::EnvelopeDamaged { document, n: link.n }));
}

fn load_links(connection: &Connection, document: DocumentId) -> Result<Vec<Link>, ReadVaultError> {
    let mut statement =
        connection.prepare_cached("SELECT n, chain, body FROM envelope WHERE document = ?1 ORDER BY n")?;
    let mut cursor = statement.query(params![document.as_bytes()])?;
    let mut links = Vec::new();
    let mut before = Some(Hash32::ZERO);
    while let Some(row) = cursor.next()? {
        let id = row.get_ref(2)?.as_blob().map_or(Hash32::ZERO, sha256);
        let stored = row.get_ref(1)?.as_blob().ok().and_then(Hash32::from_slice);
        let follows = stored.is_some() && before.map(|before| chain_step(&before, &id)) == stored;
        links.push(Link { n: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0), id, follows });
        before = stored;
    }
    Ok(links)
}

pub(crate) fn chain_of(ids: impl Iterator<Item = Hash32>) -> Hash32 {
    ids.fold(Hash32::ZERO, |chain, id| chain_step(&chain, &id))
}
