//! A cut that a person chooses: of somebody, or of a lost phone, nothing counts that came after a moment.
//!
//! What the writer's own clock says is worth nothing here: whoever holds a stolen phone can put it back. It goes by when this
//! device took each envelope in, which it notes as it does. A device that came later does not know, and says so.

#[cfg(test)]
mod frozen;

use mecum_seal::{AccountId, DeviceId, Envelope, Hash32, IncarnationId, SpaceId};
use mecum_sync::{Chain, ChainHead, Cut, Follower, SyncResponse};
use mecum_vault::{Durability, Table};
use minicbor::{Decode, Encode};

use super::cutting::is_cut_as_far;
use crate::error::{SessionError, refused};
use crate::session::Session;
use crate::stage::Stage;

/// What came of one chain within so many ms is noted as one: then a cut may leave out so much more than was asked, never less.
const MARK_MS: i64 = 10 * 60 * 1_000;

/// What the names of such notes begin with.
const CAME: &[u8] = b"came";

/// What came of a chain within a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Came {
    /// The first link of it; 0 if it came folded in a snapshot, or before this device had read the space to its end.
    #[n(0)]
    first: u64,
    /// The last.
    #[n(1)]
    last: u64,
    /// The last one's hash.
    #[n(2)]
    hash: Hash32,
    /// When the last of it came, ms since the epoch.
    #[n(3)]
    at_ms: i64,
}

fn came_prefix(chain: &Chain) -> Vec<u8> {
    let Chain { space, device, incarnation } = chain;
    [CAME, space.as_bytes(), device.as_bytes(), incarnation.as_bytes()].concat()
}

impl Session {
    /// Notes when envelopes of a chain came.
    pub(crate) fn note_came<'e>(
        &self,
        stage: &mut Stage,
        chain: &Chain,
        envelopes: impl Iterator<Item = &'e Envelope>,
    ) -> Result<(), SessionError> {
        let mut links = envelopes.map(|envelope| (envelope.place().envelope_seq, envelope.content_id()));
        let Some((first, id)) = links.next() else { return Ok(()) };
        let (last, hash) = links.last().unwrap_or((first, id));
        // While a space is read for the first time, what comes was there before.
        let whole = self.vault.get(Table::Sync, &whole_name(chain.space))?.is_some();
        self.stage_came(stage, chain, (if whole { first } else { 0 }, last), hash)
    }

    /// Notes the spaces that were read to their end: what comes from here on is new.
    pub(crate) fn note_whole(
        &self,
        stage: &mut Stage,
        follower: &Follower,
        response: &SyncResponse,
    ) -> Result<(), SessionError> {
        if response.more || response.items.is_empty() {
            return Ok(());
        }
        for space in follower.spaces() {
            let name = whole_name(space);
            if self.vault.get(Table::Sync, &name)?.is_none() {
                stage.puts.push((Table::Sync, name, vec![1]));
            }
        }
        Ok(())
    }

    /// Notes when a chain came folded in a snapshot.
    pub(crate) fn note_came_folded(
        &self,
        stage: &mut Stage,
        chain: &Chain,
        head: ChainHead,
    ) -> Result<(), SessionError> {
        self.stage_came(stage, chain, (0, head.envelope_seq), head.hash)
    }

    fn stage_came(
        &self,
        stage: &mut Stage,
        chain: &Chain,
        (first, last): (u64, u64),
        hash: Hash32,
    ) -> Result<(), SessionError> {
        let at_ms = self.now_ms();
        let name = [came_prefix(chain).as_slice(), &at_ms.div_euclid(MARK_MS).to_be_bytes()].concat();
        let staged = stage.puts.iter().rev().find(|(table, put, _)| *table == Table::Sync && *put == name);
        let before = match staged {
            Some((_, _, body)) => Some(read_came(body)?),
            None => self.vault.get(Table::Sync, &name)?.map(|body| read_came(&body)).transpose()?,
        };
        // Read again from the start, what came before came when it first did.
        if before.is_some_and(|before| before.last >= last) || self.is_noted(chain, last)? {
            return Ok(());
        }
        let came = Came { first: before.map_or(first, |before| before.first), last, hash, at_ms };
        stage.puts.push((Table::Sync, name, minicbor::to_vec(came).expect("plain fields encode")));
        Ok(())
    }

    fn is_noted(&self, chain: &Chain, last: u64) -> Result<bool, SessionError> {
        Ok(self.came(chain)?.last().is_some_and(|came| came.last >= last))
    }

    /// When what of a chain came, oldest first.
    fn came(&self, chain: &Chain) -> Result<Vec<Came>, SessionError> {
        let kept = self.vault.list_prefix(Table::Sync, &came_prefix(chain))?;
        let all: Result<Vec<Came>, _> = kept.iter().map(|(_, body)| read_came(body)).collect();
        let mut all = all?;
        all.sort_by_key(|came| came.last);
        Ok(all)
    }

    /// The cuts of the chains that `of` names, so that nothing counts that came here after a moment.
    ///
    /// # Errors
    /// This device was not there by then: it cannot tell.
    pub(crate) fn cuts_before(
        &self,
        follower: &Follower,
        space: SpaceId,
        at_ms: i64,
        of: impl Fn(DeviceId) -> bool,
    ) -> Result<Vec<Cut>, SessionError> {
        let mut cuts = Vec::new();
        for (chain, head) in follower.furthest(space) {
            if !of(chain.device) || head.envelope_seq == 0 {
                continue;
            }
            cuts.push(self.cut_before(&chain, at_ms)?);
        }
        Ok(cuts)
    }

    /// The same of one chain.
    ///
    /// # Errors
    /// As [`Session::cuts_before`]; a vault that cannot be read is another error.
    pub(super) fn cut_before(&self, chain: &Chain, at_ms: i64) -> Result<Cut, SessionError> {
        let (device, incarnation): (DeviceId, IncarnationId) = (chain.device, chain.incarnation);
        let all = self.came(chain)?;
        let in_time = all.iter().take_while(|came| came.at_ms < at_ms).last();
        if let Some(came) = in_time {
            return Ok(Cut { device, incarnation, envelope_seq: came.last, hash: came.hash });
        }
        // Nothing of it had come by then; known for sure only where its first link came after.
        if all.first().is_some_and(|came| came.first == 1) {
            return Ok(Cut { device, incarnation, envelope_seq: 0, hash: Hash32::ZERO });
        }
        Err(refused("error-cut-unknown"))
    }

    /// The same for the chains of an account.
    pub(crate) fn cuts_of_account_before(
        &self,
        follower: &Follower,
        space: SpaceId,
        account: AccountId,
        at_ms: i64,
    ) -> Result<Vec<Cut>, SessionError> {
        self.cuts_before(follower, space, at_ms, |device| follower.account_of(device) == Some(account))
    }

    /// Removes a device's words that came after a moment, in every section that it wrote in: a new epoch in each says so.
    pub(crate) fn stage_cut_of_device(
        &self,
        stage: &mut Stage,
        device: DeviceId,
        at_ms: i64,
    ) -> Result<(), SessionError> {
        stage.puts.push((Table::Setting, cut_name(device), at_ms.to_be_bytes().to_vec()));
        let spaces: Vec<SpaceId> = self.spaces.keys().copied().collect();
        for space in spaces {
            let follower = stage.follower.as_ref().unwrap_or(&self.follower);
            let wrote = |(chain, head): &(Chain, ChainHead)| chain.device == device && head.envelope_seq > 0;
            let wrote = follower.furthest(space).iter().any(wrote);
            if wrote && self.check_writable(stage, space).is_ok() {
                self.stage_epoch(stage, space)?;
            }
        }
        Ok(())
    }

    /// Makes a cut that was chosen for a device also where its words came later, or where another device of the account began the
    /// epoch and did not know of the moment.
    pub(crate) fn make_owed_cuts(&mut self) -> Result<(), SessionError> {
        let account = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let removed: Vec<DeviceId> = account.removed().iter().map(|gone| gone.card.device).collect();
        // What stands for a moment in one space stands there only where one was chosen.
        let mut of_a_moment = Vec::new();
        for device in removed {
            if self.vault.get(Table::Setting, &cut_name(device))?.is_some() {
                of_a_moment.push(device);
            }
        }
        if of_a_moment.is_empty() {
            return Ok(());
        }
        let mut stage = Stage::default();
        for space in self.spaces.keys().copied() {
            let Some(log) = self.follower.space_log(space) else { continue };
            let mut owed = false;
            for (chain, head) in self.follower.furthest(space) {
                if head.envelope_seq == 0 || !of_a_moment.contains(&chain.device) {
                    continue;
                }
                let Some(at_ms) = self.chosen_cut(&stage, space, chain.device)? else { continue };
                let cut = known(self.cut_before(&chain, at_ms))?;
                owed |= cut.is_some_and(|cut| !is_cut_as_far(log, self.identity.account, &[cut]));
            }
            if owed && self.check_writable(&stage, space).is_ok() {
                self.stage_epoch(&mut stage, space)?;
            }
        }
        if stage.follower.is_none() {
            return Ok(());
        }
        stage.topics.push(mecum_api::Topic::Charts);
        self.commit(stage, Durability::Full)
    }

    /// Whether cutting a device at a moment is possible here, in every section that it wrote in.
    pub(crate) fn check_cut_of_device(&self, device: DeviceId, at_ms: i64) -> Result<(), SessionError> {
        for space in self.spaces.keys() {
            self.cuts_before(&self.follower, *space, at_ms, |of| of == device)?;
        }
        Ok(())
    }

    /// The moment after which nothing of a removed device counts in a space, if one was chosen here.
    pub(super) fn chosen_cut(
        &self,
        stage: &Stage,
        space: SpaceId,
        device: DeviceId,
    ) -> Result<Option<i64>, SessionError> {
        let kept = |name: &[u8]| -> Result<Option<i64>, SessionError> {
            let mut staged = stage.puts.iter().rev();
            let body = match staged.find(|(table, put, _)| *table == Table::Setting && put == name) {
                Some((_, _, body)) => body.clone(),
                None => match self.vault.get(Table::Setting, name)? {
                    Some(body) => body.to_vec(),
                    None => return Ok(None),
                },
            };
            let at_ms = body.try_into().map_err(|_| SessionError::Stored { what: "chosen moment" })?;
            Ok(Some(i64::from_be_bytes(at_ms)))
        };
        // Where the server refused the moment, a later one stands for it.
        let here = match kept(&cut_name_in(device, space))? {
            Some(here) => Some(here),
            None => kept(&cut_name(device))?,
        };
        Ok(here.filter(|at_ms| *at_ms != NONE_CHOSEN))
    }
}

/// A cut, or none where nobody noted when the chain came. That the vault cannot be read is something else.
pub(super) fn known<T>(cut: Result<T, SessionError>) -> Result<Option<T>, SessionError> {
    match cut {
        Ok(cut) => Ok(Some(cut)),
        Err(SessionError::Call(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_came(body: &[u8]) -> Result<Came, SessionError> {
    minicbor::decode(body).map_err(|_| SessionError::Stored { what: "note of when something came" })
}

fn whole_name(space: SpaceId) -> Vec<u8> {
    [b"whole".as_slice(), space.as_bytes()].concat()
}

/// The moment that stands for none.
pub(super) const NONE_CHOSEN: i64 = i64::MAX;

/// The setting that holds the moment which counts in one space in place of the chosen one.
pub(super) fn cut_name_in(device: DeviceId, space: SpaceId) -> Vec<u8> {
    [cut_name(device).as_slice(), space.as_bytes()].concat()
}

/// The setting that holds the moment chosen for a removed device.
pub(crate) fn cut_name(device: DeviceId) -> Vec<u8> {
    [b"cut-".as_slice(), device.as_bytes()].concat()
}
