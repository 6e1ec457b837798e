//! Rows from entries: the one place where a document's content becomes what lists show.
//!
//! Pure: the same entry and place, the same row. A field of safety that is in a clash is left out of the row, so that no
//! list can show one of two doses as if it were settled.

use mecum_documents::{CareAct, Entry, StoredAct};
use mecum_domain::{Decimal, Field, FinishedKey, Flag, Kind, Side};
use mecum_interop::{Detail, DetailValue, Reading, read};
use mecum_seal::{DeviceId, DocumentId, SpaceId};

use crate::broken::contained;
use crate::care::code_of_side;
use crate::row::{ItemKey, Row, flag_code};

/// Marks a resource that says that something is not so, under [`Field::Status`] in [`Row::extra`].
pub(crate) const ABSENT: &str = "absent";

/// LOINC code of a blood pressure panel, the one measurement with two numbers.
const BLOOD_PRESSURE: &str = "85354-9";

/// Longest title made from somebody's words, in characters: one line of a list.
const NOTE_TITLE_CHARS: usize = 80;

/// Where an entry is kept and who wrote it last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowPlace {
    /// The space whose chain `own_seq` counts.
    pub(crate) space: SpaceId,
    /// The document.
    pub(crate) document: DocumentId,
    /// The device that wrote it last.
    pub(crate) device: DeviceId,
    /// When, ms since the epoch.
    pub(crate) at_ms: i64,
    /// `envelope_seq` of the last own envelope that wrote it; 0 if another device did.
    pub(crate) own_seq: u64,
    /// When this device got it, ms since the epoch.
    pub(crate) arrived: u64,
    /// Whose side of a conversation the document is; none elsewhere.
    pub(crate) side: Option<Side>,
}

/// Titles of what a person measures at home, as its LOINC code is usually said. A title that was typed comes first.
/// Source: LOINC 2.78 short and consumer names.
const MEASUREMENTS: &[(&str, &str)] = &[
    ("85354-9", "Blood pressure"),
    ("8867-4", "Heart rate"),
    ("29463-7", "Body weight"),
    ("8302-2", "Body height"),
    ("8310-5", "Body temperature"),
    ("2708-6", "Oxygen saturation"),
    ("59408-5", "Oxygen saturation"),
    ("2339-0", "Blood glucose"),
    ("15074-8", "Blood glucose"),
    ("41653-7", "Blood glucose"),
    ("9279-1", "Respiratory rate"),
    ("39156-5", "Body mass index"),
    ("41950-7", "Steps"),
    ("8280-0", "Waist circumference"),
    ("8287-5", "Head circumference"),
    ("72514-3", "Pain"),
];

/// The row of an entry that the family wrote, out of a document as a whole. One that cannot be made is listed all the same, by its
/// kind alone: of a whole there is no envelope to put aside, and nobody should think that it is gone.
pub(crate) fn row_of_entry(entry: &Entry, place: &RowPlace) -> Row {
    contained(|| dated(undated_row_of_entry(entry, place))).unwrap_or_else(|| {
        let key = ItemKey::Entry(*entry.id.as_bytes());
        unshown(key, entry.kind, resource_type(entry.kind), place)
    })
}

/// The row of a finished entry; the same holds for it.
pub(crate) fn row_of_finished(key: FinishedKey, container: &[u8], place: &RowPlace) -> Row {
    contained(|| new_row_of_finished(key, container, place))
        .unwrap_or_else(|| unshown(ItemKey::Finished(*key.as_bytes()), Kind::Other, "Resource", place))
}

/// What is listed of an entry that this version cannot show.
fn unshown(key: ItemKey, kind: Kind, resource_type: &str, place: &RowPlace) -> Row {
    Row { resource_type: resource_type.into(), title: resource_type.into(), ..empty(key, kind, place) }
}

/// Gives an entry without a date of its own the day on which it was written last, once it is known when that was.
pub(crate) fn dated(mut row: Row) -> Row {
    if matches!(row.key, ItemKey::Entry(_)) && row.date.is_none() {
        row.date = recorded(row.at_ms);
    }
    row
}

/// The row of an entry that was just written, for who does not know yet whether it was written last. What panics here is for the
/// caller to put aside.
pub(crate) fn undated_row_of_entry(entry: &Entry, place: &RowPlace) -> Row {
    mecum_trip::about("row-of", entry.id.as_bytes());
    let said = Said(entry);
    let mut row = empty(ItemKey::Entry(*entry.id.as_bytes()), entry.kind, place);
    row.resource_type = resource_type(entry.kind).into();
    row.deleted = entry.deleted().map(str::to_owned);
    row.clashes = entry.safety_clashes().map(|state| state.field.code()).collect();
    row.status = said.settled(Field::Status);
    row.date = said.settled(Field::Effective);
    row.extra =
        extras(entry.kind).iter().filter_map(|field| Some((field.code(), said.settled(*field)?))).collect();
    if matches!(row.status.as_deref(), Some("stopped" | "completed" | "resolved" | "inactive" | "not-taken"))
    {
        row.flag = flag_code(Flag::Ended);
    }
    match entry.kind {
        Kind::VitalSign => measurement(&said, &mut row),
        Kind::Note => row.title = note_title(&said),
        Kind::AllergyIntolerance => {
            // Both substances stand in the title until a person settles it: hiding one could hurt.
            row.title = said.all(Field::Substance).or_else(|| said.settled(Field::Name)).unwrap_or_default();
        }
        Kind::MedicationStatement => {
            row.title = said.settled(Field::Name).unwrap_or_default();
            row.value = dose(&row);
        }
        _ => row.title = said.settled(Field::Name).unwrap_or_default(),
    }
    row
}

/// The row of a finished entry that was just kept. What panics here is for the caller to put aside.
pub(crate) fn new_row_of_finished(key: FinishedKey, container: &[u8], place: &RowPlace) -> Row {
    mecum_trip::about("row-of", key.as_bytes());
    if place.side.is_some() {
        return row_of_act(key, container, place);
    }
    let Ok(reading) = read(container) else {
        // Kept by a newer version: listed, so that nobody thinks that it is gone.
        return unshown(ItemKey::Finished(*key.as_bytes()), Kind::Other, "Resource", place);
    };
    let mut row = empty(ItemKey::Finished(*key.as_bytes()), Kind::Other, place);
    let numbers = reading.numeric.as_deref().unwrap_or_default();
    let pair = reading.code.as_deref().is_some_and(|code| code.ends_with(BLOOD_PRESSURE));
    row.numbers =
        numbers.iter().take(if pair { 2 } else { 1 }).map(|(_, number)| number.to_string()).collect();
    row.extra = reading_extras(&reading);
    row.kind = reading.kind.code();
    row.resource_type = reading.resource_type;
    row.title = reading.title;
    row.value = reading.value;
    row.unit = reading.unit;
    row.flag = flag_code(reading.flag);
    row.date = reading.date.map(|date| date.as_str().to_owned());
    row.status = reading.status;
    let names_series = !row.numbers.is_empty() || reading.kind == Kind::Goal;
    row.trend = reading.code.filter(|_| names_series);
    let text = |number: Option<Decimal>| number.map(|number| number.to_string());
    row.range = reading.range.map(|range| (text(range.low), text(range.high), range.text));
    row.author = reading.author;
    row.organization = reading.organization;
    row
}

/// The row of what was said in a conversation with a hospital: what is told of it until the other side has it.
fn row_of_act(key: FinishedKey, bytes: &[u8], place: &RowPlace) -> Row {
    let act = StoredAct::decode(bytes).ok();
    let resource_type = match act.as_ref().map(|act| &act.what) {
        Some(CareAct::Appointment(_)) => "Appointment",
        Some(CareAct::Case(_) | CareAct::Seen { .. }) => "Communication",
        None => "Resource",
    };
    let texts = act.iter().flat_map(|act| act.what.texts());
    let title = texts.map(one_line).find(|line| !line.is_empty());
    // Who reads has written nothing: it is not counted among what somebody wrote here and waits to be sent.
    let is_word = !act.is_some_and(|act| matches!(act.what, CareAct::Seen { .. }));
    Row {
        own_seq: if is_word { place.own_seq } else { 0 },
        title: title.unwrap_or_else(|| resource_type.to_owned()),
        ..unshown(ItemKey::Finished(*key.as_bytes()), Kind::Other, resource_type, place)
    }
}

fn empty(key: ItemKey, kind: Kind, place: &RowPlace) -> Row {
    Row {
        key,
        kind: kind.code(),
        resource_type: String::new(),
        title: String::new(),
        value: None,
        unit: None,
        flag: 0,
        date: None,
        status: None,
        trend: None,
        numbers: Vec::new(),
        range: None,
        author: None,
        organization: None,
        device: place.device,
        at_ms: place.at_ms,
        own_seq: place.own_seq,
        space: place.space,
        document: place.document,
        deleted: None,
        clashes: Vec::new(),
        extra: Vec::new(),
        arrived: place.arrived,
        side: place.side.map(code_of_side),
    }
}

/// An entry asked for what it says beyond doubt.
struct Said<'e>(&'e Entry);

impl Said<'_> {
    /// A field's text, unless it is a safety field in a clash.
    fn settled(&self, field: Field) -> Option<String> {
        let state = self.0.field(field)?;
        let open = field.is_safety() && state.clash();
        let text = state.winner()?.value.as_deref().map(str::trim).filter(|text| !text.is_empty())?;
        (!open).then(|| text.to_owned())
    }

    /// Every value of a field in the order in which Automerge holds them.
    fn all(&self, field: Field) -> Option<String> {
        let texts: Vec<&str> =
            self.0.field(field)?.values.iter().filter_map(|written| written.value.as_deref()).collect();
        Some(texts.join(" / ")).filter(|text| !text.trim().is_empty())
    }
}

fn measurement(said: &Said<'_>, row: &mut Row) {
    let code = said.settled(Field::Code);
    let usual = MEASUREMENTS
        .iter()
        .find(|(loinc, _)| Some(*loinc) == code.as_deref())
        .map(|(_, title)| (*title).to_owned());
    row.title = said.settled(Field::Name).or(usual).or_else(|| code.clone()).unwrap_or_default();
    let values: Vec<String> =
        [Field::Value, Field::Value2].into_iter().filter_map(|field| said.settled(field)).collect();
    row.value = (!values.is_empty()).then(|| values.join("/"));
    row.unit = said.settled(Field::Unit).map(|unit| printed(&unit));
    let numeric = values.iter().all(|value| value.parse::<Decimal>().is_ok()) && !values.is_empty();
    if numeric {
        row.numbers = values;
        row.trend = code.map(|code| format!("loinc|{code}"));
    }
}

/// A UCUM code as it is printed. Source: UCUM 2.2, print symbols.
fn printed(unit: &str) -> String {
    match unit {
        "mm[Hg]" => "mmHg".into(),
        "Cel" => "°C".into(),
        // A UCUM annotation is words: "{steps}/d" is printed "steps/d".
        _ => unit.replace(['{', '}'], ""),
    }
}

fn note_title(said: &Said<'_>) -> String {
    let text = said.settled(Field::Name).or_else(|| said.settled(Field::Text)).unwrap_or_default();
    one_line(&text)
}

/// The first line of a text, as long as a list shows one.
fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(NOTE_TITLE_CHARS) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or(line).trim_end()),
        None => line.to_owned(),
    }
}

/// Dose with unit as written; none while either is in a clash or not said.
pub(crate) fn dose(row: &Row) -> Option<String> {
    let held = [Field::Dose, Field::DoseUnit].iter().any(|field| row.clashes.contains(&field.code()));
    let dose = row.extra(Field::Dose).filter(|_| !held)?;
    Some(crate::summary::with_unit(dose, row.extra(Field::DoseUnit)))
}

/// The day on which something without a date of its own was written down, in UTC so that every device says the same.
fn recorded(at_ms: i64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at_ms).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}

fn extras(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::MedicationStatement => {
            &[Field::Dose, Field::DoseUnit, Field::Frequency, Field::Reason, Field::Prescriber, Field::Until]
        }
        Kind::AllergyIntolerance => &[Field::Reaction, Field::Severity],
        Kind::Patient => &[Field::Name, Field::BirthDate, Field::Gender, Field::Relation, Field::Colour],
        _ => &[],
    }
}

/// FHIR's name of what the family writes.
fn resource_type(kind: Kind) -> &'static str {
    match kind {
        Kind::VitalSign => "Observation",
        Kind::AllergyIntolerance => "AllergyIntolerance",
        Kind::MedicationStatement => "MedicationStatement",
        Kind::Patient => "Patient",
        Kind::Note => "Note",
        _ => "Other",
    }
}

fn reading_extras(reading: &Reading) -> Vec<(u8, String)> {
    let mut extra = Vec::new();
    let mut put = |field: Field, text: Option<String>| extra.extend(text.map(|text| (field.code(), text)));
    if let Some(dosage) = &reading.dosage {
        put(Field::Dose, dosage.dose.clone());
        put(Field::Frequency, dosage.frequency.clone());
        put(Field::Reason, dosage.reason.clone());
    }
    if reading.kind == Kind::AllergyIntolerance {
        put(
            Field::Reaction,
            reading.details.iter().find(|detail| detail.label == "detail-reactions").and_then(first_text),
        );
    }
    if matches!(reading.kind, Kind::MedicationRequest | Kind::MedicationStatement) {
        put(Field::Until, reading.end.as_ref().map(|end| end.as_str().to_owned()));
    }
    put(Field::Status, reading.absent.then(|| ABSENT.to_owned()));
    extra
}

fn first_text(detail: &Detail) -> Option<String> {
    fn of(value: &DetailValue) -> Option<String> {
        match value {
            DetailValue::Text(text) | DetailValue::Code { text, .. } => Some(text.clone()),
            DetailValue::List(items) => items.iter().find_map(of),
            _ => None,
        }
    }
    of(&detail.value)
}

#[cfg(test)]
mod tests;
