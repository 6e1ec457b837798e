//! Mixed entries by three authors, for the bench and for convergence: mostly finished results, the rest what people edit.

use std::fmt::Write as _;

use mecum_domain::{Edit, EntryId, Field, Kind};
use mecum_interop::{Kept, read_bundle};
use mecum_seal::Entropy as _;
use mecum_seal::testing::SeededEntropy;

use super::labs::{self, Lab};
use crate::Dice;

/// Authors of mixed entries.
pub const MIXED_AUTHORS: usize = 3;

/// One entry with its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixedEntry {
    /// Who writes it: 0, 1 or 2.
    pub author: usize,
    /// What the entry is, and so its section.
    pub kind: Kind,
    /// What is written: [`Edit::Keep`] of a container of 400 to 900 bytes, [`Edit::Add`], or [`Edit::Set`] on an entry that was added before.
    pub edit: Edit,
}

/// `count` mixed entries: about 70 % finished, 30 % edits of which a third change an earlier entry.
///
/// The finished ones are laboratory results as a hospital sends them: they differ in test, value, day, visit and remark, and are alike in the rest.
pub fn generate_mixed(seed: u64, count: usize) -> Vec<MixedEntry> {
    let dice = Dice::new(seed);
    let ids = SeededEntropy::new(seed ^ 0x6d69_7865);
    let mut finished = results(&dice, count).into_iter();
    let mut added: Vec<(EntryId, Kind)> = Vec::new();
    let mut out = Vec::with_capacity(count);
    for at in 0..count {
        let author = usize::try_from(dice.below(MIXED_AUTHORS as u64)).unwrap_or(0);
        let (kind, edit) = match dice.below(10) {
            0..=6 => {
                let Some(kept) = finished.next() else { break };
                (kept.kind, Edit::Keep { key: kept.key, bytes: kept.bytes })
            }
            7 if !added.is_empty() => change(&dice, &added),
            _ => {
                let mut bytes = [0; 16];
                ids.fill(&mut bytes);
                let entry = EntryId::from_bytes(bytes);
                let (kind, edit) = add(&dice, entry, at);
                added.push((entry, kind));
                (kind, edit)
            }
        };
        out.push(MixedEntry { author, kind, edit });
    }
    out
}

/// Laboratory results, kept as an import would keep them.
fn results(dice: &Dice, count: usize) -> Vec<Kept> {
    let mut bundle = String::from("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
    for at in 0..count {
        if at > 0 {
            bundle.push(',');
        }
        result(dice, at, &mut bundle);
    }
    bundle.push_str("]}");
    // Made here, so only a bug of the generator could make it unreadable; its tests would say so.
    read_bundle(bundle.as_bytes()).map(|bundle| bundle.resources).unwrap_or_default()
}

fn result(dice: &Dice, at: usize, out: &mut String) {
    const TESTS: [&Lab; 8] = [
        &labs::HBA1C,
        &labs::GLUCOSE,
        &labs::CREATININE,
        &labs::POTASSIUM,
        &labs::LDL,
        &labs::HDL,
        &labs::HAEMOGLOBIN,
        &labs::TSH,
    ];
    const REMARKS: [&str; 6] = [
        "Fasting.",
        "Sample slightly haemolysed, read with care.",
        "Repeated, same result.",
        "Taken at home by the visiting nurse.",
        "Please check again in three months.",
        "Told to the patient by telephone.",
    ];
    let lab = dice.choose(&TESTS).copied().unwrap_or(&labs::HBA1C);
    let middle = match (lab.low, lab.high) {
        (Some(low), Some(high)) => f64::midpoint(low, high),
        (low, high) => low.or(high).unwrap_or(50.0),
    };
    let value = middle * (1.0 + dice.around(0.15));
    let decimals = usize::try_from(lab.decimals).unwrap_or(0);
    let day = format!("{}-{:02}-{:02}", dice.between(2016, 2026), dice.between(1, 12), dice.between(1, 28));
    let (code, title, unit, ucum) = (lab.code, lab.title, lab.unit, lab.ucum);
    // Writing to a text does not fail.
    let _ = write!(
        out,
        r#"{{"fullUrl":"https://rs-tirta-asih.example/fhir/Observation/{at}","resource":{{"resourceType":"Observation","id":"{at}","meta":{{"versionId":"1"}},"status":"final","category":[{{"coding":[{{"code":"laboratory"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}],"text":"{title}"}},"encounter":{{"reference":"Encounter/{}"}},"effectiveDateTime":"{day}T07:10:00+07:00","valueQuantity":{{"value":{value:.decimals$},"unit":"{unit}","code":"{ucum}"}}"#,
        dice.below(400)
    );
    let limit = |limit: f64| format!(r#"{{"value":{limit:.decimals$},"unit":"{unit}"}}"#);
    let limits = [
        lab.low.map(|low| format!("\"low\":{}", limit(low))),
        lab.high.map(|high| format!("\"high\":{}", limit(high))),
    ];
    let limits = limits.into_iter().flatten().collect::<Vec<_>>().join(",");
    let _ = write!(out, r#","referenceRange":[{{{limits}}}]"#);
    if dice.once_in(3) {
        let remark = dice.choose(&REMARKS).copied().unwrap_or("Fasting.");
        let _ = write!(out, r#","note":[{{"text":"{remark}"}}]"#);
    }
    out.push_str("}}");
}

fn add(dice: &Dice, entry: EntryId, at: usize) -> (Kind, Edit) {
    let when = format!(
        "{}-{:02}-{:02}T08:05:00+07:00",
        dice.between(2016, 2026),
        dice.between(1, 12),
        dice.between(1, 28)
    );
    let (kind, fields) = match dice.below(4) {
        0 => (
            Kind::Note,
            vec![(
                Field::Text,
                format!("Note {at}: felt {} today.", if dice.once_in(2) { "well" } else { "tired" }),
            )],
        ),
        1 => (
            Kind::MedicationStatement,
            vec![
                (Field::Name, format!("Medicine {}", dice.below(40))),
                (Field::Dose, dice.between(1, 80).to_string()),
                (Field::DoseUnit, "mg".into()),
                (Field::Frequency, "08:00".into()),
            ],
        ),
        _ => (
            Kind::VitalSign,
            vec![
                (Field::Code, "85354-9".into()),
                (Field::Value, dice.between(105, 165).to_string()),
                (Field::Value2, dice.between(60, 98).to_string()),
                (Field::Unit, "mm[Hg]".into()),
            ],
        ),
    };
    let fields = fields.into_iter().chain([(Field::Effective, when)]).collect();
    (kind, Edit::Add { entry, kind, fields })
}

/// A change that fits what the entry is.
fn change(dice: &Dice, added: &[(EntryId, Kind)]) -> (Kind, Edit) {
    let (entry, kind) = dice.choose(added).copied().unwrap_or_default();
    let (field, value) = match kind {
        _ if dice.once_in(5) => (Field::Deleted, "entered twice".to_owned()),
        Kind::MedicationStatement => (Field::Dose, dice.between(1, 80).to_string()),
        Kind::Note => (Field::Text, format!("Changed to {}", dice.below(1_000))),
        _ => (Field::Value, dice.between(105, 165).to_string()),
    };
    (kind, Edit::Set { entry, field, value: Some(value) })
}
