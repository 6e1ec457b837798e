//! Laboratory results, reports over them, and measurements at a visit.

use serde_json::{Value, json};

use super::super::course::{at_time, days};
use super::super::labs::Lab;
use super::{LOINC, Reported, Visit, Ward, concept, quantity};

impl Ward {
    /// A laboratory result with the laboratory's own range.
    pub(in crate::generator) fn lab(&mut self, visit: &Visit, lab: &Lab, value: f64) -> Reported {
        self.lab_with(visit, lab, value, json!({}))
    }

    /// A laboratory result that was released wrong and corrected.
    pub(in crate::generator) fn corrected_lab(
        &mut self,
        visit: &Visit,
        lab: &Lab,
        value: f64,
        why: &str,
    ) -> Reported {
        let issued = at_time(days(visit.date, 6), 10, 5);
        let extra = json!({ "status": "corrected", "meta": { "versionId": "2" }, "issued": issued, "note": [{ "text": why }] });
        self.lab_with(visit, lab, value, extra)
    }

    fn lab_with(&mut self, visit: &Visit, lab: &Lab, value: f64, extra: Value) -> Reported {
        let scale = 10f64.powi(i32::try_from(lab.decimals).unwrap_or(0));
        let value = (value * scale).round() / scale;
        let limit = |limit: Option<f64>| limit.map(|limit| quantity(limit, lab.decimals, lab.unit, lab.ucum));
        let mut range = serde_json::Map::new();
        range.extend(limit(lab.low).map(|low| ("low".to_owned(), low)));
        range.extend(limit(lab.high).map(|high| ("high".to_owned(), high)));
        range.extend(lab.text.map(|text| ("text".to_owned(), json!(text))));
        let mut own = json!({
            "code": concept((LOINC, lab.code, lab.title)),
            "valueQuantity": quantity(value, lab.decimals, lab.unit, lab.ucum),
            "issued": at_time(days(visit.date, 1), 9, 14),
        });
        if let (Some(map), Value::Object(extra)) = (own.as_object_mut(), extra) {
            if !range.is_empty() {
                map.insert("referenceRange".into(), json!([range]));
            }
            map.extend(extra);
        }
        let reference = self.observation(visit, "laboratory", 10, own);
        Reported { reference: json!({ "reference": reference, "display": lab.title }) }
    }

    /// A report over results.
    pub(in crate::generator) fn report(
        &mut self,
        visit: &Visit,
        code: &str,
        title: &str,
        results: &[Reported],
        conclusion: Option<&str>,
    ) {
        let results: Vec<_> = results.iter().map(|result| result.reference.clone()).collect();
        self.add("DiagnosticReport", json!({
            "status": "final",
            "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB", "display": "Laboratory" }] }],
            "code": concept((LOINC, code, title)),
            "encounter": { "reference": visit.reference },
            "effectiveDateTime": at_time(visit.date, 7, 10),
            "issued": at_time(days(visit.date, 1), 9, 14),
            "performer": [{ "reference": "Organization/rs-tirta-asih-lab" }],
            "result": results,
            "conclusion": conclusion,
        }));
    }

    /// A vital sign: LOINC code, title, unit as printed, UCUM code, decimals.
    pub(in crate::generator) fn vital(
        &mut self,
        visit: &Visit,
        (code, title, unit, ucum, decimals): (&str, &str, &str, &str, u32),
        value: f64,
    ) {
        let own = json!({ "code": concept((LOINC, code, title)), "valueQuantity": quantity(value, decimals, unit, ucum) });
        self.observation(visit, "vital-signs", 20, own);
    }

    /// A blood pressure, in mmHg.
    pub(in crate::generator) fn pressure(&mut self, visit: &Visit, systolic: f64, diastolic: f64) {
        let part = |code: &str, title: &str, value: f64| json!({ "code": concept((LOINC, code, title)), "valueQuantity": quantity(value, 0, "mmHg", "mm[Hg]") });
        let own = json!({
            "code": concept((LOINC, "85354-9", "Blood pressure")),
            "component": [
                part("8480-6", "Systolic blood pressure", systolic),
                part("8462-4", "Diastolic blood pressure", diastolic),
            ],
        });
        self.observation(visit, "vital-signs", 25, own);
    }
}
