//! FHIR R4 in: a file becomes kept entries, and a kept entry becomes something to read. Out goes an appointment for a calendar.
//!
//! What arrives is kept byte for byte; nothing is re-serialised and nothing is dropped because it was not understood. Reading is a pure function of
//! the kept bytes, so that every device shows the same. Knows FHIR and the words of `domain`; must not know storage, keys, clocks or screens.

mod bundle;
mod calendar;
mod fhir;
mod kept;
mod narrative;
mod reading;
mod title;

pub use bundle::{
    MAX_BUNDLE_BYTES, MAX_ENTRIES, MAX_RESOURCE_BYTES, ReadBundle, ReadBundleError, ResourceProblem, Subject,
    read_bundle,
};
pub use calendar::CalendarEvent;
pub use fhir::MAX_DEPTH;
pub use kept::{Container, DecodeContainerError, FILE_SOURCE, Kept, key_of};
pub use reading::{Component, Detail, DetailValue, Dosage, LABELS, Reading, STATUSES, read};
