//! Reading a request's body: a limit in bytes, and a deadline that a client can only push back by sending.

use axum::body::{Body, HttpBody};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mecum_sync::{DecodeError, RefusalCode, decode};
use minicbor::{Decode, Encode};
use tokio::time::{Duration, Instant, timeout_at};

use super::Refused;

/// How many bytes earn a second more.
const BYTES_PER_SECOND: usize = 16 * 1024;

/// Reads at most `max` bytes.
pub(super) async fn read(body: Body, max: usize, limit: Duration) -> Result<Vec<u8>, Refused> {
    if body.size_hint().lower() > max as u64 {
        // The head says that it is too large: nothing of it needs to be read.
        return Err(RefusalCode::TooLarge.into());
    }
    let mut body = Limited::new(body, max);
    let began = Instant::now();
    let mut bytes = Vec::new();
    loop {
        let earned = Duration::from_secs((bytes.len() / BYTES_PER_SECOND) as u64);
        let frame = timeout_at(began + limit + earned, body.frame()).await;
        match frame {
            Err(_) => return Err(RefusalCode::Malformed.into()),
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(error))) => {
                let too_large = error.downcast_ref::<LengthLimitError>().is_some();
                let code = if too_large { RefusalCode::TooLarge } else { RefusalCode::Malformed };
                return Err(code.into());
            }
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    bytes.extend_from_slice(data);
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
