//! Charts: whose record is open, and the home screen over all of them.

use mecum_domain::{ChartId, Field, Flag, PersonColour, Relation};
use serde::{Deserialize, Serialize};

use crate::{HelpersNoticeView, HonestyView, ReceiptState, RowView, SyncView};

/// One person's book.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChartView {
    /// Its id.
    pub chart: ChartId,
    /// The name as written.
    pub name: String,
    /// The letters on the tile.
    pub letters: String,
    /// Colour and pattern.
    pub colour: PersonColour,
    /// Relation to the account's person.
    pub relation: Relation,
    /// Birth date as written.
    pub born: Option<String>,
    /// Completed years today.
    pub age: Option<i16>,
    /// How many things in it need the person.
    pub needs: u32,
    /// Entries in it.
    pub entries: u32,
    /// Names of its active conditions, at most three, for the line under the name.
    pub conditions: Vec<String>,
    /// Its active allergies, for the bar: substance, reaction and year in one text each.
    pub allergies: Vec<String>,
    /// One allergy field is in a clash.
    pub allergy_clash: bool,
    /// This chart could not be read: the others go on.
    pub unreadable: bool,
    /// The person who shares it, if it is another account's.
    #[serde(default)]
    pub shared_by: Option<String>,
    /// Of a shared chart: what this account was let into ended, by whom or how `ended` says. What was read stays.
    #[serde(default)]
    pub ended: Option<crate::MemberState>,
    /// The sections that this account may write in; none given means all.
    #[serde(default)]
    pub writes: Option<Vec<String>>,
}

/// A new chart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ChartCreateArgs {
    /// Name.
    pub name: String,
    /// Birth date.
    pub born: Option<String>,
    /// Relation.
    pub relation: Relation,
    /// Colour; the next free one if none.
    pub colour: Option<PersonColour>,
}

/// Who a chart is about, as it will stand.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ChartEditArgs {
    /// The chart.
    pub chart: ChartId,
    /// Name.
    pub name: String,
    /// Birth date; none takes it away.
    pub born: Option<String>,
    /// Relation; that of the account's own person stays.
    pub relation: Relation,
    /// Colour.
    pub colour: PersonColour,
}

/// One chart of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartArgs {
    /// The chart.
    pub chart: ChartId,
}

/// Why something needs the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedKind {
    /// Two values of a safety field: settle it.
    #[default]
    Clash,
    /// A new result outside its range: read it.
    Result,
    /// A device asks to be added.
    Device,
    /// Something was kept aside because it could not be checked.
    Quarantine,
}

/// One thing that needs the person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NeedView {
    /// Why.
    pub kind: NeedKind,
    /// Whose record.
    pub chart: ChartId,
    /// The entry to open.
    pub entry: Option<String>,
    /// The field of a clash, where it is settled.
    #[serde(default)]
    pub field: Option<Field>,
    /// Its title.
    pub title: String,
    /// Value with unit.
    pub value: Option<String>,
    /// Flag.
    pub flag: Flag,
    /// The values of a clash, oldest first.
    pub written: Vec<WrittenView>,
    /// When.
    pub date: Option<String>,
}

/// One value that somebody wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenView {
    /// The value with its unit; `None` if the field was cleared.
    pub value: Option<String>,
    /// The words that were written with it: the reason, or a note.
    #[serde(default)]
    pub words: Option<String>,
    /// Who.
    pub author: String,
    /// On which device.
    pub device: String,
    /// This device.
    pub own: bool,
    /// When, ms since the epoch by that device's clock; 0 unknown.
    pub at_ms: i64,
    /// How to name this value when settling.
    pub choice: String,
    /// Where it has got to.
    pub receipt: ReceiptState,
}

/// The home screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HomeView {
    /// Today, civil date.
    pub today: String,
    /// The charts.
    pub charts: Vec<ChartView>,
    /// What needs the person, ranked safety, deadline, news. A clash beyond the first three comes without its values.
    pub needs: Vec<NeedView>,
    /// How many there are in all.
    pub needs_total: u32,
    /// The newest entries over all charts, at most eight, with whose they are.
    pub latest: Vec<LatestView>,
    /// Where things are.
    pub honesty: HonestyView,
    /// The state of the exchange with the server.
    pub sync: SyncView,
    /// Somebody asked to restore this account by its helpers: before everything else, with `helpers_stop`.
    #[serde(default)]
    pub helpers_notice: Option<HelpersNoticeView>,
}

/// A new entry of one of the charts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatestView {
    /// Whose.
    pub chart: ChartId,
    /// The row.
    pub row: RowView,
}
