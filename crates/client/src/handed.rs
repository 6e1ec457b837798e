//! What others wrote and a restored server has lost, handed to it by whoever fetched it (ADR 0022).
//!
//! With every push that comes, the statement that its writer signed is kept. Once the server's history was read again, what is held
//! beyond it goes back as its writers signed it, each push behind everything that it acknowledges. What the server will not have is
//! offered again when it has something new: perhaps what was missing came from somebody else.

use std::collections::BTreeMap;

use mecum_seal::{DeviceId, DocumentId, Envelope, Hash32, IncarnationId, SpaceId};
use mecum_sync::limits::{MAX_ENVELOPES_PER_PUSH, MAX_PUSHES};
use mecum_sync::{Accepted, Chain, Handed, Item, Push, Role, Signed, Statement, decode, encode};
use mecum_vault::{Durability, Table};

use crate::error::SessionError;
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

/// Before the names of kept statements.
const SAID: &[u8] = b"said";

/// Bytes of such a name: what it begins with, space, device, incarnation, the number of the last link.
const NAME_BYTES: usize = SAID.len() + 3 * 16 + 8;

/// Statements that are kept of one chain: a server is restored to a backup of some days ago, not of years.
const KEPT: usize = 512;

/// So many more may be there before the oldest are forgotten, all at once.
const AT_ONCE: usize = 128;

/// The largest statement that is read back.
const MAX_STATEMENT_BYTES: usize = 1 << 20;

/// A chain of a space.
type Name = (DeviceId, IncarnationId);

/// Where a held link lies.
enum Lies {
    Log(DocumentId, u64),
    Row(Vec<u8>),
}

/// Where each held link of a space lies.
type Held = BTreeMap<(Name, u64), Lies>;

/// How far chains are stored at the server: number and content id of the last link.
type Heads = BTreeMap<Name, (u64, Hash32)>;

fn said_prefix(chain: &Chain) -> Vec<u8> {
    [SAID, chain.space.as_bytes(), chain.device.as_bytes(), chain.incarnation.as_bytes()].concat()
}

fn said_name(statement: &Statement) -> Vec<u8> {
    [said_prefix(&statement.chain()).as_slice(), &statement.envelope_seq.to_be_bytes()].concat()
}

impl Session {
    /// Keeps what the writer of a push signed for it.
    pub(crate) fn keep_statement(
        &self,
        stage: &mut Stage,
        item: &Item,
        accepted: &Accepted,
    ) -> Result<(), SessionError> {
        let Item::Batch { push, .. } = item else { return Ok(()) };
        let statement = push.statement.unverified();
        if push.envelopes.is_empty() || statement.chain() == self.own_chain(statement.space) {
            return Ok(());
        }
        let name = said_name(statement);
        let keeps = match accepted {
            Accepted::Envelopes { .. } => true,
            // An older version kept none.
            Accepted::Known => self.vault.get(Table::Setting, &name)?.is_none(),
            _ => false,
        };
        if keeps {
            stage.puts.push((Table::Setting, name, encode(&push.statement)));
        }
        Ok(())
    }

    /// Forgets the oldest statements where there are many of one chain.
    pub(crate) fn forget_old_statements(&mut self) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        let mut names = self.vault.names(Table::Setting)?;
        names.retain(|name| name.starts_with(SAID) && name.len() == NAME_BYTES);
        // In the order of their names: those of a chain are beside each other, the oldest first.
        for of_chain in names.chunk_by(|a, b| a.get(..NAME_BYTES - 8) == b.get(..NAME_BYTES - 8)) {
            if let Some(old) = of_chain.len().checked_sub(KEPT).filter(|old| *old >= AT_ONCE) {
                stage.deletes.extend(of_chain.iter().take(old).map(|name| (Table::Setting, name.clone())));
            }
        }
        if stage.deletes.is_empty() { Ok(()) } else { self.commit(stage, Durability::Normal) }
    }

    /// Whether something may be handed over that was not offered since the server last showed something.
    pub(crate) fn has_to_hand_over(&self) -> bool {
        self.handed_at != Some(self.follower.cursor())
            && self.spaces.keys().any(|space| self.may_hand_over(*space))
    }

    fn may_hand_over(&self, space: SpaceId) -> bool {
        self.follower.role(space).is_some_and(Role::may_write)
            && !self.follower.held_further(space).is_empty()
    }

    /// Begins an epoch where a device of this account was removed and no cut says yet how far its words count: without one nobody
    /// takes them from anybody else.
    pub(crate) fn cut_to_hand_over(&mut self) -> Result<(), SessionError> {
        let account = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let removed: Vec<DeviceId> = account.removed().iter().map(|gone| gone.card.device).collect();
        let mut stage = Stage::default();
        for space in self.spaces.keys().copied().filter(|space| self.may_hand_over(*space)) {
            let Some(log) = self.follower.space_log(space) else { continue };
            let is_judged = |chain: &Chain| {
                let name = (chain.device, chain.incarnation);
                log.is_judged(self.identity.account, name, log.entries())
            };
            let further = self.follower.held_further(space);
            let uncut =
                further.iter().any(|(chain, ..)| removed.contains(&chain.device) && !is_judged(chain));
            if uncut && self.check_writable(&stage, space).is_ok() {
                self.stage_epoch(&mut stage, space)?;
            }
        }
        if stage.follower.is_none() { Ok(()) } else { self.commit(stage, Durability::Full) }
    }

    /// Whether the next own link in a space is one that others may hold, of an epoch that is over: it can only be handed over.
    pub(crate) fn own_is_handed(&self, state: &SpaceState) -> Result<bool, SessionError> {
        let stored = self.follower.chain_head(&self.own_chain(state.space)).envelope_seq;
        if self.follower.ever_shown(state.space) <= stored {
            return Ok(false);
        }
        let Some(bytes) = self.own_envelope_kept(state.space, stored + 1)? else { return Ok(false) };
        Ok(self.is_of_its_time(state.space, &Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?))
    }

    /// Whether an envelope is of an epoch that is over.
    fn is_of_its_time(&self, space: SpaceId, envelope: &Envelope) -> bool {
        let log = self.follower.space_log(space);
        log.is_some_and(|log| log.is_stale() || envelope.place().epoch != log.epoch())
    }

    /// What is handed over now, within `room` bytes.
    pub(crate) fn handed_now(&mut self, room: &mut usize) -> Result<Option<Handed>, SessionError> {
        if !self.has_to_hand_over() {
            return Ok(None);
        }
        self.handed_at = Some(self.follower.cursor());
        let spaces: Vec<SpaceId> = self.spaces.keys().copied().filter(|s| self.may_hand_over(*s)).collect();
        let mut pushes = Vec::new();
        for space in spaces {
            self.hand_over_of(space, room, &mut pushes)?;
        }
        Ok((!pushes.is_empty()).then_some(Handed { pushes }))
    }

    /// What is handed over of a space, in an order in which each push acknowledges only what stands there by then.
    fn hand_over_of(
        &self,
        space: SpaceId,
        room: &mut usize,
        pushes: &mut Vec<Push>,
    ) -> Result<(), SessionError> {
        let lies = self.held_links(space)?;
        let mut heads: Heads = BTreeMap::new();
        for (chain, head) in self.follower.chains(space) {
            heads.insert((chain.device, chain.incarnation), (head.envelope_seq, head.hash));
        }
        let mut said = BTreeMap::new();
        for (chain, last, hash) in self.follower.held_further(space) {
            let statements = self.statements_of(&lies, &chain, (last, hash))?;
            said.insert((chain.device, chain.incarnation), statements.into_iter().peekable());
        }
        let mut goes_on = true;
        while std::mem::take(&mut goes_on) {
            for (name, statements) in &mut said {
                while let Some(statement) = statements.next_if(|next| is_satisfied(next.unverified(), &heads))
                {
                    if pushes.len() >= MAX_PUSHES {
                        return Ok(());
                    }
                    let from = heads.get(name).map_or(0, |(seq, _)| *seq);
                    let (to, last) = (statement.unverified().envelope_seq, statement.unverified().last);
                    if to <= from {
                        continue;
                    }
                    let Some(envelopes) = self.links(&lies, *name, (from, to), room, pushes.is_empty())?
                    else {
                        // What was erased or folded away is not here; and what has no room now goes with the next request.
                        statements.by_ref().for_each(drop);
                        break;
                    };
                    pushes.push(Push { envelopes, statement });
                    heads.insert(*name, (to, last));
                    goes_on = true;
                }
            }
        }
        Ok(())
    }

    /// The statements under which the links of a chain up to `last` are handed over, in order.
    fn statements_of(
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
        let (mut room, most) = (usize::MAX, stored.saturating_add(MAX_ENVELOPES_PER_PUSH as u64));
        for seq in stored + 1..=last.min(most) {
            let Some(bytes) = self.links(lies, name, (seq - 1, seq), &mut room, false)? else { break };
            let Some(envelope) = bytes.first().and_then(|bytes| Envelope::parse(bytes).ok()) else { break };
            if now && !self.is_of_its_time(chain.space, &envelope) {
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

    /// The links of a chain beyond `from` up to `to`. `None` if one of them is not here, or there is no room.
    fn links(
        &self,
        lies: &Held,
        name: Name,
        (from, to): (u64, u64),
        room: &mut usize,
        is_first: bool,
    ) -> Result<Option<Vec<Vec<u8>>>, SessionError> {
        let mut links = Vec::new();
        let mut bytes = 0;
        for seq in from + 1..=to {
            let link = match lies.get(&(name, seq)) {
                Some(Lies::Log(log, number)) => self.envelope(*log, *number)?,
                Some(Lies::Row(bytes)) => Some(bytes.clone()),
                None => None,
            };
            let Some(link) = link.filter(|_| links.len() < MAX_ENVELOPES_PER_PUSH) else { return Ok(None) };
            bytes += link.len();
            links.push(link);
        }
        // One push goes in any case: else it never would.
        if bytes > *room && !is_first {
            return Ok(None);
        }
        *room = room.saturating_sub(bytes);
        Ok(Some(links))
    }

    /// Where the links of a space lie that are held beyond what the server has shown.
    fn held_links(&self, space: SpaceId) -> Result<Held, SessionError> {
        let further = self.follower.held_further(space);
        let wanted: BTreeMap<Name, (u64, u64)> = further
            .iter()
            .map(|(chain, last, _)| {
                let stored = self.follower.chain_head(chain).envelope_seq;
                ((chain.device, chain.incarnation), (stored, *last))
            })
            .collect();
        let is_wanted = |place: &mecum_seal::Place| {
            let range = wanted.get(&(place.device, place.incarnation)).filter(|_| place.space == space);
            range.is_some_and(|(stored, last)| (stored + 1..=*last).contains(&place.envelope_seq))
        };
        let key = |place: &mecum_seal::Place| ((place.device, place.incarnation), place.envelope_seq);
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

/// Whether everything that a statement acknowledges stands where these heads end, or before.
fn is_satisfied(statement: &Statement, heads: &Heads) -> bool {
    statement.received.iter().all(|received| {
        let head = heads.get(&(received.device, received.incarnation));
        head.is_some_and(|(seq, last)| {
            received.envelope_seq < *seq || (received.envelope_seq, received.last) == (*seq, *last)
        })
    })
}
