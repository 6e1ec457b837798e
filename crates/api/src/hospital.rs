//! What a hospital publishes, as screens show it: in the reader's language, from what was fetched last.

use mecum_domain::{CaseKind, HospitalId, Rung, Slot};
use serde::{Deserialize, Serialize};

/// One hospital.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalArgs {
    /// Which.
    pub hospital: HospitalId,
}

/// Looks a hospital up by the link that it prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalFindArgs {
    /// The link, as scanned or typed.
    pub link: String,
}

/// What vouches for a notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeTrust {
    /// Nobody yet: it is signed by the same key as the first that was read here.
    #[default]
    FirstSight,
    /// The hospital's own account, with which a chart is connected.
    Connected,
}

/// What a hospital has published, as it was fetched last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalView {
    /// Which.
    pub hospital: HospitalId,
    /// Its name.
    pub name: String,
    /// Where it is and how to come in.
    pub address: String,
    /// When it was published, ms since the epoch by the hospital's clock.
    pub published_ms: i64,
    /// When this device fetched it, ms since the epoch.
    pub fetched_ms: i64,
    /// It is older than a hospital may leave it: times and prices may have changed.
    pub old: bool,
    /// What vouches for it.
    pub trust: NoticeTrust,
    /// Whether somebody answers at this moment.
    pub open: bool,
    /// Opening hours from Monday to Sunday, as "08:00" pairs; a day without one is closed.
    pub week: Vec<Vec<(String, String)>>,
    /// What can be asked for.
    pub services: Vec<ServiceView>,
    /// Who gives it.
    pub practitioners: Vec<PractitionerView>,
    /// Times that were free and are ahead, the earliest first.
    pub slots: Vec<FreeSlotView>,
    /// Who answers what, and until when.
    pub ladders: Vec<LadderView>,
    /// The promise that nobody is treated worse for complaining.
    pub pledge: String,
    /// What the hospital may do with what is shared with it.
    pub terms: String,
    /// Help that does not wait.
    pub help_lines: Vec<HelpLineView>,
    /// The link by which others find it.
    pub link: String,
}

/// Something that can be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Its code at this hospital.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it is for, and how to prepare.
    pub about: String,
    /// What it costs without insurance, where the hospital says so.
    pub price: Option<PriceView>,
}

/// A price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceView {
    /// Amount in the smallest unit that the currency has (ISO 4217): cents, or whole rupiah.
    pub amount: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// What insurance takes, or what is not in it.
    pub note: String,
}

/// Somebody who gives services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PractitionerView {
    /// Their name with title.
    pub name: String,
    /// Codes of the services that they give.
    pub services: Vec<String>,
    /// Languages that they speak, BCP 47.
    pub languages: Vec<String>,
}

/// A time that was free when the notice was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeSlotView {
    /// Code of the service.
    pub service: String,
    /// The slot.
    pub slot: Slot,
}

/// How the hospital answers one kind of case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderView {
    /// The kind.
    pub kind: CaseKind,
    /// Who answers, and who above them; of a kind that ends with an outcome the last is outside of the hospital.
    pub rungs: Vec<Rung>,
}

/// Who is called outside of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpLineView {
    /// Whose it is.
    pub name: String,
    /// Number or address.
    pub reach: String,
    /// When somebody answers there.
    pub when: String,
}
