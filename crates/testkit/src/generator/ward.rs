//! The invented hospital's record of one person, written resource by resource as FHIR R4.
//!
//! Ids count up within a type, keys come out sorted and numbers as printed: the same calls make the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::course::at_time;
use crate::Dice;

mod results;
mod sorted;

/// Base of the invented hospital's FHIR server; `.example` is nobody's. Source: RFC 2606.
const BASE: &str = "https://rs-tirta-asih.example/fhir";

/// A practitioner of the hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doctor {
    /// dr. Hendra Wijaya, Sp.PD: internal medicine.
    Hendra,
    /// dr. Maya Lestari: children.
    Maya,
    /// dr. Rini Puspita, Sp.M: eyes.
    Rini,
    /// Bidan Sri Handayani: midwife.
    Sri,
}

impl Doctor {
    const ALL: [Doctor; 4] = [Doctor::Hendra, Doctor::Maya, Doctor::Rini, Doctor::Sri];

    fn id(self) -> &'static str {
        match self {
            Doctor::Hendra => "hendra-wijaya",
            Doctor::Maya => "maya-lestari",
            Doctor::Rini => "rini-puspita",
            Doctor::Sri => "sri-handayani",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Doctor::Hendra => "dr. Hendra Wijaya, Sp.PD",
            Doctor::Maya => "dr. Maya Lestari",
            Doctor::Rini => "dr. Rini Puspita, Sp.M",
            Doctor::Sri => "Bidan Sri Handayani",
        }
    }

    fn reference(self) -> Value {
        json!({ "reference": format!("Practitioner/{}", self.id()) })
    }
}

/// A visit that results and prescriptions belong to.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    reference: String,
    date: Date,
    doctor: Doctor,
}

impl Visit {
    /// Its day.
    pub(super) fn date(&self) -> Date {
        self.date
    }

    /// What other resources call it.
    pub(super) fn reference(&self) -> &str {
        &self.reference
    }
}

/// A result in a report.
pub(super) struct Reported {
    reference: Value,
}

/// The record of one person while it is written.
pub(super) struct Ward {
    pub(super) dice: Dice,
    entries: Vec<(String, Value)>,
    counts: BTreeMap<&'static str, u32>,
}

/// A coded concept: code system, code, words.
pub(super) type Coded<'c> = (&'c str, &'c str, &'c str);

pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub(super) const ATC: &str = "http://www.whocc.no/atc";

pub(super) fn concept((system, code, words): Coded<'_>) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": words }], "text": words })
}

fn number(value: f64, decimals: u32) -> Value {
    // A whole number without a point, as a laboratory prints it.
    let text = format!("{value:.*}", usize::try_from(decimals).unwrap_or(0));
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn quantity(value: f64, decimals: u32, unit: &str, ucum: &str) -> Value {
    json!({ "value": number(value, decimals), "unit": unit, "system": "http://unitsofmeasure.org", "code": ucum })
}

/// The same as what a value is to be below.
fn below(mut quantity: Value) -> Value {
    quantity["comparator"] = json!("<");
    quantity
}

impl Ward {
    /// The record of a person, with its Patient, hospital and doctors.
    pub(super) fn new(dice: Dice, name: &str, born: Date, gender: &str, record_number: &str) -> Ward {
        let mut ward = Ward { dice, entries: Vec::new(), counts: BTreeMap::new() };
        ward.put("Patient", &record_number.to_lowercase(), json!({
            "active": true,
            "identifier": [{ "system": format!("{BASE}/record-number"), "value": record_number, "type": { "text": "Medical record number" } }],
            "name": [{ "use": "usual", "text": name }],
            "gender": gender,
            "birthDate": born.to_string(),
            "address": [{ "use": "home", "line": ["Jalan Melati 12"], "city": "Yogyakarta", "country": "ID" }],
            "communication": [{ "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "id", "display": "Indonesian" }] } }],
            "managingOrganization": { "reference": "Organization/rs-tirta-asih" },
        }));
        let phone = json!([{ "system": "phone", "value": "+62 274 555 0100" }]);
        ward.put(
            "Organization",
            "rs-tirta-asih",
            json!({ "active": true, "name": "RS Tirta Asih", "telecom": phone }),
        );
        ward.put("Organization", "rs-tirta-asih-lab", json!({
            "active": true, "name": "RS Tirta Asih laboratory", "partOf": { "reference": "Organization/rs-tirta-asih" },
        }));
        for doctor in Doctor::ALL {
            ward.put(
                "Practitioner",
                doctor.id(),
                json!({ "active": true, "name": [{ "text": doctor.name() }] }),
            );
        }
        ward
    }

    fn put(&mut self, resource_type: &'static str, id: &str, mut resource: Value) -> String {
        let reference = format!("{resource_type}/{id}");
        if let Some(map) = resource.as_object_mut() {
            map.insert("resourceType".into(), json!(resource_type));
            map.insert("id".into(), json!(id));
            // A caller that says the version says why it changed.
            map.entry("meta").or_insert_with(|| json!({ "versionId": "1" }));
        }
        self.entries.push((format!("{BASE}/{reference}"), resource));
        reference
    }

    fn patient(&self) -> Value {
        let reference =
            self.entries.first().map_or("", |(url, _)| url.trim_start_matches(BASE).trim_start_matches('/'));
        json!({ "reference": reference })
    }

    /// Adds a resource about the person; `extra` are its own fields. Tells its reference.
    pub(super) fn add(&mut self, resource_type: &'static str, extra: Value) -> String {
        let count = self.counts.entry(resource_type).or_default();
        *count += 1;
        let id = format!("{}-{count}", resource_type.to_lowercase());
        let subject = match resource_type {
            "AllergyIntolerance" | "Immunization" | "FamilyMemberHistory" => "patient",
            _ => "subject",
        };
        let mut resource = extra;
        let patient = self.patient();
        if let Some(map) = resource.as_object_mut() {
            map.insert(subject.into(), patient);
            map.retain(|_, value| !value.is_null());
        }
        self.put(resource_type, &id, resource)
    }

    /// A visit with its reason.
    pub(super) fn visit(&mut self, date: Date, doctor: Doctor, title: &str, reason: Option<&str>) -> Visit {
        let (hour, minute) = (self.dice.between(8, 14), self.dice.between(0, 11) * 5);
        self.visit_of_class(date, doctor, title, reason, ("AMB", "ambulatory"), (hour, minute), 0)
    }

    #[expect(clippy::too_many_arguments, reason = "one call site, each a fact of the visit")]
    fn visit_of_class(
        &mut self,
        date: Date,
        doctor: Doctor,
        title: &str,
        reason: Option<&str>,
        class: (&str, &str),
        (hour, minute): (i64, i64),
        nights: i64,
    ) -> Visit {
        let end = match nights {
            0 => at_time(date, hour, (minute + 20).min(59)),
            nights => at_time(super::course::days(date, nights), 11, 0),
        };
        let reference = self.add("Encounter", json!({
            "status": "finished",
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class.0, "display": class.1 },
            "type": [{ "text": title }],
            "participant": [{ "individual": doctor.reference() }],
            "period": { "start": at_time(date, hour, minute), "end": end },
            "reasonCode": reason.map(|reason| json!([{ "text": reason }])),
            "serviceProvider": { "reference": "Organization/rs-tirta-asih" },
        }));
        Visit { reference, date, doctor }
    }

    /// A stay in the ward.
    pub(super) fn stay(
        &mut self,
        date: Date,
        doctor: Doctor,
        title: &str,
        reason: &str,
        nights: i64,
    ) -> Visit {
        self.visit_of_class(date, doctor, title, Some(reason), ("IMP", "inpatient"), (6, 30), nights)
    }

    fn observation(&mut self, visit: &Visit, category: &str, minute: i64, own: Value) -> String {
        let performer = match category {
            "laboratory" => json!([{ "reference": "Organization/rs-tirta-asih-lab" }]),
            _ => json!([visit.doctor.reference()]),
        };
        let mut resource = json!({
            "status": "final",
            "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category }] }],
            "encounter": { "reference": visit.reference },
            "effectiveDateTime": at_time(visit.date, 7, minute),
            "performer": performer,
        });
        if let (Some(map), Value::Object(own)) = (resource.as_object_mut(), own) {
            map.extend(own);
        }
        self.add("Observation", resource)
    }

    /// Something the person has or had.
    pub(super) fn condition(
        &mut self,
        visit: &Visit,
        code: Coded<'_>,
        onset: &str,
        end: Option<&str>,
    ) -> String {
        let clinical = if end.is_some() { "resolved" } else { "active" };
        self.add("Condition", json!({
            "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": clinical }] },
            "verificationStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed" }] },
            "code": concept(code),
            "encounter": { "reference": visit.reference },
            "onsetDateTime": onset,
            "abatementDateTime": end,
            "recordedDate": visit.date.to_string(),
            "recorder": visit.doctor.reference(),
        }))
    }

    /// A prescription: medicine, dose in one unit, times of day, reason; `status` active, stopped or completed.
    pub(super) fn prescribe(
        &mut self,
        visit: &Visit,
        medicine: Coded<'_>,
        dose: (f64, &str),
        times: &[&str],
        reason: &str,
        status: &str,
    ) {
        let decimals = u32::from(dose.0.fract() != 0.0);
        let clock: Vec<_> = times.iter().map(|time| format!("{time}:00")).collect();
        self.add("MedicationRequest", json!({
            "status": status,
            "intent": "order",
            "medicationCodeableConcept": concept(medicine),
            "encounter": { "reference": visit.reference },
            "authoredOn": at_time(visit.date, 11, 0),
            "requester": visit.doctor.reference(),
            "reasonCode": [{ "text": reason }],
            "dosageInstruction": [{
                "timing": { "repeat": { "frequency": times.len().max(1), "period": 1, "periodUnit": "d", "timeOfDay": clock } },
                "route": { "text": "by mouth" },
                "doseAndRate": [{ "doseQuantity": quantity(dose.0, decimals, dose.1, dose.1) }],
            }],
        }));
    }

    /// A vaccine that was given.
    pub(super) fn vaccinate(
        &mut self,
        visit: &Visit,
        vaccine: Coded<'_>,
        target: &str,
        dose: u32,
        site: &str,
    ) {
        let lot = format!(
            "{}{:04}",
            ["BF", "ID", "VX"].get(visit.date.day().rem_euclid(3).unsigned_abs() as usize).unwrap_or(&"BF"),
            self.dice.below(10_000)
        );
        self.add(
            "Immunization",
            json!({
                "status": "completed",
                "vaccineCode": concept(vaccine),
                "encounter": { "reference": visit.reference },
                "occurrenceDateTime": visit.date.to_string(),
                "primarySource": true,
                "lotNumber": lot,
                "site": { "text": site },
                "performer": [{ "actor": visit.doctor.reference() }],
                "protocolApplied": [{ "targetDisease": [{ "text": target }], "doseNumberPositiveInt": dose }],
            }),
        );
    }

    /// Something that was done.
    pub(super) fn procedure(
        &mut self,
        visit: &Visit,
        code: Coded<'_>,
        site: Option<&str>,
        outcome: Option<&str>,
    ) {
        self.add(
            "Procedure",
            json!({
                "status": "completed",
                "code": concept(code),
                "encounter": { "reference": visit.reference },
                "performedDateTime": at_time(visit.date, 10, 0),
                "performer": [{ "actor": visit.doctor.reference() }],
                "bodySite": site.map(|site| json!([{ "text": site }])),
                "outcome": outcome.map(|outcome| json!({ "text": outcome })),
            }),
        );
    }

    /// A paper of the hospital.
    pub(super) fn document(&mut self, visit: &Visit, code: &str, kind: &str, title: &str) {
        let size = self.dice.between(40_000, 900_000);
        self.add("DocumentReference", json!({
            "status": "current",
            "docStatus": "final",
            "type": concept((LOINC, code, kind)),
            "date": at_time(visit.date, 15, 0),
            "author": [visit.doctor.reference()],
            "custodian": { "reference": "Organization/rs-tirta-asih" },
            "content": [{ "attachment": { "contentType": "application/pdf", "language": "id", "title": title, "size": size } }],
            "context": { "encounter": [{ "reference": visit.reference }] },
        }));
    }

    /// A goal that was agreed.
    pub(super) fn goal(
        &mut self,
        visit: &Visit,
        words: &str,
        measure: Coded<'_>,
        high: (f64, u32, &str, &str),
        achieved: &str,
    ) {
        self.add("Goal", json!({
            "lifecycleStatus": "active",
            "achievementStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/goal-achievement", "code": achieved }] },
            "description": { "text": words },
            "startDate": visit.date.to_string(),
            "target": [{ "measure": concept(measure), "detailQuantity": below(quantity(high.0, high.1, high.2, high.3)) }],
            "expressedBy": visit.doctor.reference(),
        }));
    }

    /// What a relative has or had: relationship, condition, age at onset.
    pub(super) fn relative(&mut self, visit: &Visit, relationship: (&str, &str), conditions: &[(&str, u32)]) {
        let conditions: Vec<_> = conditions
            .iter()
            .map(|(words, age)| json!({ "code": { "text": words }, "onsetAge": quantity(f64::from(*age), 0, "years", "a") }))
            .collect();
        let system = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
        self.add(
            "FamilyMemberHistory",
            json!({
                "status": "completed",
                "date": visit.date.to_string(),
                "relationship": concept((system, relationship.0, relationship.1)),
                "condition": conditions,
            }),
        );
    }

    /// The record as a collection Bundle.
    pub(super) fn bundle(self) -> String {
        let mut out = String::from("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
        for (at, (url, resource)) in self.entries.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // Writing to a text does not fail.
            let _ = write!(out, "{comma}\n{{\"fullUrl\":\"{url}\",\"resource\":");
            sorted::write(resource, &mut out);
            out.push('}');
        }
        out.push_str("\n]}\n");
        out
    }
}
