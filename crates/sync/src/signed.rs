//! A body with a signature over its exact bytes. The bytes that were received are the bytes that are checked: a body is
//! never encoded anew for its signature.

use std::fmt;

use mecum_seal::{Hash32, Signature, SigningKey, VerifyingKey, sha256};
use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::codec::{self, encode};
use crate::controls::is_out;
use crate::limits::MAX_REQUEST_BYTES;

/// A kind of body that gets signed; the context keeps a signature of one kind from counting as another.
pub trait SignedBody: Encode<()> + for<'b> Decode<'b, ()> {
    /// Domain separation of the signature and of the hash. Never repurposed.
    const CONTEXT: &'static str;
}

/// A signature that does not belong to the body and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature does not verify")]
pub struct UnverifiedBody;

/// A body, its canonical bytes and a signature over them. On the wire: an array of the body's bytes (a byte string) and
/// the 64-byte signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed<T> {
    body: T,
    bytes: Vec<u8>,
    signature: Signature,
}

impl<T: SignedBody> Signed<T> {
    /// Signs `body`.
    pub fn sign(body: T, key: &SigningKey) -> Self {
        let bytes = encode(&body);
        let signature = key.sign(T::CONTEXT, &bytes);
        Self { body, bytes, signature }
    }

    /// A body and a signature that came apart from it, with nothing said about whether they belong together.
    pub fn put_together(body: T, signature: Signature) -> Self {
        let bytes = encode(&body);
        Self { body, bytes, signature }
    }

    /// The signature, as it was made or received.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// The body, with nothing said about who made it. Only for looking up the key to verify it with.
    pub fn unverified(&self) -> &T {
        &self.body
    }

    /// The body, once the signature has been checked under `key`.
    pub fn verify(&self, key: &VerifyingKey) -> Result<&T, UnverifiedBody> {
        if !is_out(T::CONTEXT) {
            key.verify(T::CONTEXT, &self.bytes, &self.signature).map_err(|_| UnverifiedBody)?;
        }
        Ok(&self.body)
    }

    /// SHA-256 of the context, a zero byte, and the whole signed encoding: the link of a hash chain. It covers the
    /// signature too, so that a log names exactly the bytes that were accepted.
    pub fn hash(&self) -> Hash32 {
        let mut input = T::CONTEXT.as_bytes().to_vec();
        input.push(0);
        input.extend_from_slice(&encode(self));
        sha256(&input)
    }
}

impl<T: fmt::Debug> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signed").field(&self.body).finish()
    }
}

impl<T, Ctx> Encode<Ctx> for Signed<T> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.bytes(&self.bytes)?.encode(self.signature)?;
        Ok(())
    }
}

impl<'b, T: SignedBody, Ctx> Decode<'b, Ctx> for Signed<T> {
    fn decode(d: &mut Decoder<'b>, _: &mut Ctx) -> Result<Self, Error> {
        if d.array()? != Some(2) {
            return Err(Error::message("signed body is an array of two"));
        }
        let bytes = d.bytes()?.to_vec();
        let body = codec::decode(&bytes, MAX_REQUEST_BYTES).map_err(|_| Error::message("signed body"))?;
        let signature = d.decode()?;
        Ok(Self { body, bytes, signature })
    }
}
