//! The bytes of a replay state, as the vault seals them.
//!
//! Layout (CBOR, RFC 8949 core deterministic encoding, definite lengths):
//! `[1, document, [layer, …], [[reserved actor, author, offset], …], [[change, entry], …], [[change, raw], …], [absent, …]]`
//! with layer = `[cut, [[actor, last], …], [[change, [change, …]], …]]` and absent =
//! `[change, actor, change_seq, max_op, [change, …], [[entry, kind], …]]`; every list in the order of its first member.

use std::collections::BTreeMap;
use std::convert::Infallible;

use mecum_domain::{EntryId, Kind};
use minicbor::{Decoder, Encoder};

use super::absent::Absent;
use super::{Cut, Layer, ReplayError, Replayed};
use crate::actor::Actor;

const VERSION: u8 = 1;

type Writer<'a> = Encoder<&'a mut Vec<u8>>;
type Written = Result<(), minicbor::encode::Error<Infallible>>;

impl Replayed {
    /// The bytes of this state, in the layout at the head of this module.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut Encoder::new(&mut bytes)).expect("writing to memory does not fail");
        bytes
    }

    fn write(&self, out: &mut Writer<'_>) -> Written {
        out.array(7)?.u8(VERSION)?.bytes(&self.document)?.array(self.layers.len() as u64)?;
        for layer in &self.layers {
            write_layer(out, layer)?;
        }
        out.array(self.origins.len() as u64)?;
        for (actor, (author, offset)) in &self.origins {
            out.array(3)?.bytes(actor.as_bytes())?.bytes(author.as_bytes())?.u64(*offset)?;
        }
        out.array(self.revived.len() as u64)?;
        for (change, entry) in &self.revived {
            out.array(2)?.bytes(change)?.bytes(entry.as_bytes())?;
        }
        out.array(self.beside.len() as u64)?;
        for (change, raw) in &self.beside {
            out.array(2)?.bytes(change)?.bytes(raw)?;
        }
        out.array(self.absent.len() as u64)?;
        for (change, absent) in &self.absent {
            out.array(6)?.bytes(change)?.bytes(absent.actor.as_bytes())?;
            out.u64(absent.change_seq)?.u64(absent.max_op)?;
            write_hashes(out, &absent.deps)?;
            out.array(absent.adds.len() as u64)?;
            for (entry, kind) in &absent.adds {
                out.array(2)?.bytes(entry.as_bytes())?.u8(kind.code())?;
            }
        }
        Ok(())
    }

    /// Reads a state, strictly: what does not encode to the same bytes again is refused. For bytes that this device sealed
    /// itself; the changes inside are not judged again.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReplayError> {
        let mut input = Reader(Decoder::new(bytes));
        let state = input.state().filter(|state| state.encode() == bytes);
        state.ok_or(ReplayError::Malformed)
    }
}

fn write_layer(out: &mut Writer<'_>, layer: &Layer) -> Written {
    out.array(3)?.bytes(&layer.cut.cut)?.array(layer.cut.void.len() as u64)?;
    for (actor, last) in &layer.cut.void {
        out.array(2)?.bytes(actor.as_bytes())?.u64(*last)?;
    }
    out.array(layer.became.len() as u64)?;
    for (change, became) in &layer.became {
        out.array(2)?.bytes(change)?;
        write_hashes(out, became)?;
    }
    Ok(())
}

fn write_hashes(out: &mut Writer<'_>, hashes: &[[u8; 32]]) -> Written {
    out.array(hashes.len() as u64)?;
    for hash in hashes {
        out.bytes(hash)?;
    }
    Ok(())
}

/// Reads without reasons: a state is whole or is made anew.
struct Reader<'a>(Decoder<'a>);

impl Reader<'_> {
    fn state(&mut self) -> Option<Replayed> {
        self.tuple(7)?;
        if self.0.u8().ok()? != VERSION {
            return None;
        }
        let document = self.fixed()?;
        let layers = self.list(Self::layer)?;
        let origins = self.list(|input| {
            input.tuple(3)?;
            let actor = input.actor()?;
            Some((actor, (input.actor()?, input.0.u64().ok()?)))
        })?;
        let revived = self.list(|input| {
            input.tuple(2)?;
            Some((input.fixed()?, EntryId::from_bytes(input.fixed()?)))
        })?;
        let beside = self.list(|input| {
            input.tuple(2)?;
            Some((input.fixed()?, input.0.bytes().ok()?.to_vec()))
        })?;
        let absent = self.list(Self::absent)?;
        Some(Replayed {
            document,
            layers,
            origins: origins.into_iter().collect(),
            revived: revived.into_iter().collect(),
            beside: beside.into_iter().collect(),
            absent: absent.into_iter().collect(),
        })
    }

    fn layer(&mut self) -> Option<Layer> {
        self.tuple(3)?;
        let cut = self.fixed()?;
        let void = self.list(|input| {
            input.tuple(2)?;
            Some((input.actor()?, input.0.u64().ok()?))
        })?;
        let became = self.list(|input| {
            input.tuple(2)?;
            Some((input.fixed()?, input.list(Self::fixed)?))
        })?;
        let void: BTreeMap<Actor, u64> = void.into_iter().collect();
        Some(Layer { cut: Cut { cut, void }, became: became.into_iter().collect() })
    }

    fn absent(&mut self) -> Option<([u8; 32], Absent)> {
        self.tuple(6)?;
        let change = self.fixed()?;
        let actor = self.actor()?;
        let (change_seq, max_op) = (self.0.u64().ok()?, self.0.u64().ok()?);
        let deps = self.list(Self::fixed)?;
        let adds = self.list(|input| {
            input.tuple(2)?;
            Some((EntryId::from_bytes(input.fixed()?), Kind::from_code(input.0.u8().ok()?)))
        })?;
        Some((change, Absent { actor, change_seq, max_op, deps, adds }))
    }

    fn tuple(&mut self, length: u64) -> Option<()> {
        (self.0.array().ok()?? == length).then_some(())
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.0.array().ok()??;
        let mut list = Vec::new();
        for _ in 0..length {
            list.push(item(self)?);
        }
        Some(list)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.0.bytes().ok()?.try_into().ok()
    }

    fn actor(&mut self) -> Option<Actor> {
        self.fixed().map(Actor::from_bytes)
    }
}
