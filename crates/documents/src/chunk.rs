//! A look at the bytes of an Automerge chunk before Automerge sees them: type, length, and how many rows they claim.
//!
//! Columns are run-length coded, so 69 bytes can claim millions of operations, and a bound on size bounds no work.
//! It knows the storage format and nothing of what a document means.
//! Source: <https://automerge.org/automerge-binary-format-spec/>.

use thiserror::Error;

use crate::leb128;

/// Columns that one chunk may have; the format defines fewer than 20.
const MAX_COLUMNS: u64 = 64;
/// Bytes of one text inside a column (map keys; our longest has 22). A run of one long key would be copied per row.
const MAX_COLUMN_TEXT_BYTES: u64 = 64;
/// Rows per operation in any column: predecessors, successors and dependencies are lists.
const ROWS_PER_OPERATION: u64 = 4;

/// Why bytes are not a chunk that is handed to Automerge. The sender's device must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// The bytes end too early, or a number is out of range.
    #[error("chunk is cut short or malformed")]
    Malformed,
    /// Not an uncompressed chunk of the expected type: deflated changes, bundles and others inflate without bound.
    #[error("chunk is of another type")]
    Type,
    /// Bytes follow the chunk.
    #[error("bytes follow the chunk")]
    Trailing,
    /// A column says that it is compressed.
    #[error("chunk has a compressed column")]
    Compressed,
    /// The columns claim more rows than allowed.
    #[error("chunk claims too many operations")]
    TooManyOperations,
    /// More bytes than allowed.
    #[error("chunk is too large")]
    TooLarge,
}

/// Checks a change chunk (type 1) that should have at most `max_operations`.
pub(crate) fn check_change(bytes: &[u8], max_bytes: usize, max_operations: usize) -> Result<(), ChunkError> {
    let mut body = open(bytes, 1, max_bytes)?;
    body.skip_counted(32)?; // deps
    body.skip_prefixed()?; // actor
    body.uleb()?; // seq
    body.uleb()?; // start_op
    body.sleb()?; // time
    body.skip_prefixed()?; // message
    let actors = body.count()?;
    for _ in 0..actors {
        body.skip_prefixed()?;
    }
    let columns = body.columns()?;
    body.check_columns(&columns, cap(max_operations))
}

/// The actor and the number of a change that was checked before.
pub(crate) fn change_name(bytes: &[u8]) -> Result<(&[u8], u64), ChunkError> {
    let mut body = open(bytes, 1, bytes.len())?;
    body.skip_counted(32)?; // deps
    Ok((body.prefixed()?, body.uleb()?))
}

/// Checks a document chunk (type 0) that should have at most `max_operations`.
pub(crate) fn check_document(
    bytes: &[u8],
    max_bytes: usize,
    max_operations: usize,
) -> Result<(), ChunkError> {
    let mut body = open(bytes, 0, max_bytes)?;
    let actors = body.count()?;
    for _ in 0..actors {
        body.skip_prefixed()?;
    }
    body.skip_counted(32)?; // heads
    let changes = body.columns()?;
    let operations = body.columns()?;
    body.check_columns(&changes, cap(max_operations))?;
    body.check_columns(&operations, cap(max_operations))
}

fn cap(operations: usize) -> u64 {
    u64::try_from(operations).unwrap_or(u64::MAX).saturating_mul(ROWS_PER_OPERATION)
}

/// The body of the one chunk that `bytes` is. Layout: magic(4), checksum(4), type(1), uleb length, body.
fn open(bytes: &[u8], chunk_type: u8, max_bytes: usize) -> Result<Reader<'_>, ChunkError> {
    if bytes.len() > max_bytes {
        return Err(ChunkError::TooLarge);
    }
    let mut reader = Reader { rest: bytes };
    if reader.take(4)? != [0x85, 0x6f, 0x4a, 0x83] {
        return Err(ChunkError::Type);
    }
    reader.take(4)?;
    if reader.take(1)? != [chunk_type] {
        return Err(ChunkError::Type);
    }
    let length = reader.uleb()?;
    match length.cmp(&(reader.rest.len() as u64)) {
        std::cmp::Ordering::Less => Err(ChunkError::Trailing),
        std::cmp::Ordering::Equal => Ok(reader),
        std::cmp::Ordering::Greater => Err(ChunkError::Malformed),
    }
}

pub(crate) struct Column {
    pub(crate) spec: u64,
    pub(crate) length: usize,
}

pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], ChunkError> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(ChunkError::Malformed)?;
        self.rest = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, ChunkError> {
        let (first, rest) = self.rest.split_first().ok_or(ChunkError::Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn uleb(&mut self) -> Result<u64, ChunkError> {
        leb128::take(&mut self.rest).ok_or(ChunkError::Malformed)
    }

    pub(crate) fn sleb(&mut self) -> Result<i64, ChunkError> {
        let mut value = 0_i64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let sign_missing = byte & 0x40 != 0 && shift + 7 < 64;
                return Ok(if sign_missing { value | (-1_i64 << (shift + 7)) } else { value });
            }
        }
        Err(ChunkError::Malformed)
    }

    /// A count of things that take at least a byte each, so it cannot exceed what is left.
    pub(crate) fn count(&mut self) -> Result<u64, ChunkError> {
        let count = self.uleb()?;
        if count > self.rest.len() as u64 { Err(ChunkError::Malformed) } else { Ok(count) }
    }

    fn skip(&mut self, length: u64) -> Result<(), ChunkError> {
        self.take(usize::try_from(length).map_err(|_| ChunkError::Malformed)?).map(|_| ())
    }

    /// Bytes after their length.
    pub(crate) fn prefixed(&mut self) -> Result<&'a [u8], ChunkError> {
        let length = usize::try_from(self.uleb()?).map_err(|_| ChunkError::Malformed)?;
        self.take(length)
    }

    pub(crate) fn skip_prefixed(&mut self) -> Result<(), ChunkError> {
        let length = self.uleb()?;
        self.skip(length)
    }

    pub(crate) fn skip_counted(&mut self, size: u64) -> Result<(), ChunkError> {
        let count = self.count()?;
        self.skip(count.saturating_mul(size))
    }

    pub(crate) fn columns(&mut self) -> Result<Vec<Column>, ChunkError> {
        let count = self.count()?;
        if count > MAX_COLUMNS {
            return Err(ChunkError::Malformed);
        }
        let mut columns = Vec::new();
        for _ in 0..count {
            let spec = self.uleb()?;
            let length = usize::try_from(self.uleb()?).map_err(|_| ChunkError::Malformed)?;
            if spec & 0x08 != 0 {
                return Err(ChunkError::Compressed);
            }
            columns.push(Column { spec, length });
        }
        Ok(columns)
    }

    fn check_columns(&mut self, columns: &[Column], cap: u64) -> Result<(), ChunkError> {
        for column in columns {
            let mut data = Reader { rest: self.take(column.length)? };
            data.check_rows(column.spec & 0x07, cap)?;
        }
        Ok(())
    }

    /// Kinds: 0 group, 1 actor, 2 uint, 3 delta, 4 boolean, 5 string, 6 value meta, 7 raw.
    fn check_rows(&mut self, kind: u64, cap: u64) -> Result<(), ChunkError> {
        let mut rows = Rows { seen: 0, cap };
        match kind {
            7 => return Ok(()),
            4 => {
                while !self.rest.is_empty() {
                    rows.add(self.uleb()?)?;
                }
                return Ok(());
            }
            _ => {}
        }
        let mut grouped = Rows { seen: 0, cap };
        while !self.rest.is_empty() {
            match self.sleb()? {
                0 => rows.add(self.uleb()?)?,
                run @ 1.. => {
                    rows.add(run.unsigned_abs())?;
                    let value = self.value(kind)?;
                    if kind == 0 {
                        grouped.add(value.saturating_mul(run.unsigned_abs()))?;
                    }
                }
                literals => {
                    rows.add(literals.unsigned_abs())?;
                    for _ in 0..literals.unsigned_abs() {
                        let value = self.value(kind)?;
                        if kind == 0 {
                            grouped.add(value)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, kind: u64) -> Result<u64, ChunkError> {
        match kind {
            3 => self.sleb().map(|_| 0),
            5 => {
                let length = self.uleb()?;
                if length > MAX_COLUMN_TEXT_BYTES {
                    return Err(ChunkError::TooLarge);
                }
                self.skip(length).map(|()| 0)
            }
            _ => self.uleb(),
        }
    }
}

struct Rows {
    seen: u64,
    cap: u64,
}

impl Rows {
    fn add(&mut self, rows: u64) -> Result<(), ChunkError> {
        self.seen = self.seen.saturating_add(rows);
        if self.seen > self.cap { Err(ChunkError::TooManyOperations) } else { Ok(()) }
    }
}
