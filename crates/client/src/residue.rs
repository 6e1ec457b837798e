//! What is kept of envelopes whose words are in the local snapshot and which the server has: enough to make the same bytes again, and
//! what is asked of them most often without making them (whose they are, where they stand in their chain, when they were written).
//!
//! The change is in the document, its bytes and edits are those of [`mecum_documents::Payloads`], and they are packed as
//! [`crate::plaintext::pack`] packs. Nothing of what comes out is believed before the vault's chain over it is the same.
//! [`stored`] has the bytes of a residue.

#[cfg(test)]
mod frozen;
mod stored;

use std::collections::BTreeMap;

use mecum_documents::{Actor, Payload, Payloads};
use mecum_seal::{
    DeviceId, DocumentKey, Envelope, Hash32, IncarnationId, Place, Salt, document_key_in_epoch,
    seal_envelope_again,
};
use mecum_vault::Folded;

use crate::plaintext::{pack, unpack};
use crate::space::{DocumentState, SpaceState};

/// Of the content id so much is kept: where an epoch has two keys, it says which.
const CHECK_BYTES: usize = 2;
/// An envelope that cannot be made again may lie among others if it is no larger; else the run ends before it.
pub(crate) const MOST_VERBATIM: usize = 2_048;

/// Who wrote an envelope: its device, that device's life, and the actor of the change in it.
type Writer = (DeviceId, IncarnationId, Actor);
/// What its writer knew: epoch and head of the membership log.
type Stand = (u32, Hash32);

/// One envelope of a residue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// As it is: it could not be made again when the others were folded.
    Verbatim(Vec<u8>),
    /// What it is made of.
    Made(Box<Parts>),
}

/// What one envelope is made of, besides its document and keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    writer: Writer,
    stand: Stand,
    envelope_seq: u64,
    pub(crate) change_seq: u64,
    pub(crate) at_ms: i64,
    salt: Salt,
    check: [u8; CHECK_BYTES],
    /// Content id of the link before it; none where that is the last of the same chain in the residue.
    previous: Option<Hash32>,
}

/// Where an envelope stands, as it says itself. What it follows is asked of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stands {
    pub(crate) place: Place,
    pub(crate) actor: Actor,
    pub(crate) change_seq: u64,
    pub(crate) at_ms: i64,
}

impl Parts {
    pub(crate) fn actor(&self) -> Actor {
        self.writer.2
    }

    /// Where it stands. `previous` is none's.
    pub(crate) fn stands(&self, state: &DocumentState) -> Stands {
        Stands {
            place: self.place(state, Hash32::ZERO),
            actor: self.actor(),
            change_seq: self.change_seq,
            at_ms: self.at_ms,
        }
    }

    fn place(&self, state: &DocumentState, previous: Hash32) -> Place {
        Place {
            space: state.space,
            document: state.document,
            device: self.writer.0,
            incarnation: self.writer.1,
            envelope_seq: self.envelope_seq,
            epoch: self.stand.0,
            membership_head: self.stand.1,
            previous,
        }
    }
}

/// The residue of a run of envelopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Residue {
    pub(crate) kept: Vec<Kept>,
}

/// Makes residues, envelope by envelope, and tries each at once.
pub(crate) struct Folding<'a> {
    space: &'a SpaceState,
    state: &'a DocumentState,
    payloads: &'a Payloads,
    last: BTreeMap<(DeviceId, IncarnationId), Hash32>,
    pub(crate) residue: Residue,
    /// Of these are parts only.
    pub(crate) made: usize,
}

impl<'a> Folding<'a> {
    pub(crate) fn new(space: &'a SpaceState, state: &'a DocumentState, payloads: &'a Payloads) -> Self {
        Self { space, state, payloads, last: BTreeMap::new(), residue: Residue::default(), made: 0 }
    }

    /// Goes on from a run that was folded before, of which these are the envelopes. Answers how many bytes its residue has; none where
    /// it cannot be gone on from.
    pub(crate) fn go_on(&mut self, run: &Folded, envelopes: &[Vec<u8>]) -> Option<usize> {
        let residue = Residue::decode(run.residue()).ok()?;
        for bytes in envelopes {
            self.passes(bytes);
        }
        self.made = residue.kept.iter().filter(|kept| matches!(kept, Kept::Made(_))).count();
        self.residue = residue;
        Some(run.residue().len())
    }

    /// Notes where an envelope's chain has got to.
    fn passes(&mut self, bytes: &[u8]) {
        if let Ok(envelope) = Envelope::parse(bytes) {
            let place = envelope.place();
            self.last.insert((place.device, place.incarnation), envelope.content_id());
        }
    }

    /// Takes the next envelope. False if it can neither be made again nor lie among the others; then nothing changed.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> bool {
        if let Some((parts, id)) = self.parts(bytes) {
            self.last.insert((parts.writer.0, parts.writer.1), id);
            self.residue.kept.push(Kept::Made(Box::new(parts)));
            self.made += 1;
            return true;
        }
        let small = bytes.len() <= MOST_VERBATIM;
        if small {
            self.passes(bytes);
            self.residue.kept.push(Kept::Verbatim(bytes.to_vec()));
        }
        small
    }

    /// The parts of an envelope from which exactly it is made again, and its content id.
    fn parts(&self, bytes: &[u8]) -> Option<(Parts, Hash32)> {
        let envelope = Envelope::parse(bytes).ok()?;
        let (key, plaintext) = self.space.open_with_key(&self.state.key, &envelope)?;
        let body = unpack(&plaintext).ok()?;
        let glance = Payload::glance(&body).ok()?;
        let (place, id) = (envelope.place(), envelope.content_id());
        let last = self.last.get(&(place.device, place.incarnation)).copied();
        let parts = Parts {
            writer: (place.device, place.incarnation, glance.actor),
            stand: (place.epoch, place.membership_head),
            envelope_seq: place.envelope_seq,
            change_seq: glance.change_seq,
            at_ms: glance.at_ms,
            salt: envelope.salt(&key, &plaintext),
            check: check_of(&id),
            previous: (last != Some(place.previous)).then_some(place.previous),
        };
        let again = make(&parts, last, self.space, self.state, self.payloads)?;
        (again.0 == bytes).then_some((parts, id))
    }
}

/// The envelope of parts, and its content id. `last` is the one before it in its chain, as far as this residue has it.
fn make(
    parts: &Parts,
    last: Option<Hash32>,
    space: &SpaceState,
    state: &DocumentState,
    payloads: &Payloads,
) -> Option<(Vec<u8>, Hash32)> {
    let place = parts.place(state, parts.previous.or(last)?);
    let plaintext = pack(&payloads.encode(parts.actor(), parts.change_seq, parts.at_ms)?);
    space.epoch_keys(place.epoch).find_map(|epoch_key| {
        let key: DocumentKey = document_key_in_epoch(&state.key, place.epoch, epoch_key);
        let sealed = seal_envelope_again(&key, &place, &parts.salt, &plaintext).ok()?;
        (check_of(&sealed.content_id) == parts.check).then_some((sealed.bytes, sealed.content_id))
    })
}

fn check_of(id: &Hash32) -> [u8; CHECK_BYTES] {
    let [a, b, ..] = *id.as_bytes();
    [a, b]
}

impl Residue {
    /// The envelopes, as far as they can be made; the vault's chain says whether they are the ones.
    pub(crate) fn envelopes(
        &self,
        space: &SpaceState,
        state: &DocumentState,
        payloads: &Payloads,
    ) -> Option<Vec<Vec<u8>>> {
        let mut last: BTreeMap<(DeviceId, IncarnationId), Hash32> = BTreeMap::new();
        let mut all = Vec::with_capacity(self.kept.len());
        for kept in &self.kept {
            match kept {
                Kept::Verbatim(bytes) => {
                    if let Ok(envelope) = Envelope::parse(bytes) {
                        let place = envelope.place();
                        last.insert((place.device, place.incarnation), envelope.content_id());
                    }
                    all.push(bytes.clone());
                }
                Kept::Made(parts) => {
                    let chain = (parts.writer.0, parts.writer.1);
                    let (bytes, id) = make(parts, last.get(&chain).copied(), space, state, payloads)?;
                    last.insert(chain, id);
                    all.push(bytes);
                }
            }
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was folded is packed again to be what it was: if these change, so do the envelopes, and none is made again.
    #[test]
    fn what_is_packed_is_packed_as_it_was_first() {
        let text: Vec<u8> =
            (0..9_000_u32).flat_map(|n| format!("{} mg; ", n * n % 977).into_bytes()).collect();
        let uneven: Vec<u8> =
            (0..70_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[(n % 3) as usize]).collect();
        let packed = [b"short".to_vec(), text, vec![7; 2_000], uneven]
            .map(|body| mecum_seal::sha256(&pack(&body)).to_string());
        assert_eq!(packed, PACKED, "as it is, text, two thousand equal bytes, what hardly deflates");
    }

    const PACKED: [&str; 4] = [
        "c7fe8f5e4289663fd1ecb2df4ed2ec799ae809574eaeaaf700b4845f00d2e3dd",
        "d3637302456463506063ce58719471fcca1e4c77844c138443f0e135eb717d85",
        "301dab36a4396f976490dbdaf427b12e510866b5435c25b7976a648f02837625",
        "0f74fc8c25e2f81e57dc6e0e3f69b472c07d05d830b51b8303d04ad19041e7cb",
    ];
}
