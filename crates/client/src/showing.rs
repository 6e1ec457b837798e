//! Judging arrivals together with what lists show of them.
//!
//! A change may be good by every rule, and what makes its rows may still panic. That panics again whenever it is offered, and would
//! stop every exchange: the envelope is put aside as one that cannot be read, another version tries it again, and the rest goes on.
//! It must not know vaults or stages.

use std::collections::{BTreeMap, BTreeSet};

use mecum_documents::{Admission, Document, Incoming};

use crate::broken::contained;
use crate::row::Row;

/// Makes the rows of what was accepted under a tag, as they stand in a document.
pub(crate) type RowsOf<'a> = dyn Fn(&Document, u64) -> Vec<Row> + 'a;

/// What became of arrivals.
pub(crate) struct Shown {
    /// Of those that can be shown.
    pub(crate) admission: Admission,
    /// The rows of each that was accepted, by tag.
    pub(crate) rows: BTreeMap<u64, Vec<Row>>,
    /// Those that cannot be shown, by tag: they are in no list of the admission.
    pub(crate) unshown: BTreeSet<u64>,
}

/// Judges arrivals, in the order in which they came, and makes the rows of what is accepted.
pub(crate) fn admit_shown(current: &Document, incoming: &[Incoming<'_>], rows_of: &RowsOf<'_>) -> Shown {
    let mut unshown = BTreeSet::new();
    loop {
        let is_left = |item: &&Incoming<'_>| !unshown.contains(&item.tag);
        let left: Vec<Incoming<'_>> = incoming.iter().filter(is_left).copied().collect();
        if let Some((admission, rows)) = tried(current, &left, rows_of) {
            return Shown { admission, rows, unshown };
        }
        if left.is_empty() {
            let (accepted, waiting, refused) = (Vec::new(), Vec::new(), Vec::new());
            let admission = Admission { next: current.clone(), accepted, waiting, refused };
            return Shown { admission, rows: BTreeMap::new(), unshown };
        }
        let before = unshown.len();
        find_unshown(current.clone(), &left, rows_of, &mut unshown);
        // It may have been a panic of one moment, or one of all of them together.
        if unshown.len() == before && tried(current, &left, rows_of).is_none() {
            unshown.extend(left.iter().map(|item| item.tag));
        }
    }
}

/// The verdict on a group, with the rows of what is accepted; none if any of it panics.
fn tried(
    current: &Document,
    group: &[Incoming<'_>],
    rows_of: &RowsOf<'_>,
) -> Option<(Admission, BTreeMap<u64, Vec<Row>>)> {
    contained(|| {
        let admission = current.admit(group);
        let rows = admission.accepted.iter().map(|tag| (*tag, rows_of(&admission.next, *tag))).collect();
        (admission, rows)
    })
}

/// Finds out which of a group cannot be shown, by halves; answers the document with the others.
fn find_unshown(
    current: Document,
    group: &[Incoming<'_>],
    rows_of: &RowsOf<'_>,
    unshown: &mut BTreeSet<u64>,
) -> Document {
    if let Some((admission, _)) = tried(&current, group, rows_of) {
        return admission.next;
    }
    if let [one] = group {
        unshown.insert(one.tag);
        return current;
    }
    let (first, second) = group.split_at(group.len() / 2);
    let current = find_unshown(current, first, rows_of, unshown);
    find_unshown(current, second, rows_of, unshown)
}

#[cfg(test)]
mod tests {
    use mecum_documents::{Actor, Payload};
    use mecum_domain::{Batch, Edit, EntryId, Field, Kind};

    use super::*;

    fn name(id: u8) -> EntryId {
        EntryId::from_bytes([id; 16])
    }

    fn adds(id: u8) -> Edit {
        let fields = vec![(Field::Name, "a medicine".to_owned())];
        Edit::Add { entry: name(id), kind: Kind::MedicationStatement, fields }
    }

    fn doses(id: u8, dose: &str) -> Edit {
        Edit::Set { entry: name(id), field: Field::Dose, value: Some(dose.to_owned()) }
    }

    /// What an actor writes, one change after the other.
    fn written(actor: Actor, edits: Vec<Edit>) -> Vec<(Actor, Payload)> {
        let mut document = Document::new(actor);
        let mut all = Vec::new();
        for edit in edits {
            let authored = document.author(&Batch { at_ms: 0, edits: vec![edit] }).expect("an honest edit");
            document = authored.next;
            all.push((actor, authored.payload.expect("it changes something")));
        }
        all
    }

    /// Rows cannot be made of an entry with this dose.
    fn breaks(document: &Document, entry: u8) -> bool {
        let entry = document.entry(name(entry));
        let dose = entry.as_ref().and_then(|entry| entry.field(Field::Dose)).and_then(|state| state.winner());
        dose.is_some_and(|dose| dose.value.as_deref() == Some("unlucky"))
    }

    #[test]
    fn what_cannot_be_shown_keeps_nothing_else_out() {
        let (a, b) = (Actor::from_bytes([1; 16]), Actor::from_bytes([2; 16]));
        let mut all = written(a, vec![adds(1), adds(2), doses(1, "5")]);
        all.extend(written(b, vec![adds(3), doses(3, "unlucky"), adds(4)]));
        let touches = [1, 2, 1, 3, 3, 4];
        let incoming: Vec<Incoming<'_>> = (0..)
            .zip(&all)
            .filter_map(|(tag, (actor, payload))| Incoming::among(&[*actor], payload, tag))
            .collect();
        let rows_of = |document: &Document, tag: u64| {
            let entry = touches[usize::try_from(tag).expect("small")];
            assert!(!breaks(document, entry), "this one breaks what shows it");
            Vec::new()
        };
        let before = Document::new(Actor::from_bytes([9; 16]));
        let shown = admit_shown(&before, &incoming, &rows_of);
        assert_eq!(shown.unshown, BTreeSet::from([4]), "that one alone");
        assert_eq!(shown.admission.accepted, [0, 1, 2, 3], "whatever does not build on it is taken");
        assert_eq!(shown.admission.waiting, [5], "what its writer wrote after it waits for it");
        assert_eq!(shown.rows.len(), 4, "with its rows");

        let never = |_: &Document, _: u64| -> Vec<Row> { panic!("nothing can be shown") };
        let shown = admit_shown(&before, &incoming, &never);
        assert_eq!(
            shown.unshown,
            BTreeSet::from([0, 3]),
            "and where nothing can be shown it comes to an end as well"
        );
        assert_eq!(shown.admission.waiting, [1, 2, 4, 5], "the rest waits");
        assert!(!shown.admission.next.has_change(&all[0].1.change_hash()), "and nothing is taken");
    }
}
