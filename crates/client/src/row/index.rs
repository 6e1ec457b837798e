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

#[cfg(test)]
mod tests {
    use mecum_seal::{DeviceId, DocumentId, SpaceId};

    use super::super::ChartRows;
    use super::*;

    fn row(number: u8, dice: u64) -> Row {
        let trend = (dice & 1 == 0).then(|| format!("series {}", dice >> 1 & 1));
        let kinds = [Kind::LabResult, Kind::Condition, Kind::Note];
        Row {
            key: ItemKey::Finished([number; 16]),
            kind: kinds[usize::try_from(dice >> 2).expect("small") % kinds.len()].code(),
            resource_type: String::new(),
            title: String::new(),
            value: None,
            unit: None,
            flag: 0,
            date: (dice & 8 == 0).then(|| format!("20{}-01-01", 10 + (dice >> 4) % 17)),
            status: None,
            trend,
            numbers: Vec::new(),
            range: None,
            author: None,
            organization: None,
            device: DeviceId::from_bytes([3; 16]),
            at_ms: 0,
            own_seq: 0,
            space: SpaceId::from_bytes([1; 16]),
            document: DocumentId::from_bytes([2; 16]),
            deleted: dice.is_multiple_of(5).then(String::new),
            clashes: if dice.is_multiple_of(7) { vec![1] } else { Vec::new() },
            extra: Vec::new(),
            arrived: dice % 3,
            side: None,
        }
    }

    #[test]
    fn an_act_under_the_key_of_an_entry_takes_nothing_of_it_from_any_list() {
        for (of_act, of_entry) in [([1; 16], [2; 16]), ([3; 16], [2; 16])] {
            let entry = Row { document: DocumentId::from_bytes(of_entry), own_seq: 4, ..row(7, 1 << 8) };
            let document = DocumentId::from_bytes(of_act);
            let act = Row { document, title: "said".into(), own_seq: 9, side: Some(2), ..entry.clone() };
            let mut chart = ChartRows::default();
            chart.put(act.clone());
            assert!(chart.is_empty() && chart.newest().is_empty() && chart.get(act.key).is_none(), "alone");
            chart.put(entry.clone());
            chart.put(act.clone());
            assert_eq!(chart.get(entry.key), Some(&entry), "the entry stands, whichever id is lower");
            assert_eq!(
                (chart.newest(), chart.len(), chart.standing()),
                (vec![&entry], 1, 1),
                "alone in lists"
            );
            assert_eq!(chart.holding(entry.key), [entry.document], "and no other document holds it");
            assert_eq!(chart.get_in(document, act.key), Some(&act), "the act is where it was said");
            assert!(chart.of_document(document).eq([&act]), "and of its document");
            assert!(chart.all().eq([&entry, &act]), "what is done to all is done to both");
            chart.remove(document, act.key);
            assert_eq!((chart.get(entry.key), chart.get_in(document, act.key)), (Some(&entry), None));
            assert!(chart.all().eq([&entry]), "the act alone went");
        }
    }

    #[test]
    fn the_index_is_what_reading_every_row_would_say() {
        let mut chart = ChartRows::default();
        let mut all: BTreeMap<ItemKey, Row> = BTreeMap::new();
        let mut dice = 0x6d65_6375_6d01_u64;
        println!("seed {dice:#x}");
        for _ in 0..2_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let row = row(u8::try_from(dice >> 40 & 63).expect("six bits"), dice >> 48);
            all.insert(row.key, row.clone());
            chart.put(row);
        }
        let mut standing: Vec<&Row> = all.values().filter(|row| row.deleted.is_none()).collect();
        assert!(chart.marked().eq(standing.iter().copied().filter(|row| is_marked(row))), "marked, by key");
        standing.sort_by(|a, b| a.order().cmp(&b.order()));
        assert_eq!(chart.newest(), standing, "newest first, without the deleted");
        assert_eq!(chart.standing(), standing.len(), "as many as stand");
        let of =
            |name: &str| standing.iter().copied().filter(|row| series(row) == Some(name)).collect::<Vec<_>>();
        let there: Vec<Vec<&Row>> = chart.lab_series().map(Iterator::collect).collect();
        assert_eq!(there, [of("series 0"), of("series 1")], "each series, newest first");
    }
}
