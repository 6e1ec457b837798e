//! One row of a list: what every screen but the editor reads. Kept in sealed view pages, never in a CRDT.

mod index;

use std::collections::BTreeMap;

use mecum_api::{Origin, ReceiptState, RowView, SourceView};
use mecum_domain::{Decimal, EntryId, Field, FinishedKey, Flag, Kind, PartialDate, ReferenceRange};
use mecum_seal::{DeviceId, DocumentId, SpaceId};
use minicbor::{Decode, Encode};

use crate::honesty::WrittenHere;
use index::RowIndex;

/// Names an entry within a chart, whichever document holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum ItemKey {
    /// An editable entry.
    #[n(0)]
    Entry(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
    /// A finished entry.
    #[n(1)]
    Finished(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
}

impl ItemKey {
    /// Its name in commands: `e` or `f` and 32 hexadecimal digits.
    pub fn name(self) -> String {
        match self {
            ItemKey::Entry(id) => format!("e{}", EntryId::from_bytes(id)),
            ItemKey::Finished(key) => format!("f{}", FinishedKey::from_bytes(key)),
        }
    }

    /// The key of a name in a command.
    pub fn parse(name: &str) -> Option<Self> {
        let (tag, hex) = name.split_at_checked(1)?;
        match tag {
            "e" => hex.parse::<EntryId>().ok().map(|id| ItemKey::Entry(*id.as_bytes())),
            "f" => hex.parse::<FinishedKey>().ok().map(|key| ItemKey::Finished(*key.as_bytes())),
            _ => None,
        }
    }
}

/// One row. Texts are the record's own; codes are stable numbers of `mecum_domain`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Row {
    /// The entry.
    #[n(0)]
    pub key: ItemKey,
    /// [`Kind::code`].
    #[n(1)]
    pub kind: u8,
    /// FHIR resource type.
    #[n(2)]
    pub resource_type: String,
    /// Title.
    #[n(3)]
    pub title: String,
    /// Value as printed.
    #[n(4)]
    pub value: Option<String>,
    /// Unit as printed.
    #[n(5)]
    pub unit: Option<String>,
    /// Flag, by [`flag_code`].
    #[n(6)]
    pub flag: u8,
    /// Date as written.
    #[n(7)]
    pub date: Option<String>,
    /// Status code.
    #[n(8)]
    pub status: Option<String>,
    /// Series for trends.
    #[n(9)]
    pub trend: Option<String>,
    /// First and second number as text, when the value is numeric.
    #[n(10)]
    pub numbers: Vec<String>,
    /// Range: low, high, text.
    #[n(11)]
    pub range: Option<(Option<String>, Option<String>, Option<String>)>,
    /// Author in the file.
    #[n(12)]
    pub author: Option<String>,
    /// Organization in the file.
    #[n(13)]
    pub organization: Option<String>,
    /// The device that wrote it last.
    #[n(14)]
    pub device: DeviceId,
    /// When it was written last, ms since the epoch.
    #[n(15)]
    pub at_ms: i64,
    /// `envelope_seq` of the last own envelope that wrote it; 0 if another device wrote it last.
    #[n(16)]
    pub own_seq: u64,
    /// The space whose chain `own_seq` counts.
    #[n(17)]
    pub space: SpaceId,
    /// The document that holds it.
    #[n(18)]
    pub document: DocumentId,
    /// Deleted: the reason.
    #[n(19)]
    pub deleted: Option<String>,
    /// Fields in a clash, by [`Field::code`].
    #[n(20)]
    pub clashes: Vec<u8>,
    /// Fields that lists show beside the title (dose, frequency, reaction …), by [`Field::code`].
    #[n(21)]
    pub extra: Vec<(u8, String)>,
    /// The order in which this device got it: rows over the mark of the last look are new.
    #[n(22)]
    pub arrived: u64,
    /// Whose side of a conversation it was said on: 1 the patient's, 2 the hospital's; none for what is of the record.
    #[n(23)]
    pub side: Option<u8>,
}

/// The stable code of a flag in stored rows.
pub(crate) fn flag_code(flag: Flag) -> u8 {
    match flag {
        Flag::None => 0,
        Flag::High => 1,
        Flag::Low => 2,
        Flag::InRange => 3,
        Flag::NoRange => 4,
        Flag::Clash => 5,
        Flag::Corrected => 6,
        Flag::EnteredInError => 7,
        Flag::Ended => 8,
    }
}

/// The flag of a stable code; an unknown one says nothing.
pub(crate) fn flag_of(code: u8) -> Flag {
    match code {
        1 => Flag::High,
        2 => Flag::Low,
        3 => Flag::InRange,
        4 => Flag::NoRange,
        5 => Flag::Clash,
        6 => Flag::Corrected,
        7 => Flag::EnteredInError,
        8 => Flag::Ended,
        _ => Flag::None,
    }
}

impl Row {
    /// What it is.
    pub fn kind(&self) -> Kind {
        Kind::from_code(self.kind)
    }

    /// The flag; a clash outranks every other.
    pub fn flag(&self) -> Flag {
        if self.clashes.is_empty() { flag_of(self.flag) } else { Flag::Clash }
    }

    /// The year of its date; 0 when not known.
    pub fn year(&self) -> i16 {
        self.date.as_deref().and_then(PartialDate::parse).map_or(0, |date| date.year())
    }

    /// A field that lists show beside the title.
    pub fn extra(&self, field: Field) -> Option<&str> {
        self.extra.iter().find(|(code, _)| *code == field.code()).map(|(_, value)| value.as_str())
    }

    /// The family wrote it and may edit it.
    pub fn editable(&self) -> bool {
        matches!(self.key, ItemKey::Entry(_))
    }

    /// Somebody said it in a conversation with a hospital: it is none of the record's.
    pub(crate) fn is_act(&self) -> bool {
        self.side.is_some()
    }

    /// The laboratory's own range.
    pub fn range(&self) -> Option<ReferenceRange> {
        let (low, high, text) = self.range.clone()?;
        let number = |text: Option<String>| text.and_then(|t| t.parse::<Decimal>().ok());
        Some(ReferenceRange { low: number(low), high: number(high), text })
    }

    /// Newest first: by date as written, then by the order of arrival.
    pub fn order(&self) -> (std::cmp::Reverse<&str>, std::cmp::Reverse<u64>, ItemKey) {
        (std::cmp::Reverse(self.date.as_deref().unwrap_or("")), std::cmp::Reverse(self.arrived), self.key)
    }

    /// The row as a screen shows it.
    pub fn view(
        &self,
        receipt: ReceiptState,
        device: Option<String>,
        this_device: bool,
        author: &str,
        new: bool,
    ) -> RowView {
        let editable = self.editable();
        RowView {
            entry: self.key.name(),
            kind: self.kind(),
            resource_type: self.resource_type.clone(),
            title: self.title.clone(),
            value: self.value.clone(),
            unit: self.unit.clone(),
            flag: self.flag(),
            date: self.date.clone(),
            status: self.status.clone(),
            // A goal names its series too, but has no value in it.
            trend: self.trend.clone().filter(|_| !self.numbers.is_empty()),
            source: SourceView {
                origin: if editable { Origin::Family } else { Origin::Import },
                author: if editable { Some(author.to_owned()) } else { self.author.clone() },
                organization: self.organization.clone(),
                device,
                this_device,
                at_ms: self.at_ms,
            },
            receipt,
            editable,
            new,
        }
    }
}

/// The rows of one chart, by entry: where two documents hold one entry, one row stands. What was said in conversations with hospitals lies
/// apart: whoever can work out the key of an entry of the record could otherwise take its place in every list with an act of that key.
#[derive(Clone, Debug, Default)]
pub struct ChartRows {
    rows: BTreeMap<ItemKey, Row>,
    /// Rows of documents that hold an entry which a lower document holds too: not shown while that one does.
    beside: BTreeMap<(ItemKey, DocumentId), Row>,
    acts: BTreeMap<(DocumentId, ItemKey), Row>,
    index: RowIndex,
    written: WrittenHere,
}

impl ChartRows {
    /// Adds or replaces a row. Of two documents that hold one entry, the lower id stands.
    pub fn put(&mut self, row: Row) {
        if row.is_act() {
            self.written.add(&row);
            if let Some(before) = self.acts.insert((row.document, row.key), row) {
                self.written.remove(&before);
            }
            return;
        }
        match self.rows.get(&row.key) {
            Some(held) if held.document < row.document => {
                self.beside.insert((row.key, row.document), row);
            }
            Some(held) if held.document > row.document => {
                let held = held.clone();
                self.stand_down(&held);
                self.beside.insert((held.key, held.document), held);
                self.stand(row);
            }
            Some(held) => {
                let held = held.clone();
                self.stand_down(&held);
                self.stand(row);
            }
            None => self.stand(row),
        }
    }

    fn stand(&mut self, row: Row) {
        self.beside.remove(&(row.key, row.document));
        self.index.add(&row);
        self.written.add(&row);
        self.rows.insert(row.key, row);
    }

    fn stand_down(&mut self, held: &Row) {
        self.index.remove(held);
        self.written.remove(held);
        self.rows.remove(&held.key);
    }

    /// Takes the row of an entry out, if it is of this document. Where another document holds the entry, its row stands.
    pub(crate) fn remove(&mut self, document: DocumentId, key: ItemKey) {
        if let Some(held) = self.acts.remove(&(document, key)) {
            self.written.remove(&held);
            return;
        }
        self.beside.remove(&(key, document));
        let Some(held) = self.rows.get(&key).filter(|held| held.document == document).cloned() else {
            return;
        };
        self.stand_down(&held);
        let lowest = DocumentId::from_bytes([0; 16]);
        let next = self.beside.range((key, lowest)..).next().filter(|((of, _), _)| *of == key);
        if let Some(row) = next.map(|(_, row)| row.clone()) {
            self.stand(row);
        }
    }

    /// The documents that hold an entry, the one that stands first.
    pub(crate) fn holding(&self, key: ItemKey) -> Vec<DocumentId> {
        let lowest = DocumentId::from_bytes([0; 16]);
        let beside = self.beside.range((key, lowest)..).take_while(|((of, _), _)| *of == key);
        self.rows
            .get(&key)
            .map(|row| row.document)
            .into_iter()
            .chain(beside.map(|((_, of), _)| *of))
            .collect()
    }

    /// The row of an entry, or of an act, as one document has it.
    pub(crate) fn get_in(&self, document: DocumentId, key: ItemKey) -> Option<&Row> {
        let standing = self.rows.get(&key).filter(|row| row.document == document);
        standing.or_else(|| self.beside.get(&(key, document))).or_else(|| self.acts.get(&(document, key)))
    }

    /// Every row of one document, shown or not.
    pub(crate) fn of_document(&self, document: DocumentId) -> impl Iterator<Item = &Row> {
        let all = self.rows.values().chain(self.beside.values()).chain(self.acts.values());
        all.filter(move |row| row.document == document)
    }

    /// The row of an entry, deleted or not.
    pub fn get(&self, key: ItemKey) -> Option<&Row> {
        self.rows.get(&key)
    }

    /// Every row, deleted or not, by key, and then every act: what is done to all that is kept.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().chain(self.acts.values())
    }

    /// Every row that stands, newest first.
    pub fn newest(&self) -> Vec<&Row> {
        self.newest_first().collect()
    }

    /// The same, as far as somebody asks.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Row> {
        self.index.newest().filter_map(|key| self.rows.get(&key))
    }

    /// How many rows stand.
    pub(crate) fn standing(&self) -> usize {
        self.index.len()
    }

    /// The standing rows of people, conditions and allergies, and those with a clash, by key.
    pub(crate) fn marked(&self) -> impl Iterator<Item = &Row> {
        self.index.marked().filter_map(|key| self.rows.get(&key))
    }

    /// The standing rows of each laboratory series, newest first.
    pub(crate) fn lab_series(&self) -> impl Iterator<Item = impl Iterator<Item = &Row>> {
        self.index.series().map(|keys| keys.filter_map(|key| self.rows.get(&key)))
    }

    /// What was written on this device, by envelope; deleted rows count too.
    pub(crate) fn written_here(&mut self) -> &mut WrittenHere {
        &mut self.written
    }

    /// How many rows there are, with deleted ones.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
