//! The standing rows of a chart in the orders in which a save asks for them, kept up row by row: summing a chart up must
//! not read ten thousand rows for one edit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use mecum_domain::Kind;

use super::{ItemKey, Row};

/// [`Row::order`] with its own text.
type Place = (Reverse<Box<str>>, Reverse<u64>, ItemKey);

/// Which rows stand where. Deleted rows are in none of it.
#[derive(Clone, Debug, Default)]
pub(super) struct RowIndex {
    newest: BTreeSet<Place>,
    marked: BTreeSet<ItemKey>,
    series: BTreeMap<Box<str>, BTreeSet<Place>>,
}

fn place(row: &Row) -> Place {
    let (Reverse(date), arrived, key) = row.order();
    (Reverse(date.into()), arrived, key)
}

/// A person, a condition, an allergy, or what people disagree about: few, and each looked at by itself.
fn is_marked(row: &Row) -> bool {
    let alone = matches!(row.kind(), Kind::Patient | Kind::Condition | Kind::AllergyIntolerance);
    alone || !row.clashes.is_empty()
}

fn series(row: &Row) -> Option<&str> {
    row.trend.as_deref().filter(|_| row.kind() == Kind::LabResult)
}

impl RowIndex {
    pub(super) fn add(&mut self, row: &Row) {
        if row.deleted.is_some() {
            return;
        }
        self.newest.insert(place(row));
        if is_marked(row) {
            self.marked.insert(row.key);
        }
        if let Some(name) = series(row) {
            match self.series.get_mut(name) {
                Some(places) => drop(places.insert(place(row))),
                None => drop(self.series.insert(name.into(), BTreeSet::from([place(row)]))),
            }
        }
    }

    pub(super) fn remove(&mut self, row: &Row) {
        self.newest.remove(&place(row));
        self.marked.remove(&row.key);
        if let Some(name) = series(row)
            && let Some(places) = self.series.get_mut(name)
        {
            places.remove(&place(row));
            if places.is_empty() {
                self.series.remove(name);
            }
        }
    }

    /// Keys, newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = ItemKey> {
        self.newest.iter().map(|(_, _, key)| *key)
    }

    /// How many stand.
    pub(super) fn len(&self) -> usize {
        self.newest.len()
    }

    /// Keys of [`is_marked`] rows, in their order.
    pub(super) fn marked(&self) -> impl Iterator<Item = ItemKey> {
        self.marked.iter().copied()
    }

    /// Keys of each laboratory series, newest first.
    pub(super) fn series(&self) -> impl Iterator<Item = impl Iterator<Item = ItemKey>> {
        self.series.values().map(|places| places.iter().map(|(_, _, key)| *key))
    }
}
