//! Bringing a file in: sent in pieces, looked at, then kept in one durable step.

use mecum_domain::ChartId;
use serde::{Deserialize, Serialize};

/// Begins to bring a file in. A file over the limit is refused before a byte of it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportBeginArgs {
    /// The file's name, shown in progress only.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Names one import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportArgs {
    /// The import.
    pub import: u32,
}

/// A piece of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportChunkArgs {
    /// The import.
    pub import: u32,
    /// Where it begins.
    pub offset: u64,
    /// The bytes in base64.
    pub base64: String,
}

/// The person that a file is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectView {
    /// Name as written.
    pub name: Option<String>,
    /// Birth date.
    pub born: Option<String>,
    /// FHIR administrative gender.
    pub gender: Option<String>,
}

/// How many resources of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeCount {
    /// FHIR resource type.
    pub resource_type: String,
    /// How many.
    pub count: u32,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPreview {
    /// The import.
    pub import: u32,
    /// Who it is about.
    pub subject: Option<SubjectView>,
    /// Resources by type.
    pub types: Vec<TypeCount>,
    /// Resources in all.
    pub total: u32,
    /// The chart that it fits beyond doubt: the same name and birth date, or the one it was brought into before.
    pub fits: Option<ChartId>,
}

/// Where a file goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "into")]
pub enum ImportInto {
    /// Into a chart.
    Chart {
        /// The chart.
        chart: ChartId,
    },
    /// Into a new chart named after the file's person.
    #[default]
    NewChart,
}

/// Keeps the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRunArgs {
    /// The import.
    pub import: u32,
    /// Whose record it is.
    #[serde(flatten)]
    pub into: ImportInto,
}

/// Where an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportPhase {
    /// Pieces are arriving.
    #[default]
    Receiving,
    /// It was looked at and waits for the person.
    Waiting,
    /// It is being kept.
    Keeping,
    /// All of it is kept.
    Done,
    /// Stopped by the person: the record is as it was.
    Stopped,
    /// It failed: the record is as it was.
    Failed,
}

/// How far an import is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportView {
    /// The import.
    pub import: u32,
    /// Where it is.
    pub phase: ImportPhase,
    /// Resources kept so far.
    pub done: u32,
    /// Resources in all.
    pub total: u32,
    /// New ones.
    pub added: u32,
    /// Ones that were there already.
    pub already: u32,
    /// Ones that were erased here before, and are not kept again.
    #[serde(default)]
    pub erased: u32,
    /// The chart that it went into.
    pub chart: Option<ChartId>,
    /// Why it failed, as a Fluent id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}
