//! Random names and hashes: newtypes so that a document can never be passed where a device is meant.
//!
//! Ids are random and say nothing about whom or what they name. This module must not know what they are attached to.

use ring::digest;

use crate::entropy::Entropy;

/// The text or bytes are no id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: wrong length or not lower-case hex")]
pub struct ParseIdError;

macro_rules! byte_newtype {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Its length in bytes.
            pub const LEN: usize = $len;

            /// From its bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// From a slice, if it has the right length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                <[u8; $len]>::try_from(bytes).ok().map(Self)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "("))?;
                self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
                write!(f, ")")
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ids::ParseIdError;

            fn from_str(text: &str) -> Result<Self, $crate::ids::ParseIdError> {
                let mut bytes = [0u8; $len];
                $crate::ids::parse_hex(text.as_bytes(), &mut bytes)?;
                Ok(Self(bytes))
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::from_slice(d.bytes()?)
                    .ok_or_else(|| minicbor::decode::Error::message("byte string of the wrong length"))
            }
        }
    };
}
pub(crate) use byte_newtype;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        byte_newtype!($(#[$doc])* $name, 16);

        impl $name {
            /// A fresh id of 128 random bits.
            pub fn random(entropy: &dyn Entropy) -> Self {
                let mut bytes = [0u8; 16];
                entropy.fill(&mut bytes);
                Self(bytes)
            }
        }
    };
}

random_id!(
    /// A person, or a hospital team.
    AccountId
);
random_id!(
    /// One installation of the app.
    DeviceId
);
random_id!(
    /// One life of a device's chains: a restored or cloned vault takes a new one before it writes.
    IncarnationId
);
random_id!(
    /// The unit of membership and log.
    SpaceId
);
random_id!(
    /// One document of a space.
    DocumentId
);
byte_newtype!(
    /// A SHA-256 digest.
    Hash32,
    32
);

impl DocumentId {
    /// The space's control document: its envelopes are sealed under the epoch key and carry the keys of documents.
    pub const CONTROL: DocumentId = DocumentId([0; 16]);
}

impl Hash32 {
    /// All zeros: "nothing before this", as the `previous` of a chain's first envelope.
    pub const ZERO: Hash32 = Hash32([0; 32]);
}

/// SHA-256 of `bytes` (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> Hash32 {
    sha256_parts(&[bytes])
}

/// SHA-256 of the concatenation of `parts`. The caller makes sure that the concatenation is unambiguous.
pub fn sha256_parts(parts: &[&[u8]]) -> Hash32 {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0u8; 32];
    out.copy_from_slice(context.finish().as_ref());
    Hash32(out)
}

pub(crate) fn parse_hex(text: &[u8], out: &mut [u8]) -> Result<(), ParseIdError> {
    if text.len() != out.len() * 2 {
        return Err(ParseIdError);
    }
    let digit = |c: u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(ParseIdError),
    };
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        if let [high, low] = *pair {
            *byte = digit(high)? << 4 | digit(low)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn an_id_survives_text_and_cbor() {
        let id = DocumentId::random(&SeededEntropy::new(1));
        assert_eq!(id.to_string().parse(), Ok(id), "hex reads back");
        let bytes = minicbor::to_vec(id).expect("writing to memory");
        assert_eq!(bytes.len(), 17, "a byte string, not an array of numbers");
        assert_eq!(minicbor::decode::<DocumentId>(&bytes).ok(), Some(id), "cbor reads back");
        assert!(minicbor::decode::<Hash32>(&bytes).is_err(), "16 bytes are no hash");
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        for text in ["", "00", "ZZ", &"A".repeat(32), &"0".repeat(33), &"é".repeat(16)] {
            assert_eq!(text.parse::<SpaceId>(), Err(ParseIdError), "{text:?} is no id");
        }
    }

    #[test]
    fn debug_output_is_short() {
        assert_eq!(
            format!("{:?}", DocumentId::CONTROL),
            "DocumentId(00000000)",
            "four bytes are enough to tell apart"
        );
    }
}
