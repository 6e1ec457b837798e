//! What others wrote and a restored server has lost, handed to it by whoever fetched it (ADR 0022).
//!
//! With every push that comes, the statement that its writer signed is kept. Once the server's history was read again, what is held
//! beyond it goes back as its writers signed it, each push behind everything that it acknowledges. What the server will not have is
//! offered again when it has something new: perhaps what was missing came from somebody else.

mod links;

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::{DeviceId, Envelope, Hash32, IncarnationId, SpaceId};
use mecum_sync::limits::MAX_PUSHES;
use mecum_sync::{
    Accepted, Chain, Handed, Item, Outcome, Push, Role, Statement, SyncRequest, SyncResponse, encode,
};
use mecum_vault::{Durability, Table};

use links::Links;

use crate::error::SessionError;
use crate::idle::Trouble;
use crate::notices::Waits;
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

/// How far the server has shown a space: the last `space_seq` and the entries of its log.
type Shown = (u64, u64);

/// What was tried to hand over in this session.
#[derive(Default)]
pub(crate) struct Handing {
    /// Spaces of which everything was offered, as far as the server had shown them then.
    tried: BTreeMap<SpaceId, Shown>,
    /// The same of a request that is not answered yet, and whether all of the space found room in it.
    asked: BTreeMap<SpaceId, (Shown, bool)>,
    /// Chains of which something was refused: they are offered after all others.
    refused: BTreeSet<Chain>,
    /// Spaces in which an epoch was begun for it.
    cut: BTreeSet<SpaceId>,
    /// Spaces of which the server will not have a lost entry of the log before somebody else has come.
    pub(crate) stuck: BTreeSet<SpaceId>,
}

/// A chain of a space.
type Name = (DeviceId, IncarnationId);

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

    /// Whether something may be handed over that was not offered since the server last showed something of its space.
    pub(crate) fn has_to_hand_over(&self) -> bool {
        self.spaces.keys().any(|space| self.may_hand_over(*space) && !self.is_offered(*space))
    }

    fn shown_of(&self, space: SpaceId) -> Shown {
        (self.follower.space_seq(space), self.follower.stored_space_entries(space))
    }

    fn is_offered(&self, space: SpaceId) -> bool {
        self.handing.tried.get(&space) == Some(&self.shown_of(space))
    }

    /// Notes what became of what was handed over. What found no room is offered with the next request, unless nothing was taken.
    pub(crate) fn note_handed(&mut self, request: &SyncRequest, response: &SyncResponse) {
        let outcomes = response.handed_outcomes();
        for (push, outcome) in request.handed().iter().zip(outcomes) {
            let chain = push.statement.unverified().chain();
            match outcome {
                Outcome::Stored => drop(self.handing.refused.remove(&chain)),
                Outcome::Refused(_) => drop(self.handing.refused.insert(chain)),
            }
        }
        let any = outcomes.contains(&Outcome::Stored);
        for (space, (shown, whole)) in std::mem::take(&mut self.handing.asked) {
            // Or was said to be there, and nothing of it was shown.
            if whole || !any || self.shown_of(space) == shown {
                self.handing.tried.insert(space, shown);
            }
        }
    }

    /// What cannot be read for it keeps nothing else from going out, and is said.
    pub(crate) fn note_unhanded<T>(&mut self, tried: &Result<T, SessionError>) {
        if tried.is_err() {
            self.note_waits(Waits::Storage(Trouble::Damaged), tried);
        }
    }

    fn may_hand_over(&self, space: SpaceId) -> bool {
        self.follower.role(space).is_some_and(Role::may_write)
            && self.is_owed_more(space)
            && !self.follower.aside().any(|aside| aside == space)
    }

    /// Whether a restored server has not shown everything again that is held of a space, as far as it takes it.
    pub(crate) fn is_owed_more(&self, space: SpaceId) -> bool {
        let further = self.follower.held_further(space);
        further.iter().any(|(chain, last, _)| {
            self.follower.chain_head(chain).envelope_seq < (*last).min(self.taken_up_to(chain))
        })
    }

    /// How far a chain is taken from somebody else than its writer: of who is out as far as a cut names it.
    fn taken_up_to(&self, chain: &Chain) -> u64 {
        let Some(account) = self.follower.account_of(chain.device) else { return 0 };
        let Some(log) = self.follower.space_log(chain.space) else { return 0 };
        let known = self.follower.log_of(account).and_then(|log| log.known(chain.device));
        let is_out = log.role(account).is_none() || known.is_none_or(|known| known.removed.is_some());
        // Of an own device that was removed and not cut yet a cut comes first.
        let is_judged = log.is_judged(account, (chain.device, chain.incarnation), log.entries());
        let own = account == self.identity.account && !is_judged;
        if is_out && !own { log.furthest_cut(account, (chain.device, chain.incarnation)) } else { u64::MAX }
    }

    /// Begins an epoch where a device of this account was removed and no cut says yet how far its words count: without one nobody
    /// takes them from anybody else.
    pub(crate) fn cut_to_hand_over(&mut self) -> Result<(), SessionError> {
        let account = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let removed: Vec<DeviceId> = account.removed().iter().map(|gone| gone.card.device).collect();
        let mut stage = Stage::default();
        let mut cut = BTreeSet::new();
        for space in self.spaces.keys().copied().filter(|space| self.may_hand_over(*space)) {
            let Some(log) = self.follower.space_log(space) else { continue };
            let is_judged = |chain: &Chain| {
                let name = (chain.device, chain.incarnation);
                log.is_judged(self.identity.account, name, log.entries())
            };
            let further = self.follower.held_further(space);
            let uncut =
                further.iter().any(|(chain, ..)| removed.contains(&chain.device) && !is_judged(chain));
            // Once: should the server refuse it, it will again.
            if uncut && !self.handing.cut.contains(&space) && self.check_writable(&stage, space).is_ok() {
                self.stage_epoch(&mut stage, space)?;
                cut.insert(space);
            }
        }
        self.handing.cut.append(&mut cut);
        if stage.follower.is_none() { Ok(()) } else { self.commit(stage, Durability::Full) }
    }

    /// Whether the next own link in a space is one that others may hold, and is of an epoch that is over, or gone: nothing is said there
    /// but by handing over.
    pub(crate) fn own_is_handed(&self, state: &SpaceState) -> Result<bool, SessionError> {
        let stored = self.follower.chain_head(&self.own_chain(state.space)).envelope_seq;
        let may_write = self.follower.role(state.space).is_some_and(Role::may_write);
        if self.follower.ever_shown(state.space) <= stored || !may_write {
            return Ok(false);
        }
        // Where it is a gap, a new life goes on ([`Session::leave_a_gap`]): what this one said would only stand in the way of the old links.
        let Some(bytes) = self.own_envelope_kept(state.space, stored + 1)? else { return Ok(true) };
        Ok(self
            .is_of_a_past_epoch(state.space, &Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?))
    }

    /// Whether an envelope is of an epoch that is over.
    fn is_of_a_past_epoch(&self, space: SpaceId, envelope: &Envelope) -> bool {
        let log = self.follower.space_log(space);
        log.is_some_and(|log| log.is_stale() || envelope.place().epoch != log.epoch())
    }

    /// What is handed over now, within `room` bytes. What cannot be read keeps nothing else from going out, and is said.
    pub(crate) fn handed_now(&mut self, room: &mut usize) -> Option<Handed> {
        self.handing.asked.clear();
        if !self.has_to_hand_over() {
            return None;
        }
        let mut spaces: Vec<SpaceId> = self.spaces.keys().copied().collect();
        spaces.retain(|space| self.may_hand_over(*space) && !self.is_offered(*space));
        let mut pushes = Vec::new();
        for last in [false, true] {
            for space in &spaces {
                let offered = self.hand_over_of(*space, room, &mut pushes, last);
                self.note_unhanded(&offered);
                self.handing.asked.insert(*space, (self.shown_of(*space), offered.unwrap_or(true)));
            }
            if !pushes.is_empty() {
                break;
            }
        }
        (!pushes.is_empty()).then_some(Handed { pushes })
    }

    /// What is handed over of a space, in an order in which each push acknowledges only what stands there by then; of chains of which
    /// something was refused only if `refused`. Whether all of it found room.
    fn hand_over_of(
        &self,
        space: SpaceId,
        room: &mut usize,
        pushes: &mut Vec<Push>,
        refused: bool,
    ) -> Result<bool, SessionError> {
        let lies = self.held_links(space)?;
        let mut heads: Heads = BTreeMap::new();
        for (chain, head) in self.follower.chains(space) {
            heads.insert((chain.device, chain.incarnation), (head.envelope_seq, head.hash));
        }
        let mut said = BTreeMap::new();
        let mut whole = true;
        for (chain, last, hash) in self.follower.held_further(space) {
            if self.handing.refused.contains(&chain) && !refused {
                whole = false;
                continue;
            }
            let statements = self.statements_of(&lies, &chain, (last, hash))?;
            said.insert((chain.device, chain.incarnation), statements.into_iter().peekable());
        }
        let mut goes_on = true;
        while std::mem::take(&mut goes_on) {
            for (name, statements) in &mut said {
                while let Some(statement) = statements.next_if(|next| is_satisfied(next.unverified(), &heads))
                {
                    if pushes.len() >= MAX_PUSHES {
                        return Ok(false);
                    }
                    let from = heads.get(name).map_or(0, |(seq, _)| *seq);
                    let (to, last) = (statement.unverified().envelope_seq, statement.unverified().last);
                    if to <= from {
                        continue;
                    }
                    let (device, incarnation) = *name;
                    if from >= self.taken_up_to(&Chain { device, incarnation, space }) {
                        statements.by_ref().for_each(drop);
                        break;
                    }
                    let envelopes = match self.links(&lies, *name, (from, to), room, pushes.is_empty())? {
                        Links::Here(envelopes) => envelopes,
                        // What was erased or folded away is not here; and what has no room now goes with the next request.
                        none => {
                            whole &= matches!(none, Links::Gone);
                            statements.by_ref().for_each(drop);
                            break;
                        }
                    };
                    pushes.push(Push { envelopes, statement });
                    heads.insert(*name, (to, last));
                    goes_on = true;
                }
            }
        }
        Ok(whole)
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
