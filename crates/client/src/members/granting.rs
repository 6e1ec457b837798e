//! Letting somebody in: one grant for each space of the sections that they were offered.

use mecum_domain::{ChartId, Section};
use mecum_seal::{AccountId, Hash32, KemPublic, SpaceId, wrap_key};
use mecum_sync::limits::MAX_WRAP_BYTES;
use mecum_sync::{Role, Signed, SpaceBody, SpaceEntry, Wrap, decode, encode};
use mecum_vault::{Durability, Table};

use super::terms::Terms;
use crate::error::{SessionError, refused};
use crate::founding::{EPOCH_PURPOSE, epoch_aad};
use crate::restored::space_entry_name;
use crate::session::Session;
use crate::stage::Stage;

/// What somebody is offered.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) chart: ChartId,
    pub(crate) sections: Vec<Section>,
    pub(crate) role: Role,
    pub(crate) until: Option<String>,
    pub(crate) reason: Option<String>,
}

/// Who answered: the account, what pins it, and what wraps a key to it.
#[derive(Clone, Debug)]
pub(crate) struct Invited {
    pub(crate) account: AccountId,
    pub(crate) genesis: Hash32,
    pub(crate) kem: KemPublic,
    pub(crate) name: String,
}

/// The name under which the vault keeps what wraps a key to somebody who was let in.
fn invited_name(account: AccountId) -> Vec<u8> {
    [b"invited".as_slice(), account.as_bytes()].concat()
}

const LOG: SessionError = SessionError::Stored { what: "space log" };

impl Session {
    /// The spaces of the sections that are offered; a section without one gets one, so that it can be named.
    pub(crate) fn offered_spaces(
        &mut self,
        offered: &Offered,
    ) -> Result<Vec<(SpaceId, Section)>, SessionError> {
        if self.spaces_of(offered.chart).next().is_none() {
            return Err(SessionError::not_found());
        }
        let mut stage = Stage::default();
        for section in &offered.sections {
            self.stage_space(&mut stage, offered.chart, *section)?;
        }
        if !stage.spaces.is_empty() {
            self.commit(stage, Durability::Full)?;
        }
        let mut spaces = Vec::new();
        for state in self.spaces_of(offered.chart).filter(|state| offered.sections.contains(&state.section)) {
            if self.follower.role(state.space) != Some(Role::Manager) {
                return Err(refused("error-not-your-record"));
            }
            spaces.push((state.space, state.section));
        }
        Ok(spaces)
    }

    /// Who owns the spaces of a chart, and the hash of the first entry of their account's log: what whoever is invited is to expect,
    /// also where a manager invites who is not the owner.
    pub(crate) fn owner_of(&self, chart: ChartId) -> Result<(AccountId, Hash32), SessionError> {
        let Some(shared) = self.shared_chart(chart) else {
            let log = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
            return Ok((log.account(), log.genesis()));
        };
        let expected = self.follower.expected().find(|(_, expected)| expected.owner == shared.owner);
        expected.map(|(_, expected)| (expected.owner, expected.genesis)).ok_or_else(SessionError::not_found)
    }

    /// Lets somebody in, durably here. In force once the server has countersigned it.
    pub(crate) fn grant(&mut self, offered: &Offered, invited: &Invited) -> Result<(), SessionError> {
        let by = self.author_name();
        let terms =
            Terms::new(offered.role, offered.until.clone(), offered.reason.clone(), &invited.name, &by);
        let mut stage = Stage::default();
        for (space, _) in self.offered_spaces(offered)? {
            let log = self.follower.space_log(space).ok_or(LOG)?;
            if log.role(invited.account).is_some_and(|role| role >= offered.role) {
                continue;
            }
            self.stage_grant(&mut stage, space, offered.role, invited, &terms)?;
        }
        stage.puts.push((Table::Setting, b"share-snapshots".to_vec(), vec![1]));
        stage.topics.push(mecum_api::Topic::Charts);
        self.commit(stage, Durability::Full)
    }

    /// What wraps a key to an account: by its own log, or as it answered an invitation.
    pub(super) fn kem_of_invited(&self, stage: &Stage, account: AccountId) -> Option<KemPublic> {
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        let by_log = follower.log_of(account).map(|log| log.account_kem().clone());
        by_log.or_else(|| {
            let name = invited_name(account);
            let staged = stage.puts.iter().find(|(table, put, _)| *table == Table::Account && *put == name);
            let body = match staged {
                Some((_, _, body)) => body.clone(),
                None => self.vault.get(Table::Account, &name).ok().flatten()?.to_vec(),
            };
            decode(&body, MAX_WRAP_BYTES * 2).ok()
        })
    }

    pub(super) fn stage_grant(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        role: Role,
        invited: &Invited,
        terms: &Terms,
    ) -> Result<(), SessionError> {
        let state = self.staged_space(stage, space)?;
        let wraps = vec![Wrap {
            account: invited.account,
            bytes: wrap_key(
                &invited.kem,
                EPOCH_PURPOSE,
                &epoch_aad(space, state.epoch),
                state.key.expose(),
                self.entropy(),
            )
            .map_err(|_| refused("error-invitation-code"))?,
        }];
        let body = SpaceBody::Grant {
            member: invited.account,
            genesis: invited.genesis,
            role,
            wraps,
            sealed_terms: terms.seal(&state.key, space, invited.account, self.entropy()),
        };
        self.stage_space_entry(stage, space, body)?;
        // Their log comes once the server has the grant; should another entry be faster, it is signed again by this.
        let kem = encode(&invited.kem);
        stage.puts.push((Table::Account, invited_name(invited.account), kem));
        self.stage_member(stage, space, invited.account, terms.clone());
        Ok(())
    }

    /// Signs an entry at the end of a space's log as it is staged, and keeps it until the server has it. Answers its number.
    pub(crate) fn stage_space_entry(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        body: SpaceBody,
    ) -> Result<u64, SessionError> {
        let follower = stage.follower.get_or_insert_with(|| self.follower.clone());
        let log = follower.space_log(space).ok_or(LOG)?;
        let entry = SpaceEntry {
            space,
            seq: log.entries() + 1,
            previous: log.head(),
            account: self.identity.account,
            device: self.identity.device,
            body,
        };
        let signed = Signed::sign(entry, &self.identity.signing);
        follower
            .add_own_space_entry(&signed)
            .map_err(|_| SessionError::NotAllowed { what: "space entry" })?;
        let seq = signed.unverified().seq;
        let name = space_entry_name(space, seq);
        stage.puts.push((Table::Sync, name, encode(&signed)));
        let mut state = self.staged_space(stage, space)?;
        state.membership = signed.hash();
        stage.spaces.insert(space, state);
        Ok(seq)
    }
}
