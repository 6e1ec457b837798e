//! The record: timeline, one entry, trends, medicines, edits and clashes.

use mecum_domain::{ChartId, Field, Flag, Kind, KindGroup, ReferenceRange};
use serde::{Deserialize, Serialize};

use crate::{ReceiptState, WrittenView};

/// Who wrote an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The person's family: editable, old text kept.
    #[default]
    Family,
    /// A file that was brought in: kept as received.
    Import,
}

/// Source and author of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceView {
    /// Who wrote it.
    pub origin: Origin,
    /// The author as named: a family member, or the practitioner in the file.
    pub author: Option<String>,
    /// The organization in the file.
    pub organization: Option<String>,
    /// The device it was written on or brought in by.
    pub device: Option<String>,
    /// It was this device.
    pub this_device: bool,
    /// When it was written or brought in, ms since the epoch.
    pub at_ms: i64,
}

/// One row of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowView {
    /// Names the entry in other commands; opaque.
    pub entry: String,
    /// What it is.
    pub kind: Kind,
    /// FHIR resource type, or the kind's own name for what the family wrote.
    pub resource_type: String,
    /// Title as the record words it.
    pub title: String,
    /// Value as printed ("138/82", "7.8").
    pub value: Option<String>,
    /// Unit as printed.
    pub unit: Option<String>,
    /// What is said about it.
    pub flag: Flag,
    /// Date as written.
    pub date: Option<String>,
    /// Status code of the kind.
    pub status: Option<String>,
    /// Names the series for a trend, when the value is numeric.
    pub trend: Option<String>,
    /// Source and author.
    pub source: SourceView,
    /// Where it has got to.
    pub receipt: ReceiptState,
    /// The family may edit it.
    pub editable: bool,
    /// Not yet looked at on this device.
    pub new: bool,
}

/// Which rows of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineArgs {
    /// The chart.
    pub chart: ChartId,
    /// Only these groups; all if empty.
    #[serde(default)]
    pub groups: Vec<KindGroup>,
    /// Only this year.
    #[serde(default)]
    pub year: Option<i16>,
    /// Only what this person wrote, one of [`TimelineView::authors`].
    #[serde(default)]
    pub author: Option<String>,
    /// Only what comes from this organization, one of [`TimelineView::places`].
    #[serde(default)]
    pub place: Option<String>,
    /// Skip this many rows.
    #[serde(default)]
    pub offset: u32,
    /// At most this many rows (1 to 200).
    #[serde(default)]
    pub limit: u32,
}

/// A number of rows in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// The group.
    pub group: KindGroup,
    /// Rows in it.
    pub count: u32,
}

/// A number of rows in a year.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearCount {
    /// The year; 0 when not known.
    pub year: i16,
    /// Rows in it.
    pub count: u32,
}

/// A number of rows of an author or of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameCount {
    /// The name as the record has it.
    pub name: String,
    /// Rows of it.
    pub count: u32,
}

/// A part of the timeline, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineView {
    /// All rows of the chart.
    pub all: u32,
    /// Rows that fit the filter.
    pub total: u32,
    /// Rows by group, over the whole chart.
    pub groups: Vec<GroupCount>,
    /// Rows by year of those that fit but for the year, newest first.
    pub years: Vec<YearCount>,
    /// Who wrote rows of the chart, most first, at most 40.
    #[serde(default)]
    pub authors: Vec<NameCount>,
    /// The organizations that rows of the chart come from, most first, at most 40.
    #[serde(default)]
    pub places: Vec<NameCount>,
    /// The rows.
    pub rows: Vec<RowView>,
    /// There are more after these.
    pub more: bool,
}

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryArgs {
    /// The chart.
    pub chart: ChartId,
    /// The entry.
    pub entry: String,
}

/// A labelled fact of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetailView {
    /// Fluent id of the label.
    pub label: String,
    /// The value.
    pub value: DetailValue,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum DetailValue {
    /// Text of the record.
    Text {
        /// The text.
        text: String,
    },
    /// A coded word.
    Code {
        /// As worded.
        text: String,
        /// The code, shown on demand.
        code: String,
        /// Its code system.
        system: String,
    },
    /// A number with its unit.
    Quantity {
        /// As printed.
        value: String,
        /// As printed.
        unit: String,
        /// What is said about it.
        flag: Flag,
    },
    /// A date as written.
    Date {
        /// FHIR date or dateTime.
        date: String,
    },
    /// A status: the Fluent id is `status-` and this code.
    Status {
        /// FHIR code.
        code: String,
    },
    /// Several of them.
    List {
        /// The parts.
        items: Vec<DetailValue>,
    },
}

/// One earlier state of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryView {
    /// The field; `None` when the entry was added.
    pub field: Option<Field>,
    /// The value written.
    pub written: WrittenView,
    /// The value that it replaced, as its writer saw it.
    pub before: Option<String>,
    /// It is a value that a concurrent one outranked: kept, and can be brought back.
    pub lost: bool,
}

/// A clash on a safety field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClashView {
    /// The entry.
    pub entry: String,
    /// Its title.
    pub title: String,
    /// The field.
    pub field: Field,
    /// The values, oldest first; nothing is chosen.
    pub values: Vec<WrittenView>,
    /// The last value that all had before they parted, with its unit.
    pub agreed: Option<WrittenView>,
}

/// An entry with all that is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EntryView {
    /// Its row.
    pub row: RowView,
    /// Its facts.
    pub details: Vec<DetailView>,
    /// The laboratory's own range.
    pub range: Option<ReferenceRange>,
    /// The fields of an editable entry as they stand.
    pub fields: Vec<(Field, String)>,
    /// Clashes on it.
    pub clashes: Vec<ClashView>,
    /// What was written to it, newest first.
    pub history: Vec<HistoryView>,
    /// It is deleted: the reason.
    pub deleted: Option<String>,
    /// The original can be shown byte for byte.
    pub original: bool,
    /// Names what stands in the safety fields: an edit made on another state is refused, not merged over.
    pub version: String,
}

/// The original of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalView {
    /// The resource, byte for byte as received.
    pub text: String,
    /// Where it came from.
    pub source: String,
}

/// A series of numeric results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendArgs {
    /// The chart.
    pub chart: ChartId,
    /// The series: [`RowView::trend`].
    pub trend: String,
    /// Draw in this unit, one of [`TrendView::units`]; in that of the newest value if none.
    #[serde(default)]
    pub unit: Option<String>,
}

/// One point of a trend.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PointView {
    /// The entry.
    pub entry: String,
    /// Date as written.
    pub date: String,
    /// Value as printed.
    pub value: String,
    /// For drawing.
    pub number: f64,
    /// Second line (diastolic) as printed.
    pub value2: Option<String>,
    /// For drawing.
    pub number2: Option<f64>,
    /// Unit as printed.
    pub unit: String,
    /// What is said about it.
    pub flag: Flag,
    /// That laboratory's own range.
    pub range: Option<ReferenceRange>,
    /// The laboratory, or who measured.
    pub source: Option<String>,
    /// Value, unit and range were worked out from another unit: the entry has them as printed.
    #[serde(default)]
    pub converted: bool,
}

/// A goal that is a number: a line on the chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GoalView {
    /// At least this, in the unit of the drawn points.
    pub low: Option<String>,
    /// At most this, or less than this.
    pub high: Option<String>,
    /// The limit itself does not count: "below", not "at most".
    pub beyond: bool,
    /// The goal's own entry.
    pub entry: String,
    /// The limits were worked out from another unit.
    pub converted: bool,
}

/// A trend. Points of another unit are converted where that is exact, and else listed, not drawn together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrendView {
    /// The series.
    pub trend: String,
    /// Its title.
    pub title: String,
    /// LOINC code, for the glossary.
    pub loinc: Option<String>,
    /// The unit of the drawn points.
    pub unit: String,
    /// Points, oldest first.
    pub points: Vec<PointView>,
    /// Points of other units that cannot be converted, oldest first.
    pub other_units: Vec<PointView>,
    /// A goal that the person agreed, as worded.
    pub goal: Option<String>,
    /// The same as limits to draw, where it has a number in a unit of this series.
    #[serde(default)]
    pub limits: Option<GoalView>,
    /// The units in which the series can be shown, the printed one first; one alone means no choice.
    #[serde(default)]
    pub units: Vec<String>,
}

/// A series in the list of results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesView {
    /// The series.
    pub trend: String,
    /// Its title.
    pub title: String,
    /// LOINC code, for grouping and the glossary.
    pub loinc: Option<String>,
    /// The newest value as printed.
    pub value: String,
    /// Unit as printed.
    pub unit: String,
    /// What is said about the newest.
    pub flag: Flag,
    /// Its date.
    pub date: String,
    /// The newest entry.
    pub entry: String,
    /// Where the newest entry has got to.
    #[serde(default)]
    pub receipt: ReceiptState,
    /// Values for the small line, oldest first, at most 12.
    pub line: Vec<f64>,
    /// How many there are.
    pub count: u32,
}

/// All series of a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResultsView {
    /// Laboratory series, newest first.
    pub results: Vec<SeriesView>,
    /// Measurements.
    pub measurements: Vec<SeriesView>,
}

/// A medicine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MedicineView {
    /// Its row.
    pub row: RowView,
    /// Dose with unit as written ("5 mg"); `None` while in a clash or not said.
    pub dose: Option<String>,
    /// How often, as written.
    pub frequency: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Who prescribed it.
    pub prescriber: Option<String>,
    /// Its dose is on hold until the clash is settled.
    pub on_hold: bool,
}

/// The medicines of a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MedicinesView {
    /// Clashes on medicines, oldest first.
    pub clashes: Vec<ClashView>,
    /// What is taken now.
    pub current: Vec<MedicineView>,
    /// What was taken.
    pub past: Vec<MedicineView>,
    /// Active allergies in words, each once.
    pub allergies: Vec<AllergyView>,
}

/// An allergy in the bar of medicines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllergyView {
    /// The newest entry that says so.
    pub entry: String,
    /// Substance, reaction and year in one text.
    pub text: String,
}

/// A new entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryAddArgs {
    /// The chart.
    pub chart: ChartId,
    /// What it is: vital-sign, note, allergy-intolerance or medication-statement.
    pub kind: Kind,
    /// Its fields.
    pub fields: Vec<(Field, String)>,
}

/// Names the new entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRef {
    /// The entry.
    pub entry: String,
}

/// New values for fields; `None` clears one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryEditArgs {
    /// The chart.
    pub chart: ChartId,
    /// The entry.
    pub entry: String,
    /// The fields that change.
    pub set: Vec<(Field, Option<String>)>,
    /// [`EntryView::version`] that the person saw, when safety fields change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// Deletes an entry, with a reason. It stays in the history and can be brought back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryDeleteArgs {
    /// The chart.
    pub chart: ChartId,
    /// The entry.
    pub entry: String,
    /// Why, in a word.
    pub reason: String,
}

/// Settles a clash by one of its values, or by a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClashSettleArgs {
    /// The chart.
    pub chart: ChartId,
    /// The entry.
    pub entry: String,
    /// The field.
    pub field: Option<Field>,
    /// [`WrittenView::choice`] of the value that is right.
    pub choice: String,
    /// [`EntryView::version`] that the person saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// Rows that have been looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenArgs {
    /// The chart.
    pub chart: ChartId,
}

/// One thing that changed since the person last looked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangeView {
    /// The row as it stands.
    pub row: RowView,
    /// The field that changed; `None` when the entry is new.
    pub field: Option<Field>,
    /// Old value.
    pub before: Option<String>,
    /// New value.
    pub after: Option<String>,
    /// Who, where, when.
    pub by: WrittenView,
}

/// What changed in a chart since the person last looked on this device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangesView {
    /// When the person last looked, ms since the epoch; 0 never.
    pub since_ms: i64,
    /// The newest changes first, at most 50.
    pub changes: Vec<ChangeView>,
    /// How many there are.
    pub total: u32,
}
