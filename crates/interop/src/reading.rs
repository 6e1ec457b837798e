//! What a kept resource says, for lists, trends and its own page: a pure function of the kept bytes.
//!
//! Each type's own fields are read in the order in which a person asks for them. What is unknown stays unknown: no range, date or name is made up.
//! Must not know Fluent texts (labels are ids), storage or screens.

use mecum_domain::{Decimal, Flag, Kind, PartialDate, ReferenceRange};

use crate::fhir::Node;
use crate::kept::{self, Container, DecodeContainerError};
use crate::title;

mod allergy;
mod care;
mod common;
mod condition;
mod dates;
mod document;
mod encounter;
mod facts;
mod family;
mod immunization;
mod kinds;
mod label;
mod medication;
mod names;
mod observation;
mod other;
mod patient;
mod quantity;

pub(crate) use dates::date_of;
use facts::Facts;
pub(crate) use kinds::kind_of;
pub use label::{LABELS, STATUSES};
pub(crate) use names::{Name, Part, name_of};

/// What a resource says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What it is.
    pub kind: Kind,
    /// FHIR resource type.
    pub resource_type: String,
    /// Title as the record words it, without a code system's noise. Never empty.
    pub title: String,
    /// Names the series of a trend: `loinc|4548-4`; of a text without a code `text|…`.
    pub code: Option<String>,
    /// Value as printed ("7.8", "138/82", "Negative").
    pub value: Option<String>,
    /// Unit as printed.
    pub unit: Option<String>,
    /// UCUM code of the unit, where the sender gives one: two points compare when these agree, however they are printed.
    pub ucum: Option<String>,
    /// The parts of a result that has several, in the file's order.
    pub components: Vec<Component>,
    /// The laboratory's own range.
    pub range: Option<ReferenceRange>,
    /// What is said about it, the most important alone: entered in error, high or low, corrected, ended, in range, no range.
    pub flag: Flag,
    /// It was changed after its first release.
    pub corrected: bool,
    /// It says that something is not so: none known, not given, not taken, cancelled. Never shown as "you have" or "you got".
    pub absent: bool,
    /// When it happened, began or was written.
    pub date: Option<PartialDate>,
    /// When it ended.
    pub end: Option<PartialDate>,
    /// Who measured, wrote, prescribed or recorded it, as named.
    pub author: Option<String>,
    /// The organization it comes from, as named.
    pub organization: Option<String>,
    /// FHIR status code: of a condition or allergy its clinical status.
    pub status: Option<String>,
    /// Numbers for a trend with the code of each; systolic before diastolic.
    pub numeric: Option<Vec<(String, Decimal)>>,
    /// Of a medicine: how it is taken.
    pub dosage: Option<Dosage>,
    /// Its facts, each with a label.
    pub details: Vec<Detail>,
}

/// How a medicine is taken, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dosage {
    /// Dose with unit ("500 mg").
    pub dose: Option<String>,
    /// How often ("2 times a day", or the instruction in words).
    pub frequency: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// A part of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Its code, like [`Reading::code`].
    pub code: Option<String>,
    /// Its title.
    pub title: String,
    /// Value as printed.
    pub value: String,
    /// Unit as printed.
    pub unit: Option<String>,
    /// Against the laboratory's own range for this part.
    pub flag: Flag,
}

/// A labelled fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// Fluent id of the label, one of [`LABELS`].
    pub label: &'static str,
    /// The fact.
    pub value: DetailValue,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq)]
pub enum DetailValue {
    /// Text of the record.
    Text(String),
    /// A coded word.
    Code {
        /// As worded.
        text: String,
        /// The code.
        code: String,
        /// Its code system: a short name where one is usual (`loinc`, `snomed`), else the address.
        system: String,
    },
    /// A number with its unit.
    Quantity {
        /// As printed.
        value: String,
        /// As printed; empty if none.
        unit: String,
        /// What is said about it.
        flag: Flag,
    },
    /// A date as written.
    Date(PartialDate),
    /// A FHIR status, one of [`STATUSES`]: the Fluent id is `status-` and this code.
    Status(String),
    /// The name of another resource.
    Reference(String),
    /// Several.
    List(Vec<DetailValue>),
}

/// Reads a kept resource.
///
/// Never fails on content: what has no reader of its own is listed with its best words.
///
/// # Errors
/// [`DecodeContainerError`] if the bytes are no container.
pub fn read(container: &[u8]) -> Result<Reading, DecodeContainerError> {
    Ok(read_container(&kept::parse(container)?))
}

/// A resource with the names of what it points to.
struct Resource<'n> {
    node: &'n Node<'n>,
    container: &'n Container<'n>,
}

fn read_container(container: &Container<'_>) -> Reading {
    // Kept by a version with wider limits: still listed.
    let node = Node::parse(container.verbatim).unwrap_or(Node::Null);
    let resource = Resource { node: &node, container };
    let resource_type = node.get("resourceType").text().unwrap_or("Resource").to_owned();
    let kind = kind_of(&resource_type, &node);
    let mut reading = Reading {
        kind,
        date: date_of(&resource_type, &node),
        end: dates::end_of(&resource_type, &node),
        resource_type,
        ..Reading::default()
    };
    let mut facts = Facts::new(&resource);
    common::read(&resource, &mut reading);
    match reading.resource_type.as_str() {
        "Patient" => patient::read(&resource, &mut reading, &mut facts),
        "Encounter" => encounter::read_encounter(&resource, &mut reading, &mut facts),
        "Procedure" => encounter::read_procedure(&resource, &mut reading, &mut facts),
        "ImagingStudy" => encounter::read_imaging(&resource, &mut reading, &mut facts),
        "Condition" => condition::read(&resource, &mut reading, &mut facts),
        "AllergyIntolerance" => allergy::read(&resource, &mut reading, &mut facts),
        "Immunization" => immunization::read(&resource, &mut reading, &mut facts),
        "Goal" => care::read_goal(&resource, &mut reading, &mut facts),
        "CarePlan" => care::read_plan(&resource, &mut reading, &mut facts),
        "MedicationRequest" => medication::read_request(&resource, &mut reading, &mut facts),
        "MedicationStatement" => medication::read_statement(&resource, &mut reading, &mut facts),
        "MedicationAdministration" => medication::read_administration(&resource, &mut reading, &mut facts),
        "Observation" => observation::read(&resource, &mut reading, &mut facts),
        "DiagnosticReport" => document::read_report(&resource, &mut reading, &mut facts),
        "DocumentReference" => document::read_document(&resource, &mut reading, &mut facts),
        "Composition" => document::read_composition(&resource, &mut reading, &mut facts),
        "FamilyMemberHistory" => family::read(&resource, &mut reading, &mut facts),
        _ => other::read(&resource, &mut reading, &mut facts),
    }
    if reading.title.is_empty() {
        let words = title::best_words(&node);
        reading.title = words.unwrap_or_else(|| title::type_in_words(&reading.resource_type));
    }
    reading.flag = common::foremost(&resource, &reading);
    reading.details = facts.finish();
    reading
}

#[cfg(test)]
mod tests;
