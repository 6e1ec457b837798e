//! One exchange with the relay: what this device has to say, and what it takes from the answer.

use std::collections::BTreeMap;

use mecum_api::Topic;
use mecum_domain::{ChartId, Section};
use mecum_seal::{DocumentId, Envelope, Hash32, SpaceId, derive_key, open_row};
use mecum_sync::limits::{MAX_ENVELOPES_PER_PUSH, MAX_PUSHES, MAX_SPACE_ENTRIES};
use mecum_sync::{
    Accepted, FollowError, Follower, Item, Outcome, Push, RefusalCode, Signed, SpaceBody, SpaceEntry,
    Statement, SyncRequest, SyncResponse, decode,
};
use mecum_vault::{Durability, Table};

use crate::arrivals::Arrival;
use crate::error::SessionError;
use crate::plaintext::SpaceLabel;
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::{Stage, place_of, push_name};

/// Bytes of envelopes in one request: small enough to go again after a cut, large enough for one round of an import.
const REQUEST_BYTES: usize = 4 << 20;

/// Bytes of items wanted in one answer.
const ANSWER_BYTES: u64 = 4 << 20;

/// The relay's answer cannot be taken: nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The relay shows another history, or one that cannot be checked.
    #[error("the relay's history cannot be followed: {0}")]
    Follow(#[from] FollowError),
    /// The relay refuses what this device has to say.
    #[error("the relay refuses: {0:?}")]
    Refused(RefusalCode),
    /// The relay has more of this device's chain than the vault: the vault is an older copy.
    #[error("the vault is an older copy")]
    RolledBack,
    /// The vault could not be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// What an exchange brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// Envelopes of other devices.
    pub envelopes: usize,
    /// There is more to fetch or to send.
    pub more: bool,
}

impl Session {
    /// What this device has to say now.
    pub fn request(&mut self) -> Result<SyncRequest, SessionError> {
        let mut request = SyncRequest::pull(self.follower.cursor(), ANSWER_BYTES);
        request.from_snapshots = self.begins_from_snapshots()?;
        let log = self.follower.account_log();
        let stored = self.follower.stored_account_entries();
        for seq in stored + 1..=log.map_or(0, mecum_sync::AccountLog::entries) {
            // The genesis is stored by enrolment itself; saying it again is harmless.
            request.account_entries.push(self.own_account_entry(seq)?);
        }
        let mut room = REQUEST_BYTES;
        for state in self.spaces.values() {
            let stored = self.follower.is_stored_space(state.space);
            if let Some(genesis) = state.unsent_genesis.as_ref().filter(|_| !stored) {
                if request.space_entries.len() >= MAX_SPACE_ENTRIES {
                    continue;
                }
                request.space_entries.push(decode_genesis(genesis)?);
            }
            if room == 0 || request.pushes.len() >= MAX_PUSHES {
                continue;
            }
            if let Some(push) = self.push_of(state, &mut room)? {
                request.pushes.push(push);
            }
        }
        let says_else = !request.account_entries.is_empty()
            || !request.space_entries.is_empty()
            || !request.pushes.is_empty();
        if !says_else && !request.from_snapshots {
            request.snapshots = self.make_snapshots()?;
        }
        Ok(request)
    }

    fn push_of(&self, state: &SpaceState, room: &mut usize) -> Result<Option<Push>, SessionError> {
        let head = self.follower.chain_head(&self.own_chain(state.space));
        let mut envelopes = Vec::new();
        let (mut seq, mut last) = (head.envelope_seq, head.hash);
        while seq < state.own_seq && envelopes.len() < MAX_ENVELOPES_PER_PUSH {
            let bytes = self.own_envelope(state.space, seq + 1)?;
            if bytes.len() > *room && !envelopes.is_empty() {
                break;
            }
            *room = room.saturating_sub(bytes.len());
            last = Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?.content_id();
            envelopes.push(bytes);
            seq += 1;
        }
        if envelopes.is_empty() && !self.follower.owes_acknowledgement(state.space) {
            return Ok(None);
        }
        let statement = Statement {
            space: state.space,
            device: self.identity.device,
            incarnation: self.identity.incarnation,
            envelope_seq: seq,
            last,
            // Of a part of the chain there is no record: nobody folds a space at such a place.
            heads: if seq == state.own_seq { self.own_heads(state)? } else { Hash32::ZERO },
            received: self.follower.received(state.space),
        };
        Ok(Some(Push { envelopes, statement: Signed::sign(statement, &self.identity.signing) }))
    }

    fn own_envelope(&self, space: SpaceId, seq: u64) -> Result<Vec<u8>, SessionError> {
        let missing = || SessionError::Stored { what: "outbox" };
        let place = self.vault.get(Table::Sync, &push_name(space, seq))?.ok_or_else(missing)?;
        let (log, number) = place_of(&place).ok_or_else(missing)?;
        self.vault.envelope(log, number)?.ok_or_else(missing)
    }

    /// Takes an answer in one durable step. On an error nothing is changed.
    pub fn accept(
        &mut self,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<Exchanged, ExchangeError> {
        let mut follower = self.follower.clone();
        follower.check_response(request, response)?;
        let mut stage = Stage::default();
        let mut arrivals: Vec<Arrival> = Vec::new();
        let mut began = false;
        let gave_way = self.give_way(&mut follower, &response.items)?;
        // Where another device was faster, the answer shows its entry, or will: then a stale one is no refusal.
        let rebasing = response.more || !gave_way.is_empty();
        for item in &response.items {
            match follower.accept(item) {
                Ok(Accepted::Snapshot { body, parts }) => {
                    if let Err(refused) = self.stage_snapshot(&mut stage, &follower, &body, &parts)? {
                        return Ok(self.go_without_snapshots(&refused.to_string())?);
                    }
                    began = true;
                }
                Ok(accepted) => self.take(&mut stage, &follower, accepted, &mut arrivals)?,
                Err(refused) if matches!(item, Item::Snapshot { .. }) => {
                    return Ok(self.go_without_snapshots(&refused.to_string())?);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.sign_again(&mut stage, &mut follower, gave_way);
        follower.advance(response.cursor);
        let envelopes = arrivals.len();
        self.note_snapshots(&mut stage, request, response)?;
        let changed = !response.items.is_empty()
            || response.receipts.is_some()
            || !stage.spaces.is_empty()
            || !stage.deletes.is_empty();
        stage.follower = Some(follower);
        self.stage_arrivals(&mut stage, arrivals)?;
        if changed {
            let now = self.now_ms().to_be_bytes().to_vec();
            stage.puts.push((Table::Setting, b"last-exchange".to_vec(), now));
            // The next statement signs for these envelopes: before it does, they must outlast losing power.
            let durability = if envelopes > 0 || began { Durability::Full } else { Durability::Normal };
            self.commit(stage, durability)?;
        }
        if let Some(code) = first_refusal(response, rebasing) {
            return Err(ExchangeError::Refused(code));
        }
        let more = response.more || self.has_something_to_say();
        Ok(Exchanged { envelopes, more })
    }

    fn take(
        &mut self,
        stage: &mut Stage,
        follower: &Follower,
        accepted: Accepted,
        arrivals: &mut Vec<Arrival>,
    ) -> Result<(), ExchangeError> {
        match accepted {
            Accepted::Known | Accepted::Snapshot { .. } => {}
            Accepted::SnapshotStored { space, space_seq } => self.note_snapshot(stage, space, space_seq)?,
            Accepted::Account => stage.topics.push(Topic::Devices),
            Accepted::Space { space, own: true, .. } => {
                let mut state = self.staged_space(stage, space)?;
                state.unsent_genesis = None;
                stage.spaces.insert(space, state);
            }
            Accepted::Space { space, own: false, entry } => {
                let head = follower.space_log(space).map_or(Hash32::ZERO, mecum_sync::SpaceLog::head);
                match self.space_of(&entry, head) {
                    Some(state) => {
                        stage.topics.push(Topic::Charts);
                        stage.spaces.insert(space, state);
                    }
                    None => quarantine(stage, "space", space.as_bytes(), &[]),
                }
            }
            Accepted::Envelopes { chain, envelopes, .. } => {
                let now = self.now_ms().to_be_bytes().to_vec();
                stage.puts.push((Table::Setting, format!("heard-{}", chain.device).into_bytes(), now));
                arrivals.extend(envelopes.into_iter().map(|(envelope, bytes)| Arrival { envelope, bytes }));
            }
            Accepted::Acknowledged { by, .. } => {
                let now = self.now_ms().to_be_bytes().to_vec();
                stage.puts.push((Table::Setting, format!("heard-{by}").into_bytes(), now));
            }
            Accepted::Own { chain, head } => {
                let known = self.staged_space(stage, chain.space)?;
                let other = head.envelope_seq == known.own_seq && head.hash != known.own_last;
                if head.envelope_seq > known.own_seq || other {
                    return Err(ExchangeError::RolledBack);
                }
                let before = self.follower.chain_head(&chain).envelope_seq;
                for seq in before + 1..=head.envelope_seq {
                    stage.deletes.push((Table::Sync, push_name(chain.space, seq)));
                }
            }
        }
        Ok(())
    }

    /// A space that another device of the account founded.
    fn space_of(&self, entry: &SpaceEntry, membership: Hash32) -> Option<SpaceState> {
        let SpaceBody::Genesis { epoch, wraps, sealed_label, .. } = &entry.body;
        let key = self.unwrap_epoch(entry.space, *epoch, wraps)?;
        let label =
            open_row(&derive_key(&key, "mecum space label v1"), entry.space.as_bytes(), sealed_label).ok()?;
        let label: SpaceLabel = minicbor::decode(&label).ok()?;
        Some(SpaceState {
            space: entry.space,
            chart: ChartId::from_bytes(label.chart),
            section: Section::from_code(label.section)?,
            key,
            epoch: *epoch,
            membership,
            unsent_genesis: None,
            own_seq: 0,
            own_last: Hash32::ZERO,
            own_membership: membership,
            snapshot_seq: 0,
        })
    }

    /// How many things were put aside.
    pub fn quarantined(&self) -> u32 {
        let aside = self.vault.names(Table::Quarantine).map_or(0, |names| names.len());
        u32::try_from(aside).unwrap_or(u32::MAX)
    }

    /// When an exchange last brought or took something, ms since the epoch; 0 never.
    pub(crate) fn last_exchange_ms(&self) -> i64 {
        let stored = self.setting("last-exchange").ok().flatten();
        stored.and_then(|body| Some(i64::from_be_bytes(body.try_into().ok()?))).unwrap_or(0)
    }

    /// Whether anything waits to be sent.
    pub fn has_something_to_say(&self) -> bool {
        let log = self.follower.account_log().map_or(0, mecum_sync::AccountLog::entries);
        log > self.follower.stored_account_entries()
            || self.spaces.values().any(|state| {
                self.follower.chain_head(&self.own_chain(state.space)).envelope_seq < state.own_seq
                    || !self.follower.is_stored_space(state.space)
                    || self.follower.owes_acknowledgement(state.space)
            })
            || self.has_snapshot_to_make()
    }
}

/// Puts something aside that could not be checked or read: it is kept, counted and said, and stops nothing else.
pub(crate) fn quarantine(stage: &mut Stage, reason: &str, id: &[u8], bytes: &[u8]) {
    let name = [reason.as_bytes(), b"/", id].concat();
    stage.puts.push((Table::Quarantine, name, bytes.to_vec()));
    stage.topics.push(Topic::Sync);
}

fn decode_genesis(bytes: &[u8]) -> Result<Signed<SpaceEntry>, SessionError> {
    decode(bytes, bytes.len()).map_err(|_| SessionError::Stored { what: "space genesis" })
}

fn first_refusal(response: &SyncResponse, rebasing: bool) -> Option<RefusalCode> {
    let code = |outcome: &Outcome| outcome.refusal().map(|refusal| refusal.code);
    let account = response.account_outcomes.iter().filter_map(code);
    let others = response.space_outcomes.iter().chain(&response.push_outcomes).filter_map(code);
    account.filter(|code| !(rebasing && *code == RefusalCode::StaleHead)).chain(others).next()
}

/// Groups arrivals by document, in order.
pub(crate) fn by_document(arrivals: Vec<Arrival>) -> BTreeMap<DocumentId, Vec<Arrival>> {
    let mut groups: BTreeMap<DocumentId, Vec<Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        groups.entry(arrival.envelope.place().document).or_default().push(arrival);
    }
    groups
}
