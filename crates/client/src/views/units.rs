//! Units of one quantity: which are the same, and which can be turned into each other exactly.
//!
//! Only conversions that are a definition, or that depend on nothing but the substance, are here; what a person reads
//! first is always what was printed.

use mecum_domain::Decimal;

/// A unit as printed by preference, with what `value * factor + offset` makes of a value in the first unit of its row.
struct Unit {
    printed: &'static str,
    key: &'static str,
    factor: f64,
    offset: f64,
    /// Decimals of a converted value, as laboratories print that unit.
    decimals: usize,
}

/// Units of one quantity. Empty `loincs`: whatever is measured.
struct Quantity {
    loincs: &'static [&'static str],
    units: &'static [Unit],
}

const fn unit(printed: &'static str, key: &'static str, factor: f64, offset: f64, decimals: usize) -> Unit {
    Unit { printed, key, factor, offset, decimals }
}

/// Glucose in blood, serum or plasma, by mass and by amount.
const GLUCOSE: &[&str] = &[
    "2339-0", "2345-7", "2340-8", "1558-6", "41653-7", "15074-8", "14749-6", "14771-0", "32016-8", "76629-5",
];

/// HbA1c in percent of NGSP and in mmol/mol of IFCC.
const HBA1C: &[&str] = &["4548-4", "17856-6", "59261-8"];

/// Sources: the pound, the inch and degrees by definition (NIST SP 811, appendix B); glucose by its molar mass of
/// 180.156 g/mol; HbA1c by the IFCC-NGSP master equation, NGSP = 0.09148 IFCC + 2.152.
const QUANTITIES: &[Quantity] = &[
    Quantity {
        loincs: &[],
        units: &[unit("kg", "kg", 1.0, 0.0, 1), unit("lb", "lb", 1.0 / 0.453_592_37, 0.0, 1)],
    },
    Quantity { loincs: &[], units: &[unit("cm", "cm", 1.0, 0.0, 1), unit("in", "in", 1.0 / 2.54, 0.0, 1)] },
    Quantity { loincs: &[], units: &[unit("°C", "°C", 1.0, 0.0, 1), unit("°F", "°F", 1.8, 32.0, 1)] },
    Quantity {
        loincs: GLUCOSE,
        units: &[unit("mg/dL", "mg/dl", 1.0, 0.0, 0), unit("mmol/L", "mmol/l", 1.0 / 18.0156, 0.0, 1)],
    },
    Quantity {
        loincs: HBA1C,
        units: &[
            unit("%", "%", 1.0, 0.0, 1),
            unit("mmol/mol", "mmol/mol", 1.0 / 0.091_48, -2.152 / 0.091_48, 0),
        ],
    },
];

/// Units that are printed differently and mean the same have one key.
pub(super) fn unit_key(printed: &str) -> String {
    match printed.trim() {
        "mm[Hg]" | "mm Hg" | "mmHg" => "mmHg".into(),
        "Cel" | "°C" | "C" | "degC" => "°C".into(),
        "[degF]" | "°F" | "F" | "degF" => "°F".into(),
        "[lb_av]" | "lb" | "lbs" => "lb".into(),
        "[in_i]" | "in" | "inch" => "in".into(),
        "/min" | "{beats}/min" | "beats/min" | "bpm" | "{Beats}/min" | "beats/minute" => "/min".into(),
        "kg/m2" | "kg/m²" => "kg/m2".into(),
        unit => unit.to_lowercase(),
    }
}

/// A way from one unit of a quantity to another.
#[derive(Clone, Copy)]
pub(super) struct Conversion {
    from: &'static Unit,
    to: &'static Unit,
}

impl Conversion {
    /// The way between two units of what `loinc` names; none if there is none, or none is needed.
    pub(super) fn between(loinc: Option<&str>, from: &str, to: &str) -> Option<Self> {
        let (from, to) = (unit_key(from), unit_key(to));
        let quantity = quantity(loinc, &from).filter(|_| from != to)?;
        let find = |key: &str| quantity.units.iter().find(|unit| unit.key == key);
        Some(Self { from: find(&from)?, to: find(&to)? })
    }

    /// The unit that it leads to, as printed.
    pub(super) fn unit(self) -> &'static str {
        self.to.printed
    }

    /// A number in the other unit, with the decimals that are usual there.
    pub(super) fn of(self, number: &Decimal) -> Option<Decimal> {
        let first = (number.to_f64() - self.from.offset) / self.from.factor;
        let converted = first * self.to.factor + self.to.offset;
        let text = format!("{converted:.*}", self.to.decimals);
        // Minus nought is nought.
        if text.trim_start_matches(['-', '0', '.']).is_empty() { text.trim_start_matches('-') } else { &text }
            .parse()
            .ok()
    }
}

fn quantity(loinc: Option<&str>, key: &str) -> Option<&'static Quantity> {
    let about = |quantity: &&Quantity| {
        quantity.loincs.is_empty() || loinc.is_some_and(|loinc| quantity.loincs.contains(&loinc))
    };
    QUANTITIES.iter().filter(about).find(|quantity| quantity.units.iter().any(|unit| unit.key == key))
}

/// The units in which a series can be shown: the printed one first.
pub(super) fn units(loinc: Option<&str>, printed: &str) -> Vec<String> {
    let key = unit_key(printed);
    let others = quantity(loinc, &key).map(|quantity| quantity.units).unwrap_or_default();
    let others = others.iter().filter(|unit| unit.key != key).map(|unit| unit.printed.to_owned());
    std::iter::once(printed.to_owned()).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(loinc: &str, value: &str, from: &str, to: &str) -> Option<String> {
        let number = value.parse().expect("a number");
        Conversion::between(Some(loinc), from, to)?.of(&number).map(|number| number.to_string())
    }

    #[test]
    fn known_values_convert_as_the_tables_print_them() {
        for (loinc, value, from, to, wanted) in [
            ("2339-0", "100", "mg/dL", "mmol/L", "5.6"),
            ("15074-8", "7.0", "mmol/L", "mg/dL", "126"),
            ("4548-4", "6.5", "%", "mmol/mol", "48"),
            ("4548-4", "53", "mmol/mol", "%", "7.0"),
            ("29463-7", "100", "kg", "[lb_av]", "220.5"),
            ("8302-2", "180", "cm", "in", "70.9"),
            ("8310-5", "37.0", "Cel", "°F", "98.6"),
            ("8310-5", "0.01", "°C", "°F", "32.0"),
            ("8310-5", "31.99", "°F", "Cel", "0.0"),
        ] {
            assert_eq!(convert(loinc, value, from, to).as_deref(), Some(wanted), "{value} {from} of {loinc}");
        }
    }

    #[test]
    fn what_depends_on_the_substance_is_converted_for_that_substance_alone() {
        assert_eq!(convert("2823-3", "4.4", "mmol/L", "mg/dL"), None, "potassium is not glucose");
        assert_eq!(convert("2708-6", "98", "%", "mmol/mol"), None, "oxygen is not HbA1c");
        assert!(Conversion::between(Some("2339-0"), "mg/dL", "mg/dl").is_none(), "the same unit");
        assert_eq!(units(Some("4548-4"), "%"), ["%", "mmol/mol"], "the printed one first");
        assert_eq!(units(Some("2823-3"), "mmol/L"), ["mmol/L"], "one alone is no choice");
    }
}
