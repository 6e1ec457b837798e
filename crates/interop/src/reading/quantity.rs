//! Numbers with units: as printed, against the laboratory's own range, and the names of code systems that series are known by.

use mecum_domain::{Decimal, Flag, ReferenceRange};

use crate::fhir::Node;

/// Up to this many decimals a number is shown as printed; with more it is a machine's noise (58.310000000000002), and is rounded.
const PRINTED_DECIMALS: usize = 4;

/// A number as a person reads it. The verbatim resource keeps every digit.
pub(super) fn shown(number: &Decimal) -> String {
    let text = number.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals <= PRINTED_DECIMALS || text.contains(['e', 'E']) {
        return text;
    }
    let size = number.to_f64().abs();
    // Two decimals, and for a small number as many as leave three digits: 0.00412345 must not become 0.00.
    let wanted = (2..=12).find(|digits| size == 0.0 || size * 10f64.powi(*digits) >= 100.0);
    number.rounded(usize::try_from(wanted.unwrap_or(12)).unwrap_or(2))
}

/// Value and unit of a Quantity as printed, with its comparator ("<0.5").
pub(super) fn printed(quantity: &Node<'_>) -> Option<(String, Option<String>)> {
    let value = quantity.get("value");
    let number = value.decimal().map(|number| shown(&number)).or_else(|| value.printed())?;
    let comparator = quantity.get("comparator").text().unwrap_or_default();
    Some((format!("{comparator}{number}"), unit(quantity)))
}

/// The unit as printed, else its UCUM code. UCUM's `1` (no unit) and annotations such as `{score}` are not printed.
pub(super) fn unit(quantity: &Node<'_>) -> Option<String> {
    let unit = quantity.get("unit").text().or_else(|| quantity.get("code").text())?;
    let annotation = unit.starts_with('{') && unit.ends_with('}');
    (unit != "1" && !annotation).then(|| unit.to_owned())
}

/// The UCUM code of a unit, where the sender gives one.
pub(super) fn ucum(quantity: &Node<'_>) -> Option<String> {
    let by_ucum = quantity.get("system").text().is_some_and(|system| system_name(system) == "ucum");
    quantity.get("code").text().filter(|_| by_ucum).map(str::to_owned)
}

/// "7.8 %", "5 mg".
pub(super) fn text(quantity: &Node<'_>) -> Option<String> {
    let (value, unit) = printed(quantity)?;
    Some(unit.map_or_else(|| value.clone(), |unit| format!("{value} {unit}")))
}

/// A FHIR Range or the limits of a referenceRange in words: "3.5–5.1 mmol/L", "< 5.6 %".
pub(super) fn range_text(range: &Node<'_>) -> String {
    let number = |key: &str| range.get(key).get("value").decimal().map(|number| shown(&number));
    let unit = unit(range.get("high")).or_else(|| unit(range.get("low")));
    let limits = match (number("low"), number("high")) {
        (Some(low), Some(high)) => format!("{low}–{high}"),
        (Some(low), None) => format!("≥ {low}"),
        (None, Some(high)) => format!("≤ {high}"),
        (None, None) => return String::new(),
    };
    unit.map_or_else(|| limits.clone(), |unit| format!("{limits} {unit}"))
}

/// The laboratory's own range for a value. Several ranges (by age, by sex) are given in words without limits: which applies is not ours to choose.
pub(super) fn range_of(ranges: &Node<'_>, value: &Node<'_>) -> Option<ReferenceRange> {
    let normal = |range: &&Node<'_>| !range.get("type").is_some() || range.get("type").has_code(&["normal"]);
    let ranges: Vec<&Node<'_>> = ranges.items().iter().filter(normal).collect();
    let words = |range: &Node<'_>| {
        range
            .get("text")
            .text()
            .map(str::to_owned)
            .or_else(|| Some(range_text(range)))
            .filter(|text| !text.is_empty())
    };
    let [range] = ranges.as_slice() else {
        let text = ranges.iter().filter_map(|range| words(range)).collect::<Vec<_>>().join("; ");
        return (!text.is_empty()).then(|| ReferenceRange { text: Some(text), ..ReferenceRange::default() });
    };
    let text = words(range);
    let same = ["low", "high"].iter().all(|limit| same_unit(range.get(limit), value));
    let limit = |key: &str| range.get(key).get("value").decimal().filter(|_| same);
    let (mut low, mut high) = (limit("low"), limit("high"));
    if low.is_none()
        && high.is_none()
        && same
        && let Some(text) = range.get("text").text()
    {
        (low, high) = limits_in_words(text);
    }
    (low.is_some() || high.is_some() || text.is_some()).then_some(ReferenceRange { low, high, text })
}

/// A limit without a unit is in the value's; one with another unit is not compared.
fn same_unit(limit: &Node<'_>, value: &Node<'_>) -> bool {
    let differ = |key: &str| match (limit.get(key).text(), value.get(key).text()) {
        (Some(a), Some(b)) => Some(!a.eq_ignore_ascii_case(b)),
        _ => None,
    };
    // The code decides where both have one: "mmol/l" and "mmol/L" are printed differently and mean the same.
    !differ("code").or_else(|| differ("unit")).unwrap_or(false)
}

/// Limits that a laboratory wrote as text: "3.5 - 5.1", "<5.6", ">= 40 mg/dL". Anything less plain gives none.
fn limits_in_words(text: &str) -> (Option<Decimal>, Option<Decimal>) {
    let text = text.trim().trim_start_matches('(').trim_end_matches(')');
    let upper = ["<=", "≤", "<"].iter().find_map(|sign| text.strip_prefix(sign));
    let lower = [">=", "≥", ">"].iter().find_map(|sign| text.strip_prefix(sign));
    match (upper, lower) {
        (Some(rest), _) => (None, only_number(rest)),
        (_, Some(rest)) => (only_number(rest), None),
        _ => {
            let Some((low, rest)) = leading_number(text) else { return (None, None) };
            let rest = rest.trim_start();
            let dash = ["-", "–", "to "].iter().find_map(|dash| rest.strip_prefix(dash));
            match dash.and_then(only_number) {
                Some(high) if low <= high => (Some(low), Some(high)),
                _ => (None, None),
            }
        }
    }
}

/// A number that nothing but a unit follows.
fn only_number(text: &str) -> Option<Decimal> {
    let (number, rest) = leading_number(text)?;
    let unit = rest.trim();
    let plain = unit.len() <= 16 && !unit.contains([';', ':', ',', '<', '>', '–']) && !unit.contains(" - ");
    (plain && !unit.starts_with(['-', '.', '/'])).then_some(number)
}

fn leading_number(text: &str) -> Option<(Decimal, &str)> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, rest))
}

/// What is said about a value: the laboratory's own interpretation, else the value against its own range.
pub(super) fn flag_of(node: &Node<'_>, value: &Node<'_>, range: Option<&ReferenceRange>) -> Flag {
    let said = node.get("interpretation");
    if said.has_code(&["H", "HH", "HU", ">"]) {
        return Flag::High;
    }
    if said.has_code(&["L", "LL", "LU", "<"]) {
        return Flag::Low;
    }
    if said.has_code(&["N"]) {
        return Flag::InRange;
    }
    let Some(number) = value.get("value").decimal() else { return Flag::None };
    let Some(range) = range.filter(|range| range.low.is_some() || range.high.is_some()) else {
        return Flag::NoRange;
    };
    let within = |limit: &Option<Decimal>, beyond: fn(&Decimal, &Decimal) -> bool| {
        limit.as_ref().is_some_and(|limit| beyond(&number, limit))
    };
    // "<0.5" is only known to be low or within where the limit leaves no other answer.
    match value.get("comparator").text() {
        Some("<" | "<=") if within(&range.low, |number, low| number <= low) => Flag::Low,
        Some("<" | "<=") if range.low.is_none() && within(&range.high, |number, high| number <= high) => {
            Flag::InRange
        }
        Some(">" | ">=") if within(&range.high, |number, high| number >= high) => Flag::High,
        Some(">" | ">=") if range.high.is_none() && within(&range.low, |number, low| number >= low) => {
            Flag::InRange
        }
        Some(_) => Flag::NoRange,
        None => range.flag(&number),
    }
}

/// The usual short name of a code system; the address itself where there is none.
pub(super) fn system_name(system: &str) -> &str {
    match system {
        "http://loinc.org" | "urn:oid:2.16.840.1.113883.6.1" => "loinc",
        "http://snomed.info/sct" | "urn:oid:2.16.840.1.113883.6.96" => "snomed",
        "http://www.nlm.nih.gov/research/umls/rxnorm" => "rxnorm",
        "http://hl7.org/fhir/sid/cvx" => "cvx",
        "http://www.whocc.no/atc" => "atc",
        "http://hl7.org/fhir/sid/icd-10" | "http://hl7.org/fhir/sid/icd-10-cm" => "icd-10",
        "http://unitsofmeasure.org" => "ucum",
        "http://sys-ids.kemkes.go.id/kfa" => "kfa",
        other => other,
    }
}

/// The key of a series: its LOINC code where it has one, else its first code, else its words.
pub(super) fn series(concept: &Node<'_>) -> Option<String> {
    let codings = concept.codings();
    let loinc =
        codings.iter().find(|(system, ..)| system_name(system) == "loinc").or_else(|| codings.first());
    match loinc {
        Some((system, code, _)) => Some(format!("{}|{code}", system_name(system))),
        None => concept.words().map(|words| format!("text|{}", words.to_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(text: &str) -> (Option<String>, Option<String>) {
        let (low, high) = limits_in_words(text);
        (low.map(|d| d.to_string()), high.map(|d| d.to_string()))
    }

    #[test]
    fn only_plain_ranges_in_words_give_limits() {
        let both = |low: &str, high: &str| (Some(low.to_owned()), Some(high.to_owned()));
        assert_eq!(limits("3.5 - 5.1 mmol/L"), both("3.5", "5.1"), "two limits with a unit");
        assert_eq!(limits("3.5–5.1"), both("3.5", "5.1"), "a long dash");
        assert_eq!(limits("<5.6"), (None, Some("5.6".into())), "an upper limit");
        assert_eq!(limits(">= 40 mg/dL"), (Some("40".into()), None), "a lower limit");
        for vague in ["NA", "M: 13-17 F: 12-15", "1-2; 3-4", "negative", "5.1 - 3.5", "", "2-3-4", "1:40"] {
            assert_eq!(limits(vague), (None, None), "{vague:?} gives no limits");
        }
    }

    #[test]
    fn noise_is_rounded_and_print_is_kept() {
        let show = |text: &str| shown(&text.parse().expect("a number"));
        assert_eq!(show("58.310000000000002"), "58.31", "a machine's noise");
        assert_eq!(show("7.80"), "7.80", "as printed");
        assert_eq!(show("0.004"), "0.004", "a small result keeps its digits");
        assert_eq!(show("0.00412345678"), "0.00412", "three digits of a small number");
    }
}
