//! Reading a request's body: a limit in bytes, and a deadline that a client can only push back by sending.

use axum::body::{Body, HttpBody};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mecum_sync::{DecodeError, RefusalCode, decode};
use minicbor::{Decode, Encode};
use tokio::time::{Duration, Instant, timeout_at};

use super::Refused;

/// How many bytes earn a second more.
const BYTES_PER_SECOND: usize = 16 * 1024;

/// Bytes of one piece of a body that is being read. A buffer that doubles would be given back to the system late or never once it
/// was large (glibc keeps what it had mapped once): whoever sends without an end would leave that much behind in the process.
const PIECE_BYTES: usize = 64 * 1024;

/// What came of a body so far.
#[derive(Default)]
struct Pieces {
    whole: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl Pieces {
    fn len(&self) -> usize {
        self.whole.len() * PIECE_BYTES + self.last.len()
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.last.len() == PIECE_BYTES {
                self.whole.push(std::mem::take(&mut self.last));
            }
            let (now, rest) = bytes.split_at(bytes.len().min(PIECE_BYTES - self.last.len()));
            self.last.extend_from_slice(now);
            bytes = rest;
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        if self.whole.is_empty() {
            return self.last;
        }
        let mut bytes = Vec::with_capacity(self.len());
        // Each piece goes as soon as it is copied.
        self.whole.into_iter().chain([self.last]).for_each(|piece| bytes.extend_from_slice(&piece));
        bytes
    }
}

/// Reads at most `max` bytes.
pub(super) async fn read(body: Body, max: usize, limit: Duration) -> Result<Vec<u8>, Refused> {
    if body.size_hint().lower() > max as u64 {
        // The head says that it is too large: nothing of it needs to be read.
        return Err(RefusalCode::TooLarge.into());
    }
    let mut body = Limited::new(body, max);
    let began = Instant::now();
    let mut pieces = Pieces::default();
    loop {
        let earned = Duration::from_secs((pieces.len() / BYTES_PER_SECOND) as u64);
        let frame = timeout_at(began + limit + earned, body.frame()).await;
        match frame {
            Err(_) => return Err(RefusalCode::Malformed.into()),
            Ok(None) => return Ok(pieces.into_bytes()),
            Ok(Some(Err(error))) => {
                let too_large = error.downcast_ref::<LengthLimitError>().is_some();
                let code = if too_large { RefusalCode::TooLarge } else { RefusalCode::Malformed };
                return Err(code.into());
            }
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    pieces.push(data);
                }
            }
        }
    }
}

/// Reads one frame of at most `max` bytes.
pub(super) async fn frame<T>(body: Body, max: usize, limit: Duration) -> Result<T, Refused>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    let bytes = read(body, max, limit).await?;
    decode(&bytes, max).map_err(|error| match error {
        DecodeError::TooLarge => RefusalCode::TooLarge.into(),
        _ => RefusalCode::Malformed.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_in_pieces_is_what_came_in_whatever_parts_it_came() {
        let whole: Vec<u8> = (0..3 * PIECE_BYTES + 7).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect();
        for part in [1_000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, whole.len()] {
            let mut pieces = Pieces::default();
            whole.chunks(part).for_each(|bytes| pieces.push(bytes));
            assert_eq!(pieces.len(), whole.len(), "in parts of {part}");
            assert!(pieces.into_bytes() == whole, "in parts of {part}");
        }
        assert!(Pieces::default().into_bytes().is_empty(), "and nothing is nothing");
    }
}
