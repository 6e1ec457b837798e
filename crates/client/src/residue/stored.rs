//! A residue as the vault seals it.
//!
//! Layout, numbers as LEB128, signed ones zigzag: `1, count of writers, [device(16), incarnation(16), actor(16)] each, count of stands,
//! [epoch, membership head(32)] each, and then each envelope`. An envelope is `flags` and either, with flag 1, its length and bytes as
//! they are, or `writer, stand, envelope_seq, change_seq, at_ms, salt(32), first two bytes of its content id` and, with flag 2, the
//! content id of the one before it in its chain; without, that is the last one of the same chain in this residue. With flag 4 the salt is
//! its seed of four bytes (ADR 0019); a residue with such a one begins with 2.
//! `envelope_seq` and `change_seq` are differences to the writer's one before, `at_ms` to the envelope before.

use std::collections::BTreeMap;

use mecum_documents::{Actor, leb128};
use mecum_seal::{DeviceId, Hash32, IncarnationId, Salt};

use super::{Kept, Parts, Residue, Stand, Writer};
use crate::plaintext::BadPlaintext;
use crate::times::{put as put_signed, take as signed};

/// All salts are whole.
const WHOLE_SALTS: u8 = 1;
/// Some are seeds.
const SEEDS: u8 = 2;
const VERBATIM: u8 = 1;
const PREVIOUS: u8 = 2;
const SEED: u8 = 4;

impl Residue {
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
        leb128::put(&mut out, writers.len() as u64);
        for (device, incarnation, actor) in &writers {
            out.extend_from_slice(device.as_bytes());
            out.extend_from_slice(incarnation.as_bytes());
            out.extend_from_slice(actor.as_bytes());
        }
        leb128::put(&mut out, stands.len() as u64);
        for (epoch, head) in &stands {
            leb128::put(&mut out, u64::from(*epoch));
            out.extend_from_slice(head.as_bytes());
        }
        let mut before: BTreeMap<Writer, (u64, u64)> = BTreeMap::new();
        let mut at_before = 0;
        for kept in &self.kept {
            let parts = match kept {
                Kept::Verbatim(bytes) => {
                    out.push(VERBATIM);
                    leb128::put(&mut out, bytes.len() as u64);
                    out.extend_from_slice(bytes);
                    continue;
                }
                Kept::Made(parts) => parts,
            };
            let seed = if matches!(parts.salt, Salt::Seed(_)) { SEED } else { 0 };
            out.push(seed | if parts.previous.is_some() { PREVIOUS } else { 0 });
            leb128::put(&mut out, index_in(&mut writers, parts.writer));
            leb128::put(&mut out, index_in(&mut stands, parts.stand));
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

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BadPlaintext> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(BadPlaintext)?;
    *rest = after;
    Ok(*taken)
}

fn number(rest: &mut &[u8]) -> Result<u64, BadPlaintext> {
    leb128::take(rest).ok_or(BadPlaintext)
}

/// A count of things, each of which takes at least a byte of what is left.
fn count(rest: &mut &[u8]) -> Result<usize, BadPlaintext> {
    let count = number(rest)?;
    usize::try_from(count).ok().filter(|count| *count <= rest.len()).ok_or(BadPlaintext)
}

#[cfg(test)]
mod tests {
    use mecum_faults::Frozen;

    use super::super::CHECK_BYTES;
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

    /// The same with seeds for two of its salts.
    fn with_seeds() -> Residue {
        let mut residue = some();
        for (kept, seed) in residue.kept.iter_mut().zip([0x11, 0x12]) {
            if let Kept::Made(parts) = kept {
                parts.salt = Salt::Seed([seed; 4]);
            }
        }
        residue
    }

    /// What is kept in this layout has to be read by every later version: with whole salts, and with seeds.
    fn frozen() -> (Vec<u8>, Vec<u8>) {
        let written = [("whole salts", some().encode()), ("seeds beside them", with_seeds().encode())];
        let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "residue-v1.txt", &written);
        (frozen.get("whole salts").to_vec(), frozen.get("seeds beside them").to_vec())
    }

    #[test]
    fn a_residue_is_written_as_it_was_first_and_nothing_else_is_read() {
        let (bytes, _) = frozen();
        assert_eq!(Residue::decode(&bytes), Ok(some()), "read back");
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

    #[test]
    fn seeds_are_written_as_they_were_first_beside_whole_salts() {
        let (_, bytes) = frozen();
        assert_eq!(Residue::decode(&bytes), Ok(with_seeds()), "read back");
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
}
