//! The links that are held beyond what a server has shown, and the statements under which they are handed over.

use std::collections::BTreeMap;

use mecum_seal::{DocumentId, Envelope, Hash32, Place, SpaceId};
use mecum_sync::limits::MAX_ENVELOPES_PER_PUSH;
use mecum_sync::{Chain, Signed, Statement, decode};
use mecum_vault::Table;

use super::{Name, said_prefix};
use crate::error::SessionError;
use crate::session::Session;

/// The largest statement that is read back.
const MAX_STATEMENT_BYTES: usize = 1 << 20;

/// Bytes of own links that go in one push: one goes in any case.
const OWN_BYTES: usize = 4 << 20;

/// Where a held link lies.
pub(super) enum Lies {
    Log(DocumentId, u64),
    Row(Vec<u8>),
}

/// Some links of a chain.
pub(super) enum Links {
    Here(Vec<Vec<u8>>),
    /// One of them is not here.
    Gone,
    /// There is no room for them.
    NoRoom,
}

/// Where each held link of a space lies.
pub(super) type Held = BTreeMap<(Name, u64), Lies>;

impl Session {
    /// The statements under which the links of a chain up to `last` are handed over, in order.
    pub(super) fn statements_of(
        &self,
        lies: &Held,
        chain: &Chain,
        (last, hash): (u64, Option<Hash32>),
    ) -> Result<Vec<Signed<Statement>>, SessionError> {
        if chain.device == self.identity.device {
            return Ok(self.own_statement(lies, chain, (last, hash))?.into_iter().collect());
        }
        let stored = self.follower.chain_head(chain).envelope_seq;
        let mut all = Vec::new();
        for (_, bytes) in self.vault.list_prefix(Table::Setting, &said_prefix(chain))? {
            let signed: Signed<Statement> = decode(&bytes, MAX_STATEMENT_BYTES)
                .map_err(|_| SessionError::Stored { what: "statement" })?;
            if (stored + 1..=last).contains(&signed.unverified().envelope_seq) {
                all.push(signed);
            }
        }
        Ok(all)
    }

    /// One over the own links that others may hold: of this incarnation those of an epoch that is over, for the rest is said as ever;
    /// of an earlier one all, if they are what was shown.
    fn own_statement(
        &self,
        lies: &Held,
        chain: &Chain,
        (last, hash): (u64, Option<Hash32>),
    ) -> Result<Option<Signed<Statement>>, SessionError> {
        let now = *chain == self.own_chain(chain.space);
        let stored = self.follower.chain_head(chain).envelope_seq;
        let name = (chain.device, chain.incarnation);
        let mut end = None;
        let (mut room, most) = (OWN_BYTES, stored.saturating_add(MAX_ENVELOPES_PER_PUSH as u64));
        for seq in stored + 1..=last.min(most) {
            let Links::Here(bytes) = self.links(lies, name, (seq - 1, seq), &mut room, end.is_none())? else {
                break;
            };
            let Some(envelope) = bytes.first().and_then(|bytes| Envelope::parse(bytes).ok()) else { break };
            if now && !self.is_of_a_past_epoch(chain.space, &envelope) {
                break;
            }
            end = Some((seq, envelope.content_id()));
        }
        // What was sealed again in an earlier life is here only as it was written: that is not what went out.
        let end = end.filter(|(seq, id)| now || (Some(*id) == hash && *seq == last));
        let Some((envelope_seq, last)) = end else { return Ok(None) };
        let earlier = self.follower.last_statement(chain).map(|earlier| earlier.received.clone());
        let received = if now { self.follower.received(chain.space) } else { earlier.unwrap_or_default() };
        let Chain { device, incarnation, space } = *chain;
        let heads = Hash32::ZERO;
        let statement = Statement { space, device, incarnation, envelope_seq, last, heads, received };
        Ok(Some(Signed::sign(statement, &self.identity.signing)))
    }

    /// The links of a chain beyond `from` up to `to`.
    pub(super) fn links(
        &self,
        lies: &Held,
        name: Name,
        (from, to): (u64, u64),
        room: &mut usize,
        is_first: bool,
    ) -> Result<Links, SessionError> {
        let mut links = Vec::new();
        let mut bytes = 0;
        for seq in from + 1..=to {
            let link = match lies.get(&(name, seq)) {
                Some(Lies::Log(log, number)) => self.envelope(*log, *number)?,
                Some(Lies::Row(bytes)) => Some(bytes.clone()),
                None => None,
            };
            let Some(link) = link.filter(|_| links.len() < MAX_ENVELOPES_PER_PUSH) else {
                return Ok(Links::Gone);
            };
            bytes += link.len();
            links.push(link);
        }
        // One push goes in any case: else it never would.
        if bytes > *room && !is_first {
            return Ok(Links::NoRoom);
        }
        *room = room.saturating_sub(bytes);
        Ok(Links::Here(links))
    }

    /// Where the links of a space lie that are held beyond what the server has shown.
    pub(super) fn held_links(&self, space: SpaceId) -> Result<Held, SessionError> {
        let further = self.follower.held_further(space);
        let wanted: BTreeMap<Name, (u64, u64)> = further
            .iter()
            .map(|(chain, last, _)| {
                let stored = self.follower.chain_head(chain).envelope_seq;
                ((chain.device, chain.incarnation), (stored, *last))
            })
            .collect();
        let is_wanted = |place: &Place| {
            let range = wanted.get(&(place.device, place.incarnation)).filter(|_| place.space == space);
            range.is_some_and(|(stored, last)| (stored + 1..=*last).contains(&place.envelope_seq))
        };
        let key = |place: &Place| ((place.device, place.incarnation), place.envelope_seq);
        let mut lies = BTreeMap::new();
        for log in self.vault.documents() {
            for (number, place) in self.places(log)? {
                if is_wanted(&place) {
                    lies.insert(key(&place), Lies::Log(log, number));
                }
            }
        }
        let void = self.vault.list_prefix(Table::Sync, b"void")?;
        let aside = [self.vault.list(Table::Waiting)?, self.vault.list(Table::Quarantine)?, void];
        for (_, bytes) in aside.iter().flatten() {
            let Ok(envelope) = Envelope::parse(bytes) else { continue };
            if is_wanted(envelope.place()) {
                lies.entry(key(envelope.place())).or_insert_with(|| Lies::Row(bytes.to_vec()));
            }
        }
        // Own ones as they went out: some were sealed again.
        let own = (self.identity.device, self.identity.incarnation);
        let (stored, last) = wanted.get(&own).copied().unwrap_or_default();
        for seq in stored + 1..=last {
            match self.own_envelope_kept(space, seq)? {
                Some(bytes) => lies.insert((own, seq), Lies::Row(bytes)),
                None => lies.remove(&(own, seq)),
            };
        }
        Ok(lies)
    }
}
