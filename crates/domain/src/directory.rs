//! What a hospital publishes about itself: services, people, hours, prices, free slots, who answers when, and what it promises.
//!
//! It is read whole and offline, also by somebody without an account, so that fetching it says nothing about who reads what. Whose it is
//! and that it is the newest is said by the signature around it, not here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::appointment::Slot;
use crate::case::{CaseKind, Rung};
use crate::entry::id16;
use crate::hours::{Hours, HoursError, OpeningHours};

/// Most entries of one list of a directory.
pub(crate) const MAX_LISTED: usize = 4_096;

/// Most bytes of one text in one language.
const MAX_WORDS_BYTES: usize = 8 * 1024;

id16! {
    /// A hospital: the bytes of its account's id.
    HospitalId
}

/// A text in the languages in which the hospital writes it, by BCP 47 tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    /// A text in one language.
    pub fn new(language: &str, text: &str) -> Self {
        Self(BTreeMap::from([(language.to_owned(), text.to_owned())]))
    }

    /// The same with another language.
    #[must_use]
    pub fn and(mut self, language: &str, text: &str) -> Self {
        self.0.insert(language.to_owned(), text.to_owned());
        self
    }

    /// In this language; else in its primary one; else in the first that there is.
    pub fn text(&self, language: &str) -> &str {
        let primary = language.split('-').next().unwrap_or(language);
        let found = self.0.get(language).or_else(|| self.0.get(primary)).or_else(|| self.0.values().next());
        found.map_or("", String::as_str)
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(String::is_empty)
    }
}

/// A price in the smallest unit of its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Amount in the smallest unit that the currency has (ISO 4217): cents, or whole rupiah.
    pub amount: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// What insurance takes, or what is not in it.
    #[serde(default)]
    pub note: Words,
}

/// Something that can be asked for. FHIR R4 HealthcareService.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its code in this directory.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// What it is for, and how to prepare.
    #[serde(default)]
    pub about: Words,
    /// What it costs without insurance, where the hospital says so.
    #[serde(default)]
    pub price: Option<Price>,
}

/// Somebody who gives services. FHIR R4 PractitionerRole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Practitioner {
    /// Their name with title, as slots have it.
    pub name: String,
    /// Codes of the services that they give.
    pub services: Vec<String>,
    /// Languages that they speak, BCP 47.
    #[serde(default)]
    pub languages: Vec<String>,
}

/// A time that was free when this was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeSlot {
    /// Code of the service.
    pub service: String,
    /// The slot.
    pub slot: Slot,
}

/// Who is called outside of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpLine {
    /// Whose it is.
    pub name: Words,
    /// Number or address.
    pub reach: String,
    /// When somebody answers there.
    #[serde(default)]
    pub when: Words,
}

/// How the hospital answers one kind of case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// The kind.
    pub kind: CaseKind,
    /// Who answers, and who above them; of a kind that ends with an outcome the last is outside of the hospital.
    pub rungs: Vec<Rung>,
}

/// What a hospital publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// The hospital's name.
    pub name: Words,
    /// Where it is and how to come in.
    #[serde(default)]
    pub address: Words,
    /// When somebody answers.
    pub hours: OpeningHours,
    /// What can be asked for.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Who gives it.
    #[serde(default)]
    pub practitioners: Vec<Practitioner>,
    /// Times that were free.
    #[serde(default)]
    pub slots: Vec<FreeSlot>,
    /// Who answers what, and until when.
    #[serde(default)]
    pub ladders: Vec<Ladder>,
    /// The promise that nobody is treated worse for complaining, as in force.
    #[serde(default)]
    pub pledge: Words,
    /// What the hospital may do with what is shared with it.
    #[serde(default)]
    pub terms: Words,
    /// Help that does not wait.
    #[serde(default)]
    pub help_lines: Vec<HelpLine>,
}

/// A directory that cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryError {
    /// Hours that nobody can keep.
    Hours(HoursError),
    /// A list or a text is longer than it may be.
    TooLong,
    /// It has no name.
    NoName,
    /// Two services or slots have one code.
    Twice,
    /// A practitioner, slot or ladder names a service or kind that is not there, or a kind twice.
    Unknown,
    /// A ladder has no rung; or one with an outcome does not end, or ends too early, outside of the hospital.
    Ladder,
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DirectoryError::Hours(error) => return error.fmt(f),
            DirectoryError::TooLong => "a list or a text is longer than it may be",
            DirectoryError::NoName => "it has no name",
            DirectoryError::Twice => "two services or two slots have the same code",
            DirectoryError::Unknown => "something names a service that is not in it, or a kind of case twice",
            DirectoryError::Ladder => "a ladder has no step, or does not end outside of the hospital",
        })
    }
}

impl std::error::Error for DirectoryError {}

impl Directory {
    /// Whether everything in it can be kept: the same check for who publishes and for who reads. The answer is its hours.
    pub fn check(&self) -> Result<Hours, DirectoryError> {
        let hours = Hours::new(&self.hours).map_err(DirectoryError::Hours)?;
        if self.name.is_empty() {
            return Err(DirectoryError::NoName);
        }
        let lists = [
            self.services.len(),
            self.practitioners.len(),
            self.slots.len(),
            self.help_lines.len(),
            self.hours.closed.len(),
        ];
        let long = |words: &Words| words.0.values().any(|text| text.len() > MAX_WORDS_BYTES);
        let texts = [&self.name, &self.address, &self.pledge, &self.terms].into_iter();
        let of_services = self.services.iter().flat_map(|service| [&service.name, &service.about]);
        if lists.into_iter().any(|length| length > MAX_LISTED) || texts.chain(of_services).any(long) {
            return Err(DirectoryError::TooLong);
        }
        let services: BTreeSet<&str> = self.services.iter().map(|service| service.code.as_str()).collect();
        let slots: BTreeSet<_> = self.slots.iter().map(|free| free.slot.id).collect();
        if services.len() < self.services.len() || slots.len() < self.slots.len() {
            return Err(DirectoryError::Twice);
        }
        let given = self.practitioners.iter().flat_map(|one| one.services.iter());
        let named = given.chain(self.slots.iter().map(|free| &free.service));
        let kinds: BTreeSet<CaseKind> = self.ladders.iter().map(|ladder| ladder.kind).collect();
        if !named.into_iter().all(|code| services.contains(code.as_str())) || kinds.len() < self.ladders.len()
        {
            return Err(DirectoryError::Unknown);
        }
        if self.ladders.iter().all(Ladder::holds) { Ok(hours) } else { Err(DirectoryError::Ladder) }
    }

    /// Who answers a kind of case; empty where the hospital has not said.
    pub fn ladder(&self, kind: CaseKind) -> &[Rung] {
        self.ladders.iter().find(|ladder| ladder.kind == kind).map_or(&[], |ladder| &ladder.rungs)
    }

    /// Times of a service that were free, from `now_ms` on, the earliest first.
    pub fn slots_of(&self, service: &str, now_ms: i64) -> Vec<&Slot> {
        let of = self.slots.iter().filter(|free| free.service == service && free.slot.starts_ms >= now_ms);
        let mut slots: Vec<&Slot> = of.map(|free| &free.slot).collect();
        slots.sort_by_key(|slot| (slot.starts_ms, slot.id));
        slots
    }
}

impl Ladder {
    /// The last rung of what ends with an outcome is outside, and no other.
    fn holds(&self) -> bool {
        let outside: Vec<bool> = self.rungs.iter().map(|rung| rung.outside.is_some()).collect();
        match outside.split_last() {
            Some((last, before)) => !before.contains(&true) && *last == self.kind.has_outcome(),
            None => false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{SlotId, Span};

    fn rung(name: &str, outside: bool) -> Rung {
        Rung {
            name: name.into(),
            answer_minutes: 60,
            outcome_minutes: 600,
            outside: outside.then(|| "0800 1".to_owned()),
        }
    }

    fn free(n: u8, starts_ms: i64) -> FreeSlot {
        let slot = Slot {
            id: SlotId::from_bytes([n; 16]),
            starts_ms,
            minutes: 15,
            practitioner: "dr Sari".into(),
            location: "3".into(),
        };
        FreeSlot { service: "internal".into(), slot }
    }

    pub(crate) fn directory() -> Directory {
        let week = std::array::from_fn(|_| vec![Span { from: 480, to: 960 }]);
        Directory {
            name: Words::new("id", "RS Melati").and("en", "Melati Hospital"),
            hours: OpeningHours { zone: "WIB-7".into(), week, closed: vec![] },
            services: vec![Service {
                code: "internal".into(),
                name: Words::new("en", "Internal medicine"),
                about: Words::default(),
                price: None,
            }],
            practitioners: vec![Practitioner {
                name: "dr Sari".into(),
                services: vec!["internal".into()],
                languages: vec![],
            }],
            slots: vec![free(2, 2_000), free(1, 1_000)],
            ladders: vec![
                Ladder {
                    kind: CaseKind::Complaint,
                    rungs: vec![rung("Front desk", false), rung("Mediator", true)],
                },
                Ladder { kind: CaseKind::Question, rungs: vec![rung("Nurse", false)] },
            ],
            ..Directory::default()
        }
    }

    #[test]
    fn what_a_hospital_publishes_has_to_hold_together() {
        assert!(directory().check().is_ok(), "this does");
        let wrong = |change: &dyn Fn(&mut Directory)| {
            let mut directory = directory();
            change(&mut directory);
            directory.check().err()
        };
        assert_eq!(wrong(&|d| d.name = Words::default()), Some(DirectoryError::NoName), "nobody's");
        assert_eq!(
            wrong(&|d| d.hours.zone = "Jakarta".into()),
            Some(DirectoryError::Hours(HoursError::Zone)),
            "hours"
        );
        assert_eq!(wrong(&|d| d.slots.push(free(1, 9))), Some(DirectoryError::Twice), "one slot twice");
        assert_eq!(
            wrong(&|d| d.slots[0].service = "x".into()),
            Some(DirectoryError::Unknown),
            "of no service"
        );
        assert_eq!(
            wrong(&|d| d.practitioners[0].services[0] = "x".into()),
            Some(DirectoryError::Unknown),
            "gives nothing"
        );
        assert_eq!(
            wrong(&|d| d.ladders[1].kind = CaseKind::Complaint),
            Some(DirectoryError::Unknown),
            "two ladders"
        );
        assert_eq!(
            wrong(&|d| d.ladders[0].rungs.truncate(1)),
            Some(DirectoryError::Ladder),
            "a complaint ends outside"
        );
        assert_eq!(
            wrong(&|d| d.ladders[0].rungs.swap(0, 1)),
            Some(DirectoryError::Ladder),
            "and only at its end"
        );
        assert_eq!(wrong(&|d| d.ladders[1].rungs.clear()), Some(DirectoryError::Ladder), "nobody answers");
        let long = "x".repeat(MAX_WORDS_BYTES + 1);
        assert_eq!(wrong(&|d| d.pledge = Words::new("en", &long)), Some(DirectoryError::TooLong), "too much");
    }

    #[test]
    fn free_slots_come_in_their_order_and_only_those_ahead() {
        let starts =
            |now| directory().slots_of("internal", now).iter().map(|slot| slot.starts_ms).collect::<Vec<_>>();
        assert_eq!(starts(0), [1_000, 2_000], "the earliest first");
        assert_eq!(starts(1_001), [2_000], "what is past is not offered");
        assert!(directory().slots_of("dental", 0).is_empty(), "of another service none");
    }

    #[test]
    fn words_come_in_the_readers_language_or_in_one_that_there_is() {
        let name = directory().name;
        assert_eq!(name.text("id-ID"), "RS Melati", "by the primary language");
        assert_eq!(name.text("en"), "Melati Hospital", "as asked for");
        assert_eq!(name.text("ar"), "Melati Hospital", "another is better than none");
    }
}
