//! Strict CBOR: one value has one encoding, and every list and byte string has a limit.
//!
//! `minicbor` accepts trailing bytes, long integers and indefinite arrays. Signed and hashed bytes must have no second
//! spelling, so a frame is accepted only if nothing follows it and encoding it again gives the same bytes.

use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Why bytes are not a frame of this protocol. Carries nothing of what was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Longer than the limit of its kind.
    #[error("frame is too large")]
    TooLarge,
    /// Not CBOR of the expected shape, or a list above its limit.
    #[error("frame is malformed")]
    Malformed,
    /// A second spelling of a value: trailing bytes, long integers, indefinite lengths, extra elements.
    #[error("frame is not in its canonical encoding")]
    NotCanonical,
}

/// Encodes one value. Never fails: the sink is memory.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing CBOR into a vector cannot fail")
}

/// Decodes exactly one value from `bytes`, of at most `max` bytes, in its canonical encoding.
pub fn decode<T>(bytes: &[u8], max: usize) -> Result<T, DecodeError>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    if bytes.len() > max {
        return Err(DecodeError::TooLarge);
    }
    let mut decoder = Decoder::new(bytes);
    let value: T = decoder.decode().map_err(|_| DecodeError::Malformed)?;
    if decoder.position() != bytes.len() || encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

/// Decodes an array of at most `MAX` elements.
pub(crate) fn list<'b, const MAX: usize, Ctx, T: Decode<'b, Ctx>>(
    d: &mut Decoder<'b>,
    ctx: &mut Ctx,
) -> Result<Vec<T>, Error> {
    let count = bounded_count::<MAX>(d)?;
    let mut items = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        items.push(T::decode(d, ctx)?);
    }
    Ok(items)
}

/// Decodes a byte string of at most `MAX` bytes.
pub(crate) fn blob<const MAX: usize, Ctx>(d: &mut Decoder<'_>, _: &mut Ctx) -> Result<Vec<u8>, Error> {
    let bytes = d.bytes()?;
    if bytes.len() > MAX {
        return Err(Error::message("byte string above its limit"));
    }
    Ok(bytes.to_vec())
}

/// What a byte string is that was left out: for fields that came later.
#[expect(clippy::unnecessary_wraps, reason = "the signature that minicbor's derive calls")]
pub(crate) fn no_bytes() -> Option<Vec<u8>> {
    Some(Vec::new())
}

/// What a list is that was left out: likewise.
#[expect(clippy::unnecessary_wraps, reason = "the signature that minicbor's derive calls")]
pub(crate) fn no_list<T>() -> Option<Vec<T>> {
    Some(Vec::new())
}

/// Decodes a text of at most `MAX` bytes.
pub(crate) fn text<const MAX: usize, Ctx>(d: &mut Decoder<'_>, _: &mut Ctx) -> Result<String, Error> {
    let text = d.str()?;
    if text.len() > MAX {
        return Err(Error::message("text above its limit"));
    }
    Ok(text.to_owned())
}

/// Decodes an array of byte strings: at most `COUNT` of them, at most `SUM` bytes together.
pub(crate) fn blobs<const COUNT: usize, const SUM: usize, Ctx>(
    d: &mut Decoder<'_>,
    _: &mut Ctx,
) -> Result<Vec<Vec<u8>>, Error> {
    let count = bounded_count::<COUNT>(d)?;
    let mut sum = 0usize;
    let mut items = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        let bytes = d.bytes()?;
        sum = sum.saturating_add(bytes.len());
        if sum > SUM {
            return Err(Error::message("byte strings above their limit"));
        }
        items.push(bytes.to_vec());
    }
    Ok(items)
}

/// Encodes an array of byte strings.
pub(crate) fn encode_blobs<Ctx, W: minicbor::encode::Write>(
    items: &[Vec<u8>],
    e: &mut Encoder<W>,
    _: &mut Ctx,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    e.array(items.len() as u64)?;
    for item in items {
        e.bytes(item)?;
    }
    Ok(())
}

fn bounded_count<const MAX: usize>(d: &mut Decoder<'_>) -> Result<usize, Error> {
    let count = d.array()?.ok_or_else(|| Error::message("indefinite array"))?;
    match usize::try_from(count) {
        Ok(count) if count <= MAX => Ok(count),
        _ => Err(Error::message("array above its limit")),
    }
}

/// The account cursor on the wire: an array with one number for each stripe of the inbox. Today there is one stripe.
pub(crate) mod stripes {
    use super::{Decoder, Encoder, Error};

    pub(crate) fn decode<Ctx>(d: &mut Decoder<'_>, _: &mut Ctx) -> Result<u64, Error> {
        match d.array()? {
            Some(1) => d.u64(),
            _ => Err(Error::message("cursor has one stripe")),
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that minicbor's derive calls")]
    pub(crate) fn encode<Ctx, W: minicbor::encode::Write>(
        cursor: &u64,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(1)?.u64(*cursor)?;
        Ok(())
    }
}
