//! Sending a file to the client in pieces of at most 1 MiB, in base64, with a way to stop between pieces.

use std::cell::Cell;
use std::rc::Rc;

use mecum_api::{CallError, Code, ImportArgs, ImportBeginArgs, ImportChunkArgs, command};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::backend::Backend;

/// Bytes of one piece: the contract's limit, and a multiple of three, so that only the last piece is padded.
const PIECE_BYTES: u64 = 1_048_575;

/// How much of a file has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sending {
    /// Its name.
    pub(crate) name: String,
    /// Bytes so far.
    pub(crate) done: u64,
    /// Bytes in all.
    pub(crate) total: u64,
}

/// Sends the file. `None` when the person stopped it; the client is told.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a file has a whole number of bytes"
)]
pub(super) async fn send(
    backend: &Backend,
    file: &web_sys::File,
    stop: &Rc<Cell<bool>>,
    progress: impl Fn(Sending),
) -> Result<Option<u32>, CallError> {
    let total = file.size() as u64;
    let name = file.name();
    progress(Sending { name: name.clone(), done: 0, total });
    let begun =
        backend.call::<command::ImportBegin>(ImportBeginArgs { name: name.clone(), bytes: total }).await?;
    let import = begun.import;
    let mut offset = 0;
    while offset < total {
        if stop.get() {
            backend.call::<command::ImportStop>(ImportArgs { import }).await?;
            return Ok(None);
        }
        let end = (offset + PIECE_BYTES).min(total);
        let bytes = piece(file, offset, end).await?;
        backend
            .call::<command::ImportChunk>(ImportChunkArgs { import, offset, base64: base64(&bytes) })
            .await?;
        offset = end;
        progress(Sending { name: name.clone(), done: offset, total });
    }
    Ok(Some(import))
}

#[expect(clippy::cast_precision_loss, reason = "files are far smaller than 2^53 bytes")]
async fn piece(file: &web_sys::File, from: u64, to: u64) -> Result<Vec<u8>, CallError> {
    let failed = |_: JsValue| CallError::new(Code::BadFile, "import-read-failed");
    let blob = file.slice_with_f64_and_f64(from as f64, to as f64).map_err(failed)?;
    let buffer = JsFuture::from(blob.array_buffer()).await.map_err(failed)?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// Base64 with padding (RFC 4648 section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |n: u32| ALPHABET.get((n & 63) as usize).copied().map_or('=', char::from);
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        out.push(letter(word >> 18));
        out.push(letter(word >> 12));
        out.push(if chunk.len() > 1 { letter(word >> 6) } else { '=' });
        out.push(if chunk.len() > 2 { letter(word) } else { '=' });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in vectors {
            assert_eq!(base64(plain.as_bytes()), coded, "RFC 4648 section 10");
        }
    }
}
