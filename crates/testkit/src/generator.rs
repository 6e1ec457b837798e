//! An invented family of one account: ten years of record as a hospital would send it, and what the family writes itself.
//!
//! The same seed and day make the same bytes on every machine. People, hospital, doctors and values are invented; courses are believable, not medical advice.

use jiff::civil::Date;
use mecum_domain::{Field, Kind, PersonColour, Relation};

mod bima;
mod course;
mod labs;
mod laras;
mod mixed;
mod own;
mod ratna;
mod ward;

pub use mixed::{MIXED_AUTHORS, MixedEntry, generate_mixed};

/// One entry that the family writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEntry {
    /// What it is.
    pub kind: Kind,
    /// Its fields, as a form would send them.
    pub fields: Vec<(Field, String)>,
}

/// One person of the family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedPerson {
    /// Name on the chart; the bundle's Patient has the same.
    pub name: String,
    /// Birth date, `YYYY-MM-DD`.
    pub born: String,
    /// FHIR administrative gender.
    pub gender: &'static str,
    /// What the person is to the account's person.
    pub relation: Relation,
    /// Colour of the spine.
    pub colour: PersonColour,
    /// What the hospital has: a FHIR R4 collection Bundle.
    pub bundle: String,
    /// What the family wrote, oldest first.
    pub own: Vec<OwnEntry>,
}

/// Laras (own chart), her mother Ibu Ratna and her son Bima, with ten years up to `today`.
pub fn generate_family(seed: u64, today: Date) -> Vec<GeneratedPerson> {
    vec![laras::person(seed, today), ratna::person(seed, today), bima::person(seed, today)]
}

/// A birthday on which somebody is `age` years old `today`.
fn born_for_age(today: Date, age: i16, month: i8, day: i8) -> Date {
    let this_year = jiff::civil::date(today.year() - age, month, day);
    let had_birthday = (today.month(), today.day()) >= (month, day);
    if had_birthday { this_year } else { jiff::civil::date(today.year() - age - 1, month, day) }
}

#[cfg(test)]
mod tests;
