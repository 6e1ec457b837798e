//! Numbers as the laboratory printed them, and what they say against that laboratory's own range.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A decimal number kept as its text: "7.80" stays "7.80". At most 18 significant digits are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Decimal {
    text: String,
}

/// A text is not a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDecimalError;

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a decimal number")
    }
}

impl std::error::Error for ParseDecimalError {}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
        let number: f64 = text.parse().map_err(|_| ParseDecimalError)?;
        let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
        if plain && number.is_finite() && text.len() <= 40 {
            Ok(Self { text: text.into() })
        } else {
            Err(ParseDecimalError)
        }
    }
}

impl TryFrom<String> for Decimal {
    type Error = ParseDecimalError;
    fn try_from(text: String) -> Result<Self, ParseDecimalError> {
        text.parse()
    }
}

impl From<Decimal> for String {
    fn from(decimal: Decimal) -> String {
        decimal.text
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Decimal {
    /// The number for drawing and comparing; the text stays what is shown.
    pub fn to_f64(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }

    /// The text at no more than `digits` decimals, for values that a device printed with noise ("58.310000000000002").
    pub fn rounded(&self, digits: usize) -> String {
        let decimals = self.text.split('.').nth(1).map_or(0, str::len);
        if decimals <= digits || self.text.contains(['e', 'E']) {
            self.text.clone()
        } else {
            format!("{:.digits$}", self.to_f64())
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.to_f64().partial_cmp(&other.to_f64())
    }
}

/// A laboratory's own reference range. Never invented, never merged between laboratories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReferenceRange {
    /// Lower limit, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Decimal>,
    /// Upper limit, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Decimal>,
    /// The range as the laboratory worded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl ReferenceRange {
    /// Where a value stands against this range; [`Flag::NoRange`] when it has no limits.
    pub fn flag(&self, value: &Decimal) -> Flag {
        match (&self.low, &self.high) {
            (None, None) => Flag::NoRange,
            (Some(low), _) if value < low => Flag::Low,
            (_, Some(high)) if value > high => Flag::High,
            _ => Flag::InRange,
        }
    }
}

/// What is said about a value, by shape and word before colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// Nothing to say.
    #[default]
    None,
    /// Above the laboratory's range.
    High,
    /// Below the laboratory's range.
    Low,
    /// Within the laboratory's range.
    InRange,
    /// The laboratory gave no range.
    NoRange,
    /// Two people wrote different values: a person must settle it.
    Clash,
    /// Changed after it was first released.
    Corrected,
    /// Entered in error or refuted: never shown as "you have".
    EnteredInError,
    /// No longer active.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_follows_the_laboratory_range() {
        let range = ReferenceRange { low: "4.0".parse().ok(), high: "5.6".parse().ok(), text: None };
        let flag = |text: &str| range.flag(&text.parse().expect("a number"));
        assert_eq!(flag("3.9"), Flag::Low, "below the lower limit");
        assert_eq!(flag("5.6"), Flag::InRange, "limits are included");
        assert_eq!(flag("5.61"), Flag::High, "above the upper limit");
        assert_eq!(
            ReferenceRange::default().flag(&"1".parse().expect("a number")),
            Flag::NoRange,
            "no range is not an error"
        );
    }

    #[test]
    fn decimal_keeps_its_text() {
        let decimal: Decimal = "7.80".parse().expect("a number");
        assert_eq!(decimal.to_string(), "7.80", "as the laboratory printed it");
        assert!("7,8".parse::<Decimal>().is_err(), "a comma is not a decimal point in stored values");
        assert!("NaN".parse::<Decimal>().is_err(), "not a number is no value");
    }
}
