//! The kinds of entry that a record holds, named after FHIR R4, and the section that each belongs to.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $section:ident, $group:ident;)*) => {
        /// What an entry is. The number is its stable code in stored bytes: never reused.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $code,)* }

        impl Kind {
            /// Every kind, in the order of their codes.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// The stable code of this kind in stored bytes.
            pub fn code(self) -> u8 { self as u8 }

            /// The kind of a stable code. A code of a newer version is kept and shown as [`Kind::Other`].
            pub fn from_code(code: u8) -> Kind { match code { $($code => Kind::$name,)* _ => Kind::Other } }

            /// The section (and so the space) that entries of this kind live in.
            pub fn section(self) -> Section { match self { $(Kind::$name => Section::$section,)* } }

            /// The filter of the timeline that shows this kind.
            pub fn group(self) -> KindGroup { match self { $(Kind::$name => KindGroup::$group,)* } }
        }
    };
}

kinds! {
    /// Anything kept as received that has no kind of its own: listed, readable, never dropped.
    #[default] Other = 0, Visits, Other;
    /// FHIR Patient: personal data.
    Patient = 1, Profile, Other;
    /// FHIR Encounter: a visit.
    Encounter = 2, Visits, Visits;
    /// FHIR Procedure.
    Procedure = 3, Visits, Visits;
    /// FHIR DocumentReference or Composition.
    Document = 4, Visits, Documents;
    /// FHIR DiagnosticReport.
    DiagnosticReport = 5, Results, Results;
    /// FHIR Observation of category laboratory.
    LabResult = 6, Results, Results;
    /// FHIR Observation of category vital-signs, or a home measurement.
    VitalSign = 7, Measurements, Measurements;
    /// FHIR Observation of any other category (social history, survey, exam).
    Observation = 8, Measurements, Measurements;
    /// FHIR MedicationRequest: a prescription.
    MedicationRequest = 9, Medications, Medicines;
    /// FHIR MedicationStatement: a medicine that the person takes.
    MedicationStatement = 10, Medications, Medicines;
    /// FHIR MedicationAdministration.
    MedicationAdministration = 11, Medications, Medicines;
    /// FHIR AllergyIntolerance.
    AllergyIntolerance = 12, Summary, Conditions;
    /// FHIR Condition.
    Condition = 13, Summary, Conditions;
    /// FHIR Immunization.
    Immunization = 14, Summary, Conditions;
    /// FHIR Goal.
    Goal = 15, Summary, Conditions;
    /// FHIR CarePlan.
    CarePlan = 16, Summary, Conditions;
    /// A note in the person's own words.
    Note = 17, Diary, Notes;
    /// FHIR ImagingStudy.
    ImagingStudy = 18, Visits, Visits;
    /// FHIR FamilyMemberHistory.
    FamilyMemberHistory = 19, Family, Other;
}

/// The filters of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KindGroup {
    /// Laboratory results and reports.
    Results,
    /// Vital signs and other measurements.
    Measurements,
    /// Prescriptions, statements, administrations.
    Medicines,
    /// Encounters, procedures, imaging.
    Visits,
    /// Conditions, allergies, immunizations, goals, plans.
    Conditions,
    /// Documents.
    Documents,
    /// Own notes.
    Notes,
    /// What has no filter of its own.
    Other,
}

impl KindGroup {
    /// Every filter in the order in which it is shown.
    pub const ALL: &'static [KindGroup] = &[
        KindGroup::Results,
        KindGroup::Measurements,
        KindGroup::Medicines,
        KindGroup::Visits,
        KindGroup::Conditions,
        KindGroup::Documents,
        KindGroup::Notes,
        KindGroup::Other,
    ];
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// The sections of a chart. Each is one space, so that access can differ.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[repr(u8)]
        pub enum Section { $($(#[$doc])* $name = $code,)* }

        impl Section {
            /// Every section.
            pub const ALL: &'static [Section] = &[$(Section::$name),*];

            /// The stable code of this section in stored bytes.
            pub fn code(self) -> u8 { self as u8 }

            /// The section of a stable code, `None` for one of a newer version.
            pub fn from_code(code: u8) -> Option<Section> { match code { $($code => Some(Section::$name),)* _ => None } }
        }
    };
}

sections! {
    /// Personal data, emergency card, preferences.
    Profile = 1;
    /// Notes and symptoms in the person's own words.
    Diary = 2;
    /// Conditions, allergies, immunizations, goals.
    Summary = 3;
    /// Medicines.
    Medications = 4;
    /// Laboratory results.
    Results = 5;
    /// Vital signs, home readings.
    Measurements = 6;
    /// Encounters, procedures, imaging, documents.
    Visits = 7;
    /// Family history, genetics.
    Family = 8;
    /// What the person moves there.
    Sensitive = 9;
    /// Conversations with one hospital: appointments, questions, messages. Each hospital has a space of its own.
    Care = 10;
}

impl Section {
    /// The sections of the record itself, which people can be let into. A conversation with a hospital is none of them: who is in it is
    /// said when it begins.
    pub const RECORD: &'static [Section] = &[
        Section::Profile,
        Section::Diary,
        Section::Summary,
        Section::Medications,
        Section::Results,
        Section::Measurements,
        Section::Visits,
        Section::Family,
        Section::Sensitive,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_but_care_is_of_the_record() {
        let rest: Vec<&Section> = Section::ALL.iter().filter(|one| !Section::RECORD.contains(one)).collect();
        assert_eq!(rest, [&Section::Care], "what is not of the record");
        let all: Vec<Section> = (0..=u8::MAX).filter_map(Section::from_code).collect();
        assert_eq!(all, Section::ALL, "each has its code");
        assert!(
            Kind::ALL.iter().all(|kind| Section::RECORD.contains(&kind.section())),
            "no entry lives in it"
        );
    }
}
