//! The ids of entries and the fields of the entries that a person may edit.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id of 32 hexadecimal digits")
    }
}

impl std::error::Error for ParseIdError {}

pub(crate) fn parse_hex16(text: &str) -> Result<[u8; 16], ParseIdError> {
    if text.len() != 32 || !text.is_ascii() {
        return Err(ParseIdError);
    }
    let mut out = [0; 16];
    for (byte, at) in out.iter_mut().zip((0..32).step_by(2)) {
        let pair = text.get(at..at + 2).ok_or(ParseIdError)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| ParseIdError)?;
    }
    Ok(out)
}

/// An id of 16 bytes, shown as 32 hexadecimal digits. Paths are in full: whoever makes one imports the macro alone.
macro_rules! id16 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id of these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self { Self(bytes) }

            /// Its 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] { &self.0 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, concat!(stringify!($name), "({})"), self) }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::entry::ParseIdError;
            fn from_str(text: &str) -> Result<Self, $crate::entry::ParseIdError> { $crate::entry::parse_hex16(text).map(Self) }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String { id.to_string() }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::entry::ParseIdError;
            fn try_from(text: String) -> Result<Self, $crate::entry::ParseIdError> { text.parse() }
        }
    };
}
pub(crate) use id16;

id16! {
    /// One entry that a person may edit: random, made by the device that adds it, so two devices never make the same container.
    EntryId
}

id16! {
    /// One finished entry: the first 16 bytes of H(source, type, id, version), so that two phones importing one file agree.
    FinishedKey
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $key:literal, $safety:literal;)*) => {
        /// A field of an editable entry. The number and the key are stable in stored bytes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $name = $code,)* }

        impl Field {
            /// Every field.
            pub const ALL: &'static [Field] = &[$(Field::$name),*];

            /// The stable code in typed edits.
            pub fn code(self) -> u8 { self as u8 }

            /// The field of a stable code, `None` for one of a newer version.
            pub fn from_code(code: u8) -> Option<Field> { match code { $($code => Some(Field::$name),)* _ => None } }

            /// The key in the Automerge map of an entry.
            pub fn key(self) -> &'static str { match self { $(Field::$name => $key,)* } }

            /// The field of an Automerge map key, `None` for one of a newer version.
            pub fn from_key(key: &str) -> Option<Field> { match key { $($key => Some(Field::$name),)* _ => None } }

            /// A field on which a wrong choice can hurt: concurrent values are shown to a person and never chosen for them.
            pub fn is_safety(self) -> bool { match self { $(Field::$name => $safety,)* } }
        }
    };
}

fields! {
    /// What the entry is, by the code of [`crate::Kind`].
    Kind = 1, "k", false;
    /// Deleted: the reason; absent or empty means it stands.
    Deleted = 2, "x", false;
    /// LOINC code of a measurement.
    Code = 3, "c", false;
    /// The name or title as written: a medicine, a substance, a note's first line, a person.
    Name = 4, "n", false;
    /// First value, decimal text as written.
    Value = 5, "v", false;
    /// Second value (diastolic pressure).
    Value2 = 6, "w", false;
    /// UCUM unit of the values.
    Unit = 7, "u", false;
    /// When it was measured, noticed or started: RFC 3339 or a partial date.
    Effective = 8, "t", false;
    /// When it ended.
    Until = 9, "e", false;
    /// Dose amount, decimal text.
    Dose = 10, "d", true;
    /// Dose unit in full ("mg", "mcg", "units").
    DoseUnit = 11, "du", true;
    /// How often, in words or times of day.
    Frequency = 12, "f", true;
    /// Why it is taken, or why it was changed.
    Reason = 13, "r", false;
    /// Allergy: what happens.
    Reaction = 14, "a", true;
    /// Allergy: the substance.
    Substance = 15, "s", true;
    /// Allergy: mild, moderate, severe.
    Severity = 16, "sv", true;
    /// Free text.
    Text = 17, "m", false;
    /// Status code of the kind (active, stopped, resolved …).
    Status = 18, "st", false;
    /// Birth date of the chart's person.
    BirthDate = 19, "b", false;
    /// FHIR administrative gender.
    Gender = 20, "g", false;
    /// Blood group.
    BloodGroup = 21, "bg", true;
    /// Emergency contact.
    EmergencyContact = 22, "ec", true;
    /// Relation of the chart's person to the account's person.
    Relation = 23, "rl", false;
    /// Person colour of the chart.
    Colour = 24, "co", false;
    /// Preferred language, BCP 47.
    Language = 25, "l", false;
    /// Telephone or address.
    Contact = 26, "ct", false;
    /// Who prescribed or agreed it.
    Prescriber = 27, "p", false;
    /// Kind of device (phone, laptop).
    DeviceKind = 28, "dk", false;
}
