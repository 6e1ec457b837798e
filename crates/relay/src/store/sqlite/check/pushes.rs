//! Pushes and envelopes: every statement's signature, every envelope's bytes, each chain link by link, and each space's order
//! without a gap. What is kept beside them (the chains' heads and last statements) must be what they amount to.

use std::collections::{BTreeMap, HashMap};

use mecum_seal::{DeviceId, Envelope, Hash32, IncarnationId, SpaceId};
use mecum_sync::statement::Progress;
use mecum_sync::{Chain, ChainHead, FoldedChain, Signed, Statement};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Checked;
use super::accounts::Accounts;
use super::snapshots::bases;
use super::spaces::{Space, Spaces};
use crate::store::StoreError;
use crate::store::sqlite::{int, stored};

/// Most stray envelopes that are named.
const MAX_STRAYS: usize = 100;

/// How many pushes each space has.
pub(super) struct Pushed {
    pub(super) by_space: HashMap<SpaceId, u64>,
}

/// A chain as the pushes so far amount to.
struct Standing {
    head: ChainHead,
    statement: Signed<Statement>,
}

/// One row of `push`.
struct PushRow {
    number: i64,
    space: Option<SpaceId>,
    device: Option<DeviceId>,
    incarnation: Option<IncarnationId>,
    first_space_seq: i64,
    envelopes: i64,
    statement: Vec<u8>,
}

struct Reading<'a> {
    c: &'a Connection,
    accounts: &'a Accounts,
    spaces: &'a Spaces,
    checked: &'a mut Checked,
    chains: BTreeMap<Chain, Standing>,
    next_space_seq: HashMap<SpaceId, i64>,
    pushed: Pushed,
    /// Up to where each space was pruned.
    bases: HashMap<SpaceId, (i64, Vec<FoldedChain>)>,
}

pub(super) fn check(
    c: &Connection,
    accounts: &Accounts,
    spaces: &Spaces,
    checked: &mut Checked,
) -> Result<Option<Pushed>, StoreError> {
    let mut reading = Reading {
        c,
        accounts,
        spaces,
        checked,
        chains: BTreeMap::new(),
        next_space_seq: HashMap::new(),
        pushed: Pushed { by_space: HashMap::new() },
        bases: bases(c)?,
    };
    let mut query = c.prepare(
        "SELECT push, space, device, incarnation, first_space_seq, envelopes, statement, stored_at_ms
         FROM push ORDER BY push",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        reading.checked.held.pushes += 1;
        let stored_at_ms: i64 = row.get(7)?;
        let latest = reading.checked.held.last_stored_at_ms.unwrap_or(stored_at_ms);
        reading.checked.held.last_stored_at_ms = Some(latest.max(stored_at_ms));
        reading.push(&push_row(row)?)?;
    }
    reading.orders_end();
    reading.chains()?;
    reading.acknowledgements()?;
    reading.strays()?;
    reading.evidence()?;
    Ok(Some(reading.pushed))
}

fn push_row(row: &Row<'_>) -> Result<PushRow, StoreError> {
    let (space, device, incarnation): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(PushRow {
        number: row.get(0)?,
        space: SpaceId::from_slice(&space),
        device: DeviceId::from_slice(&device),
        incarnation: IncarnationId::from_slice(&incarnation),
        first_space_seq: row.get(4)?,
        envelopes: row.get(5)?,
        statement: row.get(6)?,
    })
}

impl Reading<'_> {
    fn push(&mut self, row: &PushRow) -> Result<(), StoreError> {
        let place = format!("push {}", row.number);
        let Ok(signed) = stored::<Signed<Statement>>(&row.statement, "statement") else {
            self.checked.add("push", place, "its statement cannot be read");
            return self.skip(row);
        };
        let statement = signed.unverified();
        let chain = statement.chain();
        let spaces = self.spaces;
        let Some(space) = spaces.by_id.get(&chain.space) else {
            self.checked.add("push", place, "its space is not there");
            return self.skip(row);
        };
        *self.pushed.by_space.entry(chain.space).or_default() += 1;
        let named = (row.space, row.device, row.incarnation);
        if named != (Some(chain.space), Some(chain.device), Some(chain.incarnation)) {
            self.checked.add("push", place.as_str(), "its statement is of another chain");
        }
        let signers = self.accounts.signers(chain.device);
        if !signers.iter().any(|(_, key)| signed.verify(key).is_ok()) {
            self.checked.add("push", place.as_str(), "its statement's signature does not verify");
        }
        if !statement.is_well_formed() {
            self.checked.add("push", place.as_str(), "its statement is not well formed");
        }
        let next = self.next_space_seq.entry(chain.space).or_insert(1);
        if row.first_space_seq != *next {
            self.checked.add("push", place.as_str(), "leaves a gap in its space's order, or overlaps it");
        }
        *next = row.first_space_seq.saturating_add(row.envelopes.max(0));
        let before = self.chains.get(&chain).map_or(ChainHead::EMPTY, |standing| standing.head);
        let head = self.envelopes(row, &chain, space, before)?;
        if statement.envelope_seq != head.envelope_seq || statement.last != head.hash {
            self.checked.add("push", place.as_str(), "its statement ends elsewhere than its envelopes");
        }
        let earlier = self.chains.get(&chain).map(|standing| standing.statement.unverified());
        if earlier.is_some_and(|earlier| statement.progress_since(earlier) != Progress::Newer) {
            self.checked.add(
                "push",
                place,
                "its statement says no more than the one before, or takes it back",
            );
        }
        // Go on from what is signed: one damaged push is one finding.
        let head = ChainHead { envelope_seq: statement.envelope_seq, hash: statement.last, ..head };
        self.chains.insert(chain, Standing { head, statement: signed });
        Ok(())
    }

    /// Counts the envelopes of a push that cannot be read itself.
    fn skip(&mut self, row: &PushRow) -> Result<(), StoreError> {
        let Some(space) = row.space else { return Ok(()) };
        self.next_space_seq.insert(space, row.first_space_seq.saturating_add(row.envelopes.max(0)));
        let (count, bytes): (i64, i64) = self.c.query_row(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM envelope
             WHERE space = ?1 AND space_seq >= ?2 AND space_seq < ?2 + ?3",
            params![space.as_bytes(), row.first_space_seq, row.envelopes],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        self.checked.held.envelopes += u64::try_from(count).unwrap_or(0);
        self.checked.held.envelope_bytes += u64::try_from(bytes).unwrap_or(0);
        Ok(())
    }

    /// The envelopes of one push, in order; where the chain stands after them.
    fn envelopes(
        &mut self,
        push: &PushRow,
        chain: &Chain,
        space: &Space,
        before: ChainHead,
    ) -> Result<ChainHead, StoreError> {
        let c = self.c;
        let mut query = c.prepare_cached(
            "SELECT space_seq, push, device, incarnation, envelope_seq, content_id, body FROM envelope
             WHERE space = ?1 AND space_seq >= ?2 AND space_seq < ?2 + ?3 ORDER BY space_seq",
        )?;
        let mut rows = query.query(params![chain.space.as_bytes(), push.first_space_seq, push.envelopes])?;
        let mut head = before;
        let mut expected = push.first_space_seq;
        while let Some(row) = rows.next()? {
            let space_seq: i64 = row.get(0)?;
            self.missing(space, expected, space_seq);
            expected = space_seq.saturating_add(1);
            let body: Vec<u8> = row.get(6)?;
            self.checked.held.envelopes += 1;
            self.checked.held.envelope_bytes += body.len() as u64;
            let place = format!("space {}, place {space_seq}", space.number);
            if body.is_empty()
                && let Some((to, ends)) = self.bases.get(&chain.space)
                && space_seq <= *to
            {
                if let Some(what) = pruned(row, push, &mut head, ends)? {
                    self.checked.add("envelope", place.as_str(), what);
                }
                continue;
            }
            let Ok(envelope) = Envelope::parse(&body) else {
                self.checked.add("envelope", place, "its bytes are not an envelope");
                continue;
            };
            if let Some(what) = columns(row, push, &envelope)? {
                self.checked.add("envelope", place.as_str(), what);
            }
            match link(&head, chain, &envelope, space) {
                Ok(membership_seq) => head.membership_seq = membership_seq,
                Err(what) => self.checked.add("envelope", place, what),
            }
            head.envelope_seq = envelope.place().envelope_seq;
            head.hash = envelope.content_id();
        }
        self.missing(space, expected, push.first_space_seq.saturating_add(push.envelopes.max(0)));
        Ok(head)
    }

    fn missing(&mut self, space: &Space, from: i64, to: i64) {
        for space_seq in from..to {
            let place = format!("space {}, place {space_seq}", space.number);
            self.checked.add("envelope", place, "is not there");
        }
    }

    /// Each space's row says where its order ends.
    fn orders_end(&mut self) {
        for (id, space) in &self.spaces.by_id {
            let next = self.next_space_seq.get(id).copied().unwrap_or(1);
            if space.last_seq.saturating_add(1) != next {
                let place = format!("space {}", space.number);
                self.checked.add("space", place, "its last number is not that of its last envelope");
            }
        }
    }

    /// The kept heads and last statements are what the pushes amount to.
    fn chains(&mut self) -> Result<(), StoreError> {
        let c = self.c;
        let mut query = c.prepare(
            "SELECT space, device, incarnation, envelope_seq, last, membership_seq, statement FROM chain
             ORDER BY space, device, incarnation",
        )?;
        let mut rows = query.query([])?;
        let mut number = 0;
        let mut known = 0;
        while let Some(row) = rows.next()? {
            number += 1;
            let place = format!("chain {number}");
            let (space, device, incarnation): (Vec<u8>, Vec<u8>, Vec<u8>) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let name = (
                SpaceId::from_slice(&space),
                DeviceId::from_slice(&device),
                IncarnationId::from_slice(&incarnation),
            );
            let (Some(space), Some(device), Some(incarnation)) = name else {
                self.checked.add("chain", place, "an id has a wrong length");
                continue;
            };
            let Some(standing) = self.chains.get(&Chain { device, incarnation, space }) else {
                self.checked.add("chain", place, "no push belongs to it");
                continue;
            };
            known += 1;
            let (last, statement): (Vec<u8>, Vec<u8>) = (row.get(4)?, row.get(6)?);
            let (envelope_seq, membership_seq): (i64, i64) = (row.get(3)?, row.get(5)?);
            let ChainHead { envelope_seq: seq, hash, membership_seq: membership } = standing.head;
            if envelope_seq != int(seq) || last != hash.as_bytes() || membership_seq != int(membership) {
                self.checked.add("chain", place.as_str(), "its end is not that of its last envelope");
            }
            let kept = stored::<Signed<Statement>>(&statement, "statement").ok();
            if kept.as_ref() != Some(&standing.statement) {
                self.checked.add("chain", place, "its statement is not that of its last push");
            }
        }
        if known != self.chains.len() {
            self.checked.add("chain", "all", "a chain that was pushed to has no row");
        }
        Ok(())
    }

    /// What each chain's last statement acknowledges is here.
    fn acknowledgements(&mut self) -> Result<(), StoreError> {
        let mut number = 0;
        for (chain, standing) in &self.chains {
            number += 1;
            for received in &standing.statement.unverified().received {
                let other =
                    Chain { device: received.device, incarnation: received.incarnation, space: chain.space };
                let id = content_id(self.c, &other, int(received.envelope_seq))?;
                if id.as_deref() != Some(received.last.as_bytes().as_slice()) {
                    let what = "its statement acknowledges an envelope that is not there";
                    self.checked.add("chain", format!("statement {number}"), what);
                }
            }
        }
        Ok(())
    }

    /// Envelopes that no push brought.
    fn strays(&mut self) -> Result<(), StoreError> {
        let all: i64 = self.c.query_row("SELECT count(*) FROM envelope", [], |row| row.get(0))?;
        if u64::try_from(all) == Ok(self.checked.held.envelopes) {
            return Ok(());
        }
        let mut query = self.c.prepare(
            "SELECT e.space, e.space_seq FROM envelope e LEFT JOIN push p ON p.push = e.push
             WHERE p.push IS NULL OR e.space <> p.space OR e.space_seq < p.first_space_seq
                OR e.space_seq >= p.first_space_seq + p.envelopes
             ORDER BY e.space, e.space_seq",
        )?;
        let mut rows = query.query([])?;
        let mut named = 0;
        while let Some(row) = rows.next()?
            && named < MAX_STRAYS
        {
            named += 1;
            let (space, space_seq): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
            let space = SpaceId::from_slice(&space).and_then(|id| self.spaces.by_id.get(&id));
            let place = match space {
                Some(space) => format!("space {}, place {space_seq}", space.number),
                None => format!("unknown space, place {space_seq}"),
            };
            self.checked.add("envelope", place, "no push brought it");
        }
        Ok(())
    }

    /// Second versions of links: signed for, and really another version.
    fn evidence(&mut self) -> Result<(), StoreError> {
        let c = self.c;
        let mut query = c.prepare(
            "SELECT space, device, incarnation, envelope_seq, content_id, body, statement FROM equivocation
             ORDER BY space, device, incarnation, envelope_seq, content_id",
        )?;
        let mut rows = query.query([])?;
        let mut number = 0;
        while let Some(row) = rows.next()? {
            number += 1;
            let (body, statement, id): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(5)?, row.get(6)?, row.get(4)?);
            let envelope_seq: i64 = row.get(3)?;
            let signed = stored::<Signed<Statement>>(&statement, "statement").ok();
            let envelope = Envelope::parse(&body).ok();
            let holds = signed.zip(envelope).is_some_and(|(signed, envelope)| {
                let chain = signed.unverified().chain();
                let signers = self.accounts.signers(chain.device);
                signers.iter().any(|(_, key)| signed.verify(key).is_ok())
                    && envelope.content_id().as_bytes().as_slice() == id
                    && int(envelope.place().envelope_seq) == envelope_seq
                    && envelope.place().device == chain.device
            });
            if !holds {
                let what = "is not a second version that its device signed for";
                self.checked.add("equivocation", format!("row {number}"), what);
            }
        }
        Ok(())
    }
}

/// Takes the next link of a chain whose envelope was pruned: its number and hash are what is left of it. What they amount to must
/// be where the statement, and the snapshot that stands for it, end.
fn pruned(
    row: &Row<'_>,
    push: &PushRow,
    head: &mut ChainHead,
    ends: &[FoldedChain],
) -> Result<Option<&'static str>, StoreError> {
    let (number, device, incarnation): (i64, Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let (envelope_seq, content_id): (i64, Vec<u8>) = (row.get(4)?, row.get(5)?);
    let named = (DeviceId::from_slice(&device), IncarnationId::from_slice(&incarnation));
    let follows = u64::try_from(envelope_seq).is_ok_and(|seq| head.envelope_seq.checked_add(1) == Some(seq));
    let Some(hash) = Hash32::from_slice(&content_id) else {
        return Ok(Some("its content id has a wrong length"));
    };
    head.envelope_seq = u64::try_from(envelope_seq).unwrap_or(0);
    head.hash = hash;
    let end = ends.iter().find(|end| named == (Some(end.device), Some(end.incarnation)));
    if let Some(end) = end.filter(|end| end.head.envelope_seq == head.envelope_seq) {
        head.membership_seq = end.head.membership_seq;
    }
    Ok(if number != push.number || named != (push.device, push.incarnation) {
        Some("belongs to another push than its place says")
    } else if !follows {
        Some("is not the next link of its chain")
    } else {
        None
    })
}

/// Whether an envelope's columns say what its bytes say.
fn columns(row: &Row<'_>, push: &PushRow, envelope: &Envelope) -> Result<Option<&'static str>, StoreError> {
    let (number, device, incarnation): (i64, Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let (envelope_seq, content_id): (i64, Vec<u8>) = (row.get(4)?, row.get(5)?);
    let place = envelope.place();
    let fits = device == place.device.as_bytes()
        && incarnation == place.incarnation.as_bytes()
        && envelope_seq == int(place.envelope_seq);
    Ok(if Hash32::from_slice(&content_id) != Some(envelope.content_id()) {
        Some("its content id is not that of its bytes")
    } else if number != push.number {
        Some("belongs to another push than its place says")
    } else if !fits {
        Some("its bytes are of another place than its row says")
    } else {
        None
    })
}

/// Whether an envelope is the next of its chain; the number of the membership entry that it was written under.
fn link(head: &ChainHead, chain: &Chain, envelope: &Envelope, space: &Space) -> Result<u64, &'static str> {
    head.check_next(chain, envelope).map_err(|_| "is not the next link of its chain")?;
    // Without the space's log there is nothing to compare with; that is a finding of its own.
    let Some(log) = &space.log else { return Ok(head.membership_seq) };
    let place = envelope.place();
    let membership_seq = log
        .seq_of(place.membership_head)
        .filter(|seq| *seq >= head.membership_seq)
        .ok_or("its membership head is unknown or goes back")?;
    if place.epoch != log.epoch_at(membership_seq) || log.is_stale_at(membership_seq) {
        return Err("its epoch is not that of the membership entry that it names");
    }
    Ok(membership_seq)
}

/// The content id that is stored at a place of a chain.
pub(super) fn content_id(
    c: &Connection,
    chain: &Chain,
    envelope_seq: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let id = c
        .prepare_cached(
            "SELECT content_id FROM envelope
             WHERE space = ?1 AND device = ?2 AND incarnation = ?3 AND envelope_seq = ?4",
        )?
        .query_row(
            params![
                chain.space.as_bytes(),
                chain.device.as_bytes(),
                chain.incarnation.as_bytes(),
                envelope_seq
            ],
            |row| row.get(0),
        )
        .optional()?;
    Ok(id)
}
