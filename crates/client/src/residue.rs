//! What is kept of envelopes whose words are in the local snapshot and which the server has: enough to make the same bytes again, and
//! what is asked of them most often without making them (whose they are, where they stand in their chain, when they were written).
//!
//! Layout, numbers as LEB128, signed ones zigzag: `1, count of writers, [device(16), incarnation(16), actor(16)] each, count of stands,
//! [epoch, membership head(32)] each, and then each envelope`. An envelope is `flags` and either, with flag 1, its length and bytes as
//! they are, or `writer, stand, envelope_seq, change_seq, at_ms, salt(32), first two bytes of its content id` and, with flag 2, the
//! content id of the one before it in its chain; without, that is the last one of the same chain in this residue. With flag 4 the salt is
//! its seed of four bytes (ADR 0019); a residue with such a one begins with 2.
//! `envelope_seq` and `change_seq` are differences to the writer's one before, `at_ms` to the envelope before.
//!
//! The change is in the document, its bytes and edits are those of [`mecum_documents::Payloads`], and they are packed as
//! [`crate::plaintext::pack`] packs. Nothing of what comes out is believed before the vault's chain over it is the same.

use std::collections::BTreeMap;

use mecum_documents::{Actor, Payload, Payloads};
use mecum_seal::{
    DeviceId, DocumentKey, Envelope, Hash32, IncarnationId, Place, Salt, document_key_in_epoch,
    seal_envelope_again,
};
use mecum_vault::Folded;

use crate::plaintext::{BadPlaintext, pack, unpack};
use crate::space::{DocumentState, SpaceState};
use crate::times::{put as put_signed, take as signed};

/// All salts are whole.
const WHOLE_SALTS: u8 = 1;
/// Some are seeds.
const SEEDS: u8 = 2;
const VERBATIM: u8 = 1;
const PREVIOUS: u8 = 2;
const SEED: u8 = 4;
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

    /// The bytes that the vault seals.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let made = || {
            self.kept.iter().filter_map(|kept| if let Kept::Made(parts) = kept { Some(parts) } else { None })
        };
        let mut writers: Vec<Writer> = Vec::new();
        let mut stands: Vec<Stand> = Vec::new();
        for parts in made() {
            index_in(&mut writers, parts.writer);
            index_in(&mut stands, parts.stand);
        }
        let seeds = made().any(|parts| matches!(parts.salt, Salt::Seed(_)));
        let mut out = vec![if seeds { SEEDS } else { WHOLE_SALTS }];
        put(&mut out, writers.len() as u64);
        for (device, incarnation, actor) in &writers {
            out.extend_from_slice(device.as_bytes());
            out.extend_from_slice(incarnation.as_bytes());
            out.extend_from_slice(actor.as_bytes());
        }
        put(&mut out, stands.len() as u64);
        for (epoch, head) in &stands {
            put(&mut out, u64::from(*epoch));
            out.extend_from_slice(head.as_bytes());
        }
        let mut before: BTreeMap<Writer, (u64, u64)> = BTreeMap::new();
        let mut at_before = 0;
        for kept in &self.kept {
            let parts = match kept {
                Kept::Verbatim(bytes) => {
                    out.push(VERBATIM);
                    put(&mut out, bytes.len() as u64);
                    out.extend_from_slice(bytes);
                    continue;
                }
                Kept::Made(parts) => parts,
            };
            let seed = if matches!(parts.salt, Salt::Seed(_)) { SEED } else { 0 };
            out.push(seed | if parts.previous.is_some() { PREVIOUS } else { 0 });
            put(&mut out, index_in(&mut writers, parts.writer));
            put(&mut out, index_in(&mut stands, parts.stand));
            let (seq, change) =
                before.insert(parts.writer, (parts.envelope_seq, parts.change_seq)).unwrap_or_default();
            put_signed(&mut out, parts.envelope_seq.wrapping_sub(seq).cast_signed());
            put_signed(&mut out, parts.change_seq.wrapping_sub(change).cast_signed());
            put_signed(&mut out, parts.at_ms.wrapping_sub(at_before));
            at_before = parts.at_ms;
            match &parts.salt {
                Salt::Whole(salt) => out.extend_from_slice(salt),
                Salt::Seed(seed) => out.extend_from_slice(seed),
            }
            out.extend_from_slice(&parts.check);
            if let Some(previous) = &parts.previous {
                out.extend_from_slice(previous.as_bytes());
            }
        }
        out
    }

    /// The residue of bytes, strictly.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BadPlaintext> {
        let mut rest = bytes;
        let [WHOLE_SALTS | SEEDS] = take::<1>(&mut rest)? else { return Err(BadPlaintext) };
        let writers = (0..count(&mut rest)?)
            .map(|_| {
                let device = DeviceId::from_bytes(take(&mut rest)?);
                let incarnation = IncarnationId::from_bytes(take(&mut rest)?);
                Ok((device, incarnation, Actor::from_bytes(take(&mut rest)?)))
            })
            .collect::<Result<Vec<Writer>, BadPlaintext>>()?;
        let stands = (0..count(&mut rest)?)
            .map(|_| {
                let epoch = u32::try_from(number(&mut rest)?).map_err(|_| BadPlaintext)?;
                Ok((epoch, Hash32::from_bytes(take(&mut rest)?)))
            })
            .collect::<Result<Vec<Stand>, BadPlaintext>>()?;
        let mut before: BTreeMap<Writer, (u64, u64)> = BTreeMap::new();
        let (mut at_ms, mut kept) = (0_i64, Vec::new());
        while !rest.is_empty() {
            let [flags] = take::<1>(&mut rest)?;
            if flags == VERBATIM {
                let length = count(&mut rest)?;
                let (bytes, after) = rest.split_at_checked(length).ok_or(BadPlaintext)?;
                kept.push(Kept::Verbatim(bytes.to_vec()));
                rest = after;
                continue;
            }
            if flags & !(PREVIOUS | SEED) != 0 {
                return Err(BadPlaintext);
            }
            let writer = *usize::try_from(number(&mut rest)?)
                .ok()
                .and_then(|at| writers.get(at))
                .ok_or(BadPlaintext)?;
            let stand = *usize::try_from(number(&mut rest)?)
                .ok()
                .and_then(|at| stands.get(at))
                .ok_or(BadPlaintext)?;
            let (seq, change) = before.get(&writer).copied().unwrap_or_default();
            let envelope_seq = seq.wrapping_add_signed(signed(&mut rest)?);
            let change_seq = change.wrapping_add_signed(signed(&mut rest)?);
            before.insert(writer, (envelope_seq, change_seq));
            at_ms = at_ms.wrapping_add(signed(&mut rest)?);
            let salt = match flags & SEED {
                0 => Salt::Whole(take(&mut rest)?),
                _ => Salt::Seed(take(&mut rest)?),
            };
            let check = take(&mut rest)?;
            let previous =
                if flags & PREVIOUS != 0 { Some(Hash32::from_bytes(take(&mut rest)?)) } else { None };
            kept.push(Kept::Made(Box::new(Parts {
                writer,
                stand,
                envelope_seq,
                change_seq,
                at_ms,
                salt,
                check,
                previous,
            })));
        }
        let residue = Self { kept };
        if residue.encode() == bytes { Ok(residue) } else { Err(BadPlaintext) }
    }
}

fn index_in<T: PartialEq>(list: &mut Vec<T>, item: T) -> u64 {
    let at = list.iter().position(|other| *other == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    });
    at as u64
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BadPlaintext> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(BadPlaintext)?;
    *rest = after;
    Ok(*taken)
}

fn number(rest: &mut &[u8]) -> Result<u64, BadPlaintext> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = take::<1>(rest)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(BadPlaintext)
}

/// A count of things, each of which takes at least a byte of what is left.
fn count(rest: &mut &[u8]) -> Result<usize, BadPlaintext> {
    let count = number(rest)?;
    usize::try_from(count).ok().filter(|count| *count <= rest.len()).ok_or(BadPlaintext)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(
        writer: (u8, u8),
        envelope_seq: u64,
        change_seq: u64,
        at_ms: i64,
        previous: Option<u8>,
    ) -> Parts {
        let (incarnation, actor) = writer;
        Parts {
            writer: (
                DeviceId::from_bytes([1; 16]),
                IncarnationId::from_bytes([incarnation; 16]),
                Actor::from_bytes([actor; 16]),
            ),
            stand: (7, Hash32::from_bytes([6; 32])),
            envelope_seq,
            change_seq,
            at_ms,
            salt: Salt::Whole([0; 32]),
            check: [0; CHECK_BYTES],
            previous: previous.map(|byte| Hash32::from_bytes([byte; 32])),
        }
    }

    fn some() -> Residue {
        let at_ms = 1_788_854_400_000;
        let a = Parts {
            salt: Salt::Whole([0x11; 32]),
            check: [0xaa, 0xbb],
            ..parts((2, 3), 300, 12, at_ms, Some(9))
        };
        let b = Parts {
            salt: Salt::Whole([0x12; 32]),
            check: [0xcc, 0xdd],
            ..parts((2, 3), 301, 13, at_ms + 60_000, None)
        };
        let c = Parts {
            salt: Salt::Whole([0x13; 32]),
            check: [0xee, 0xff],
            ..parts((4, 5), 5, 1, at_ms + 59_000, Some(10))
        };
        let made = |parts| Kept::Made(Box::new(parts));
        Residue { kept: vec![made(a), made(b), Kept::Verbatim(vec![0x83, 1, 2]), made(c)] }
    }

    /// Written once: what is kept in this layout has to be read by every later version.
    const FROZEN: &str = concat!(
        "010201010101010101010101010101010101020202020202020202020202020202020303030303030303030303030303",
        "030301010101010101010101010101010101040404040404040404040404040404040505050505050505050505050505",
        "050501070606060606060606060606060606060606060606060606060606060606060606020000d8041880d0bf809068",
        "1111111111111111111111111111111111111111111111111111111111111111aabb0909090909090909090909090909",
        "0909090909090909090909090909090909090000000202c0a90712121212121212121212121212121212121212121212",
        "12121212121212121212ccdd01038301020201000a02cf0f131313131313131313131313131313131313131313131313",
        "1313131313131313eeff0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
    );

    #[test]
    fn a_residue_is_written_as_it_was_first_and_nothing_else_is_read() {
        let bytes = some().encode();
        let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert_eq!(hex, FROZEN, "the layout is frozen");
        assert_eq!(Residue::decode(&bytes), Ok(some()), "and read back");
        for at in 0..bytes.len() {
            if let Ok(shorter) = Residue::decode(&bytes[..at]) {
                assert!(
                    shorter.kept.len() < some().kept.len(),
                    "cut at {at}: fewer, and the vault counts them"
                );
            }
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert_ne!(Residue::decode(&flipped), Ok(some()), "byte {at}, bit {bit}: not the same");
            }
        }
        assert_eq!(Residue::decode(&[]), Err(BadPlaintext), "nothing");
        assert_eq!(Residue::decode(&[3, 0, 0]), Err(BadPlaintext), "a later version's");
        let changed = [&[2], &bytes[1..]].concat();
        assert_eq!(Residue::decode(&changed), Err(BadPlaintext), "one with seeds that has none");
    }

    /// The same with seeds for salts, written once.
    const FROZEN_SEEDS: &str = concat!(
        "020201010101010101010101010101010101020202020202020202020202020202020303030303030303030303030303",
        "030301010101010101010101010101010101040404040404040404040404040404040505050505050505050505050505",
        "050501070606060606060606060606060606060606060606060606060606060606060606060000d8041880d0bf809068",
        "11111111aabb090909090909090909090909090909090909090909090909090909090909090904000002",
        "02c0a90712121212ccdd01038301020201000a02cf0f1313131313131313131313131313131313131313131313131313",
        "131313131313eeff0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
    );

    #[test]
    fn seeds_are_written_as_they_were_first_beside_whole_salts() {
        let mut residue = some();
        for (kept, seed) in residue.kept.iter_mut().zip([0x11, 0x12]) {
            if let Kept::Made(parts) = kept {
                parts.salt = Salt::Seed([seed; 4]);
            }
        }
        let bytes = residue.encode();
        let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert_eq!(hex, FROZEN_SEEDS, "the layout is frozen");
        assert_eq!(Residue::decode(&bytes), Ok(residue), "and read back");
        let changed = [&[1], &bytes[1..]].concat();
        assert_eq!(
            Residue::decode(&changed),
            Err(BadPlaintext),
            "an older version would not have written it"
        );
    }

    #[test]
    fn an_envelope_costs_less_than_sixty_bytes_and_one_in_a_row_less_than_twenty() {
        let many = |previous| Residue {
            kept: (0..300)
                .map(|n| {
                    let parts = parts((2, 3), 1_000 + n, n, 60_000 * n.cast_signed(), previous);
                    Kept::Made(Box::new(Parts { salt: Salt::Seed([7; 4]), ..parts }))
                })
                .collect(),
        };
        let (alone, in_a_row) = (many(Some(9)).encode().len() / 300, many(None).encode().len() / 300);
        assert!(alone < 60 && in_a_row < 20, "{alone} B, {in_a_row} B");
    }

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
