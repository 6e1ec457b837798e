//! A kept entry: one resource byte for byte, with where it came from and the names of what it points to, so that it reads alone.
//!
//! Two phones that import one file make the same key and the same bytes. Must not know which space or document the bytes go to.

use mecum_domain::{FinishedKey, Kind};
use minicbor::{Decoder, Encoder};
use ring::digest::{Context, Digest, SHA256, digest};

use crate::fhir::Node;

/// Version of the container's layout. A new layout takes a new number; old ones stay readable.
const VERSION: u8 = 1;

/// Source of what names none: a file.
pub const FILE_SOURCE: &str = "file";

/// One resource, ready to be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// First 16 bytes of SHA-256 over source, type, id and version, each with its length.
    pub key: FinishedKey,
    /// What it is, and so its section.
    pub kind: Kind,
    /// FHIR resource type.
    pub resource_type: String,
    /// Year of its own date; 0 when it has none.
    pub year: i16,
    /// The container, see [`Kept::decode`].
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Kept {
    /// Says the type and size only: the rest is somebody's health.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept")
            .field("resource_type", &self.resource_type)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Bytes are not a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeContainerError {
    /// Not the strict encoding: damaged, or not made by this product.
    #[error("not a kept resource")]
    Malformed,
    /// Made by a newer version of the product; an update reads it.
    #[error("kept by a newer version")]
    TooNew,
}

/// What a kept entry's bytes say. Layout: CBOR `[1, source, full_url, verbatim, [[reference, display], ...]]` with definite lengths, references sorted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Container<'b> {
    /// Where it came from: Bundle.identifier, else the base of its fullUrl, else [`FILE_SOURCE`].
    pub source: &'b str,
    /// Its fullUrl in the bundle; empty when it had none.
    pub full_url: &'b str,
    /// The resource, byte for byte as received: valid UTF-8 JSON.
    pub verbatim: &'b str,
    displays: &'b [u8],
}

impl std::fmt::Debug for Container<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Container").field("verbatim", &self.verbatim.len()).finish_non_exhaustive()
    }
}

impl<'b> Container<'b> {
    /// What the file calls the thing that a reference points to.
    pub fn display(&self, reference: &str) -> Option<&'b str> {
        self.displays().find(|(name, _)| *name == reference).map(|(_, display)| display)
    }

    /// Every (reference, display), in order.
    pub fn displays(&self) -> impl Iterator<Item = (&'b str, &'b str)> + use<'b> {
        let mut decoder = Decoder::new(self.displays);
        let mut left = decoder.array().ok().flatten().unwrap_or(0);
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            pair(&mut decoder).ok()
        })
    }
}

fn pair<'b>(decoder: &mut Decoder<'b>) -> Result<(&'b str, &'b str), minicbor::decode::Error> {
    match decoder.array()? {
        Some(2) => Ok((decoder.str()?, decoder.str()?)),
        _ => Err(minicbor::decode::Error::message("not a pair")),
    }
}

impl Kept {
    /// Reads a container. Strict: what encodes differently is refused.
    ///
    /// # Errors
    /// [`DecodeContainerError`]; never panics, whatever the bytes.
    pub fn decode(container: &[u8]) -> Result<Container<'_>, DecodeContainerError> {
        let parsed = parse(container)?;
        let displays: Vec<_> = parsed.displays().collect();
        let again = encode(parsed.source, parsed.full_url, parsed.verbatim, &displays);
        if again == container { Ok(parsed) } else { Err(DecodeContainerError::Malformed) }
    }
}

/// Reads a container that is only looked at: the strict check is [`Kept::decode`]'s.
pub(crate) fn parse(container: &[u8]) -> Result<Container<'_>, DecodeContainerError> {
    let mut decoder = Decoder::new(container);
    let read = |decoder: &mut Decoder<'_>| -> Result<u8, minicbor::decode::Error> {
        if decoder.array()? != Some(5) {
            return Err(minicbor::decode::Error::message("not five parts"));
        }
        decoder.u8()
    };
    match read(&mut decoder) {
        Ok(VERSION) => {}
        Ok(version) if version > VERSION => return Err(DecodeContainerError::TooNew),
        _ => return Err(DecodeContainerError::Malformed),
    }
    parse_body(&mut decoder, container).ok_or(DecodeContainerError::Malformed)
}

fn parse_body<'b>(decoder: &mut Decoder<'b>, container: &'b [u8]) -> Option<Container<'b>> {
    let source = decoder.str().ok()?;
    let full_url = decoder.str().ok()?;
    let verbatim = std::str::from_utf8(decoder.bytes().ok()?).ok()?;
    let displays = container.get(decoder.position()..)?;
    let count = decoder.array().ok()??;
    for _ in 0..count {
        pair(decoder).ok()?;
    }
    (decoder.position() == container.len()).then_some(Container { source, full_url, verbatim, displays })
}

/// Encodes a container; `displays` in the order given.
pub(crate) fn encode(source: &str, full_url: &str, verbatim: &str, displays: &[(&str, &str)]) -> Vec<u8> {
    let names: usize = displays.iter().map(|(reference, display)| reference.len() + display.len() + 8).sum();
    let mut encoder =
        Encoder::new(Vec::with_capacity(verbatim.len() + names + source.len() + full_url.len() + 32));
    let written: Result<(), minicbor::encode::Error<std::convert::Infallible>> = (|| {
        encoder.array(5)?.u8(VERSION)?.str(source)?.str(full_url)?.bytes(verbatim.as_bytes())?;
        encoder.array(displays.len() as u64)?;
        for (reference, display) in displays {
            encoder.array(2)?.str(reference)?.str(display)?;
        }
        Ok(())
    })();
    written.expect("writing to a vector does not fail");
    encoder.into_writer()
}

/// The key of a resource: the first 16 bytes of `SHA-256(len ‖ source ‖ len ‖ type ‖ len ‖ id ‖ len ‖ version)`, lengths as 8 bytes, big end first.
pub(crate) fn key(source: &str, resource_type: &str, id: &str, version: &[u8]) -> FinishedKey {
    let mut context = Context::new(&SHA256);
    for part in [source.as_bytes(), resource_type.as_bytes(), id.as_bytes(), version] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    FinishedKey::from_bytes(bytes)
}

/// The key of a container by its own bytes, as an import gives it; `None` if it does not say. A resource whose name was taken
/// in its file has another one.
///
/// Frozen like [`key`]: snapshots leave out the keys that this gives.
pub fn key_of(container: &[u8]) -> Option<FinishedKey> {
    let container = parse(container).ok()?;
    let node = Node::parse(container.verbatim).ok()?;
    let id = node.get("id").text().unwrap_or_default();
    let id = if id.is_empty() { container.full_url } else { id };
    let version = node.get("meta").get("versionId").printed().filter(|_| container.source != FILE_SOURCE);
    let hash = hash(container.verbatim);
    let resource_type = node.get("resourceType").text()?;
    Some(key(container.source, resource_type, id, version.as_ref().map_or(hash.as_ref(), String::as_bytes)))
}

/// SHA-256 of the verbatim bytes: the version of what names none.
pub(crate) fn hash(verbatim: &str) -> Digest {
    digest(&SHA256, verbatim.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_round_trips_and_only_its_own_bytes_are_accepted() {
        let displays = [("Organization/1", "RS Tirta Asih"), ("Practitioner/2", "dr. Maya Lestari")];
        let bytes = encode("file", "urn:uuid:1", r#"{"resourceType": "Basic" }"#, &displays);
        let container = Kept::decode(&bytes).expect("its own encoding");
        assert_eq!(container.verbatim, r#"{"resourceType": "Basic" }"#, "blanks are kept");
        assert_eq!(container.display("Practitioner/2"), Some("dr. Maya Lestari"), "names resolve");
        for at in 0..bytes.len() {
            let cut = bytes.get(..at).expect("within the bytes");
            assert_eq!(Kept::decode(cut).err(), Some(DecodeContainerError::Malformed), "cut at {at}");
        }
        let mut newer = bytes.clone();
        newer[1] = 2;
        assert_eq!(
            Kept::decode(&newer).err(),
            Some(DecodeContainerError::TooNew),
            "a newer layout is named so"
        );
        let mut trailing = bytes;
        trailing.push(0);
        assert_eq!(
            Kept::decode(&trailing).err(),
            Some(DecodeContainerError::Malformed),
            "nothing may follow"
        );
    }

    #[test]
    fn the_key_of_a_container_is_the_key_that_the_import_gave() {
        let file = r#"{"resourceType":"Bundle","identifier":{"value":"b"},"entry":[
            {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Basic"}},
            {"resource":{"resourceType":"Basic","id":"x","meta":{"versionId":"3"}}},
            {"resource":{"resourceType":"Basic","id":"x","meta":{"versionId":"3"},"language":"id"}}]}"#;
        let anonymous = file.replace(r#""identifier":{"value":"b"},"#, "");
        for file in [file, &anonymous] {
            let bundle = crate::read_bundle(file.as_bytes()).expect("a small bundle");
            let same: Vec<bool> =
                bundle.resources.iter().map(|kept| key_of(&kept.bytes) == Some(kept.key)).collect();
            let named = bundle.source != FILE_SOURCE;
            assert_eq!(same, [true, true, !named], "only a name that was taken in its file has another key");
        }
        assert_eq!(key_of(b"no container"), None, "other bytes have none");
    }

    #[test]
    fn keys_tell_their_parts_apart() {
        assert_ne!(key("a", "bc", "d", b"e"), key("ab", "c", "d", b"e"), "lengths part the parts");
        // Frozen: a change of this value would double every imported entry.
        assert_eq!(
            key("file", "Patient", "1", b"1").to_string(),
            "f899e1c1f6a2a8e3302f0684a4f2df1b",
            "frozen key"
        );
    }
}
