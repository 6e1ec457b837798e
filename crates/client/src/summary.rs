//! A chart in a few hundred bytes: what home and the list of charts show, stored sealed beside the view pages, so that
//! opening the app loads no rows and no CRDT.
//!
//! A pure function of the rows. It knows no vault and no clock; who wrote the values of a clash is asked when home is made.

use std::collections::BTreeSet;

use mecum_api::{AllergyView, NeedKind};
use mecum_domain::{Field, Flag, Kind, PartialDate};
use minicbor::{Decode, Encode};

use crate::error::SessionError;
use crate::pages::{plain_view, stored_view};
use crate::row::{ChartRows, ItemKey, Row, flag_code, flag_of};
use crate::rows_from::ABSENT;

/// Names of conditions in the line under a chart's name. Source: the chart line of the home screen, which holds three.
const CONDITIONS: usize = 3;

/// Newest rows kept for home. Source: `HomeView::latest`.
const LATEST: usize = 8;

/// A result counts as news only this many days before the newest result of the chart: ten years that were just brought in
/// are no news.
const NEWS_DAYS: i64 = 31;

/// Most things that need the person in one chart; more than this nobody reads.
const MAX_NEEDS: usize = 64;

/// One thing that needs the person, without what is asked when it is shown.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct StoredNeed {
    /// 0 a clash, 1 a result.
    #[n(0)]
    kind: u8,
    /// The entry.
    #[n(1)]
    pub key: ItemKey,
    /// Its title.
    #[n(2)]
    pub title: String,
    /// Value with unit; none for a clash.
    #[n(3)]
    pub value: Option<String>,
    #[n(4)]
    flag: u8,
    /// Date as written.
    #[n(5)]
    pub date: Option<String>,
}

impl StoredNeed {
    /// Why it needs the person.
    pub fn kind(&self) -> NeedKind {
        if self.kind == 0 { NeedKind::Clash } else { NeedKind::Result }
    }

    /// What is said about it.
    pub fn flag(&self) -> Flag {
        flag_of(self.flag)
    }
}

/// A chart as home shows it.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct ChartSummary {
    /// The person's name.
    #[n(0)]
    pub name: String,
    /// Birth date as written.
    #[n(1)]
    pub born: Option<String>,
    /// Word of [`mecum_domain::Relation`].
    #[n(2)]
    pub relation: String,
    /// Word of [`mecum_domain::PersonColour`].
    #[n(3)]
    pub colour: String,
    /// Entries that stand, without the person's own particulars.
    #[n(4)]
    pub entries: u32,
    /// Names of active conditions, the longest standing first, at most three.
    #[n(5)]
    pub conditions: Vec<String>,
    /// Active allergies in words.
    #[n(6)]
    pub allergies: Vec<String>,
    /// An allergy field is in a clash.
    #[n(7)]
    pub allergy_clash: bool,
    /// What needs the person, safety first, then the newest.
    #[n(8)]
    pub needs: Vec<StoredNeed>,
    /// The newest rows.
    #[n(9)]
    pub latest: Vec<Row>,
}

impl ChartSummary {
    /// As the vault keeps it.
    pub(crate) fn stored(&self) -> Vec<u8> {
        stored_view(&minicbor::to_vec(self).expect("plain fields encode"))
    }

    /// The summary of stored bytes.
    ///
    /// # Errors
    /// [`SessionError::Stored`] if they are none.
    pub(crate) fn of_stored(bytes: &[u8]) -> Result<Self, SessionError> {
        let broken = || SessionError::Stored { what: "summary" };
        let plain = plain_view(bytes).map_err(|_| broken())?;
        minicbor::decode(&plain).map_err(|_| broken())
    }
}

/// Sums up a chart. `seen_ms` is when the person last looked at it on this device.
pub(crate) fn summarise(rows: &ChartRows, seen_ms: i64) -> ChartSummary {
    let mut summary = ChartSummary::default();
    if let Some(person) = person(rows) {
        let word = |field| person.extra(field).unwrap_or_default().to_owned();
        summary.name = word(Field::Name);
        summary.born = person.extra(Field::BirthDate).map(str::to_owned);
        summary.relation = word(Field::Relation);
        summary.colour = word(Field::Colour);
    }
    // Of ten thousand rows only these are read: a save sums its chart up.
    let mut marked: Vec<&Row> = rows.marked().collect();
    // The person's particulars can clash too (blood group, emergency contact), though no list shows them.
    summary.needs = marked.iter().filter(|row| !row.clashes.is_empty()).map(|row| clash_need(row)).collect();
    summary.needs.sort_by(|a, b| b.date.cmp(&a.date).then(a.key.cmp(&b.key)));
    summary.needs.extend(result_needs(rows, seen_ms));
    let unlisted = marked.iter().filter(|row| !is_listed(row)).count();
    marked.retain(|row| is_listed(row));
    marked.sort_by(|a, b| a.order().cmp(&b.order()));
    summary.entries = u32::try_from(rows.standing() - unlisted).unwrap_or(u32::MAX);
    summary.conditions = conditions(&marked);
    summary.allergies = allergies(marked.iter().copied()).into_iter().map(|one| one.text).collect();
    let clash = |row: &Row| row.kind() == Kind::AllergyIntolerance && !row.clashes.is_empty();
    summary.allergy_clash = marked.iter().any(|row| clash(row));
    summary.needs.truncate(MAX_NEEDS);
    summary.latest = rows.newest_first().filter(|row| is_listed(row)).take(LATEST).cloned().collect();
    summary
}

/// The entry with the person's own particulars.
pub(crate) fn person(rows: &ChartRows) -> Option<&Row> {
    rows.marked().find(|row| row.kind() == Kind::Patient && row.editable())
}

/// Lists show every row but the person's own particulars, which are the head of the chart.
pub(crate) fn is_listed(row: &Row) -> bool {
    !(row.kind() == Kind::Patient && row.editable())
}

/// What is still so: neither ended, nor an error, nor a "none known".
pub(crate) fn is_active(row: &Row) -> bool {
    let said = flag_of(row.flag);
    let over = matches!(
        row.status.as_deref(),
        Some("stopped" | "completed" | "cancelled" | "not-taken" | "resolved" | "inactive" | "remission")
    );
    let absent = !row.editable() && row.extra(Field::Status) == Some(ABSENT);
    !over && !absent && !matches!(said, Flag::Ended | Flag::EnteredInError)
}

fn conditions(listed: &[&Row]) -> Vec<String> {
    let mut said = BTreeSet::new();
    let active = listed.iter().rev().filter(|row| row.kind() == Kind::Condition && is_active(row));
    let new = active.filter(|row| !row.title.is_empty() && said.insert(row.title.to_lowercase()));
    new.take(CONDITIONS).map(|row| row.title.clone()).collect()
}

/// Active allergies, each "substance, reaction year", every one once.
pub(crate) fn allergies<'r>(rows: impl Iterator<Item = &'r Row>) -> Vec<AllergyView> {
    let mut said = BTreeSet::new();
    let active = rows.filter(|row| row.kind() == Kind::AllergyIntolerance && is_active(row));
    active
        .map(|row| AllergyView { entry: row.key.name(), text: allergy(row) })
        .filter(|one| !one.text.is_empty() && said.insert(one.text.to_lowercase()))
        .collect()
}

fn allergy(row: &Row) -> String {
    let year = row.date.as_deref().and_then(PartialDate::parse).map(|date| date.year().to_string());
    // In a line, the reaction without what stands in brackets about it: severity and onset are in its details.
    let reaction = row.extra(Field::Reaction).map(|text| text.split(" (").next().unwrap_or(text));
    let reaction = reaction.map(|text| {
        let mut letters = text.chars();
        letters
            .next()
            .map(|first| first.to_lowercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    let about: Vec<&str> = [reaction.as_deref(), year.as_deref()].into_iter().flatten().collect();
    if about.is_empty() { row.title.clone() } else { format!("{}, {}", row.title, about.join(" ")) }
}

fn clash_need(row: &Row) -> StoredNeed {
    StoredNeed {
        kind: 0,
        key: row.key,
        title: row.title.clone(),
        value: None,
        flag: flag_code(Flag::Clash),
        date: row.date.clone(),
    }
}

/// Results outside their range that the person has not looked at: of each series the newest, and only of the last panel.
fn result_needs(rows: &ChartRows, seen_ms: i64) -> Vec<StoredNeed> {
    let dated = rows.lab_series().filter_map(|mut series| series.find(|row| day(row).is_some()));
    let last = dated.min_by(|a, b| a.order().cmp(&b.order())).and_then(day);
    let Some(since) = last.and_then(|day| day.checked_sub(jiff::Span::new().days(NEWS_DAYS)).ok()) else {
        return Vec::new();
    };
    let is_meant = |row: &&Row| flag_of(row.flag) != Flag::EnteredInError;
    let mut news: Vec<&Row> = rows
        .lab_series()
        .filter_map(|mut series| series.find(is_meant))
        .filter(|row| matches!(flag_of(row.flag), Flag::High | Flag::Low))
        .filter(|row| is_new(row, seen_ms) && day(row).is_some_and(|day| day >= since))
        .collect();
    news.sort_by(|a, b| a.order().cmp(&b.order()));
    let value = |row: &Row| Some(with_unit(row.value.as_deref()?, row.unit.as_deref()));
    let need = |row: &Row| StoredNeed {
        kind: 1,
        key: row.key,
        title: row.title.clone(),
        value: value(row),
        flag: row.flag,
        date: row.date.clone(),
    };
    news.into_iter().map(need).collect()
}

fn day(row: &Row) -> Option<jiff::civil::Date> {
    PartialDate::parse(row.date.as_deref()?)?.day()
}

/// It arrived on this device after the person last looked.
pub(crate) fn is_new(row: &Row, seen_ms: i64) -> bool {
    row.arrived > u64::try_from(seen_ms).unwrap_or(0)
}

/// "7.8 %".
pub(crate) fn with_unit(value: &str, unit: Option<&str>) -> String {
    match unit {
        Some(unit) if !unit.is_empty() => format!("{value} {unit}"),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod frozen;
#[cfg(test)]
mod tests;
