//! A snapshot as it travels: the same chunk, with its ids taken out and put beside it, and those left out that anybody
//! can work out again.
//!
//! Ids are two fifths of a deflated snapshot (measured): 22 characters in the key column for 16 random bytes. The id of a
//! finished entry is a hash of what the entry holds, so it need not travel at all. What comes back is the chunk, byte for
//! byte; it is then judged as any snapshot from a peer. This module knows columns and rows, and not what a document means.
//!
//! Layout: `uleb length of A`, `A`, `uleb length of K`, `K`, `B`, and the ids beside it, where the chunk is `A || key column || B`, and K is
//! the key column with a mark in the place of each id: its run headers as they were, and for each text `0` (an id that is the
//! next of the ids), `1` (an id to be worked out from the row's value), or `2 + length` and the text.

use crate::chunk::{ChunkError, Reader, check_document};
use crate::leb128::put;
use crate::schema::{from_key, to_key};

/// The key column and the columns with a value's type and length, and with its bytes.
const KEYS: u64 = 21;
const VALUE_META: u64 = 86;
const VALUES: u64 = 87;
/// The type of bytes in the low four bits of a value's meta.
const BYTES_TYPE: u64 = 7;

const ID: u64 = 0;
const WORKED_OUT: u64 = 1;
const TEXT: u64 = 2;

/// Works an id out from a finished entry's bytes; `None` if they are not what this version reads.
pub type WorkOut<'a> = &'a dyn Fn(&[u8]) -> Option<[u8; 16]>;

/// Where things lie in a document chunk.
struct Parts<'a> {
    before: &'a [u8],
    keys: &'a [u8],
    after: &'a [u8],
    values: Values<'a>,
}

/// The values of the operations, row by row.
struct Values<'a> {
    meta: Reader<'a>,
    run: Run,
    bytes: &'a [u8],
}

#[derive(Clone, Copy)]
enum Run {
    Repeat(u64, u64),
    Literal(u64),
    Null(u64),
}

impl<'a> Values<'a> {
    /// The bytes of the next row's value, if it is of type bytes.
    fn next(&mut self) -> Result<Option<&'a [u8]>, ChunkError> {
        let meta = loop {
            match self.run {
                Run::Repeat(0, _) | Run::Literal(0) | Run::Null(0) => {}
                Run::Repeat(left, value) => {
                    self.run = Run::Repeat(left - 1, value);
                    break value;
                }
                Run::Literal(left) => {
                    self.run = Run::Literal(left - 1);
                    break self.meta.uleb()?;
                }
                Run::Null(left) => {
                    self.run = Run::Null(left - 1);
                    return Ok(None);
                }
            }
            self.run = match self.meta.sleb()? {
                0 => Run::Null(self.meta.uleb()?),
                run @ 1.. => Run::Repeat(run.unsigned_abs(), self.meta.uleb()?),
                literals => Run::Literal(literals.unsigned_abs()),
            };
        };
        let length = usize::try_from(meta >> 4).map_err(|_| ChunkError::Malformed)?;
        let (value, rest) = self.bytes.split_at_checked(length).ok_or(ChunkError::Malformed)?;
        self.bytes = rest;
        Ok((meta & 0x0f == BYTES_TYPE).then_some(value))
    }
}

/// Takes a document chunk apart. `keys_length` is the length of the key column if it is not in `bytes` yet.
fn parts(bytes: &[u8], without_keys: bool) -> Result<(Parts<'_>, usize), ChunkError> {
    let mut reader = Reader { rest: bytes };
    reader.take(9)?;
    reader.uleb()?;
    let actors = reader.count()?;
    for _ in 0..actors {
        reader.skip_prefixed()?;
    }
    reader.skip_counted(32)?;
    let changes = reader.columns()?;
    let operations = reader.columns()?;
    for column in &changes {
        reader.take(column.length)?;
    }
    let (mut before, mut keys, mut keys_length) = (bytes, [].as_slice(), 0);
    let (mut meta, mut values) = ([].as_slice(), [].as_slice());
    let mut after = reader.rest;
    for column in &operations {
        if column.spec == KEYS {
            let at = bytes.len().saturating_sub(reader.rest.len());
            before = bytes.get(..at).ok_or(ChunkError::Malformed)?;
            keys_length = column.length;
            if !without_keys {
                keys = reader.take(column.length)?;
            }
            after = reader.rest;
            continue;
        }
        let data = reader.take(column.length)?;
        match column.spec {
            VALUE_META => meta = data,
            VALUES => values = data,
            _ => {}
        }
    }
    let values = Values { meta: Reader { rest: meta }, run: Run::Null(0), bytes: values };
    Ok((Parts { before, keys, after, values }, keys_length))
}

/// The runs of a string column: `text` is called for every text, `null` for every row without one.
fn walk<E: From<ChunkError>>(
    keys: &mut Reader<'_>,
    out: &mut Vec<u8>,
    mut text: impl FnMut(&mut Reader<'_>, &mut Vec<u8>, u64) -> Result<(), E>,
    mut null: impl FnMut(u64) -> Result<(), E>,
) -> Result<(), E> {
    while !keys.rest.is_empty() {
        let began = keys.rest;
        let run = keys.sleb()?;
        let nulls = if run == 0 { keys.uleb()? } else { 0 };
        let header = began.len() - keys.rest.len();
        out.extend_from_slice(began.get(..header).unwrap_or_default());
        match run {
            0 => null(nulls)?,
            // One text, for as many rows as the run says.
            1.. => text(keys, out, run.unsigned_abs())?,
            _ => {
                for _ in 0..run.unsigned_abs() {
                    text(keys, out, 1)?;
                }
            }
        }
    }
    Ok(())
}

/// The travelling form of a document chunk that this device made, in two parts: what deflates, and the ids, which do not.
pub(crate) fn compact(chunk: &[u8], work_out: WorkOut<'_>) -> Result<(Vec<u8>, Vec<u8>), ChunkError> {
    let (parts, _) = parts(chunk, false)?;
    let Parts { before, keys, after, values } = parts;
    let values = std::cell::RefCell::new(values);
    let mut marks = Vec::with_capacity(keys.len() / 8);
    let mut ids = Vec::new();
    let mut reader = Reader { rest: keys };
    walk(
        &mut reader,
        &mut marks,
        |keys, marks, rows| {
            let text = keys.prefixed()?;
            let mut value = None;
            for _ in 0..rows {
                value = values.borrow_mut().next()?;
            }
            match std::str::from_utf8(text).ok().and_then(from_key) {
                Some(id) if rows == 1 && value.and_then(work_out) == Some(id) => put(marks, WORKED_OUT),
                Some(id) => {
                    put(marks, ID);
                    ids.extend_from_slice(&id);
                }
                None => {
                    put(marks, TEXT + text.len() as u64);
                    marks.extend_from_slice(text);
                }
            }
            Ok::<_, ChunkError>(())
        },
        |nulls| {
            for _ in 0..nulls {
                values.borrow_mut().next()?;
            }
            Ok(())
        },
    )?;
    let mut body = Vec::with_capacity(before.len() + after.len() + marks.len() + 20);
    put(&mut body, before.len() as u64);
    body.extend_from_slice(before);
    put(&mut body, marks.len() as u64);
    body.extend_from_slice(&marks);
    body.extend_from_slice(after);
    Ok((body, ids))
}

/// The document chunk of its travelling form. Every length is checked against what is there; the chunk is then checked as any other.
pub(crate) fn expand(
    body: &[u8],
    ids: &[u8],
    work_out: WorkOut<'_>,
    max_bytes: usize,
    max_operations: usize,
) -> Result<Vec<u8>, ChunkError> {
    let mut reader = Reader { rest: body };
    let before = reader.prefixed()?;
    let marks = reader.prefixed()?;
    let after = reader.rest;
    let whole = [before, after].concat();
    let (parts, keys_length) = parts(&whole, true)?;
    if keys_length > max_bytes || parts.before.len() != before.len() {
        return Err(ChunkError::Malformed);
    }
    let values = std::cell::RefCell::new(parts.values);
    let mut ids = Reader { rest: ids };
    let mut keys = Vec::with_capacity(keys_length);
    let mut reader = Reader { rest: marks };
    // A run may claim more rows than there are: no more are walked than the document may have operations.
    let rows_left = std::cell::Cell::new(max_operations as u64 + 1);
    let take_rows = |rows: u64| {
        rows_left.set(rows_left.get().checked_sub(rows).ok_or(ChunkError::TooManyOperations)?);
        Ok::<_, ChunkError>(())
    };
    walk(
        &mut reader,
        &mut keys,
        |marks, keys, rows| {
            take_rows(rows)?;
            let mut value = None;
            for _ in 0..rows {
                value = values.borrow_mut().next()?;
            }
            let id = match marks.uleb()? {
                ID => ids.take(16)?.try_into().map_err(|_| ChunkError::Malformed)?,
                WORKED_OUT => value.and_then(work_out).ok_or(ChunkError::Malformed)?,
                length => {
                    let length = length - TEXT;
                    put(keys, length);
                    keys.extend_from_slice(
                        marks.take(usize::try_from(length).map_err(|_| ChunkError::Malformed)?)?,
                    );
                    return Ok(());
                }
            };
            let key = to_key(&id);
            put(keys, key.len() as u64);
            keys.extend_from_slice(key.as_bytes());
            Ok::<_, ChunkError>(())
        },
        |nulls| {
            take_rows(nulls)?;
            for _ in 0..nulls {
                values.borrow_mut().next()?;
            }
            Ok(())
        },
    )?;
    if keys.len() != keys_length || !ids.rest.is_empty() {
        return Err(ChunkError::Malformed);
    }
    let chunk = [before, &keys, after].concat();
    check_document(&chunk, max_bytes, max_operations)?;
    Ok(chunk)
}
