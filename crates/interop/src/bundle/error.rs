//! Why a file cannot be brought in, and where in it.

use super::MAX_RESOURCE_BYTES;
use crate::fhir::ReadNodeError;

/// A file cannot be brought in. Every variant names the place; none repeats what stands there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadBundleError {
    /// No bytes, or only blanks. The person chose the wrong file.
    #[error("the file is empty")]
    Empty,
    /// More than [`MAX_BUNDLE_BYTES`]. The sender can split it.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Not text: a picture, an archive, or damaged.
    #[error("not utf-8 text at byte {byte}")]
    NotUtf8 {
        /// Bytes before the first that is no text.
        byte: usize,
    },
    /// The text ends too early: the file was cut off. Fetching it again can mend it.
    #[error("the file ends too early at line {line}, column {column}")]
    Truncated {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1; 0 right after a line break.
        column: usize,
    },
    /// Not JSON.
    #[error("not valid json at line {line}, column {column}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// JSON, but neither a Bundle nor a resource.
    #[error("not a fhir bundle: found {found}")]
    NotABundle {
        /// What it is instead.
        found: &'static str,
    },
    /// A part of the bundle is not as FHIR says. The sender can mend it.
    #[error("{place} (line {line}): {problem}")]
    WrongResource {
        /// Path in the bundle, like `entry[12].resource`.
        place: String,
        /// Line where it starts, from 1.
        line: usize,
        /// What is wrong with it.
        problem: ResourceProblem,
    },
    /// More than [`MAX_ENTRIES`].
    #[error("more than {limit} entries")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
}

/// What is wrong with a part of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceProblem {
    /// An object was expected.
    #[error("not an object")]
    NotAnObject,
    /// A list was expected.
    #[error("not a list")]
    NotAList,
    /// `resourceType` is missing or no name of a type.
    #[error("no resource type")]
    NoType,
    /// Nested deeper than [`crate::MAX_DEPTH`].
    #[error("nested too deep")]
    TooDeep,
    /// A key is there twice.
    #[error("a key is there twice")]
    DuplicateKey,
    /// A text that is not text.
    #[error("a text is broken")]
    BrokenText,
    /// Larger than [`MAX_RESOURCE_BYTES`].
    #[error("larger than {MAX_RESOURCE_BYTES} bytes")]
    TooLarge,
}

impl From<ReadNodeError> for ResourceProblem {
    fn from(error: ReadNodeError) -> Self {
        match error {
            ReadNodeError::TooDeep => ResourceProblem::TooDeep,
            ReadNodeError::DuplicateKey => ResourceProblem::DuplicateKey,
            ReadNodeError::Json => ResourceProblem::BrokenText,
        }
    }
}
