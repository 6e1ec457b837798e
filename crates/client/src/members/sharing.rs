//! An invitation that was accepted on one device is accepted on every device of the account: the spaces to expect travel in a space of
//! the account's own chart, sealed under the account's key, so that nobody who shares that space learns of them.

#[cfg(test)]
mod frozen;

use mecum_domain::{ChartId, Section};
use mecum_seal::{AccountId, DocumentId, Entropy, Hash32, SecretKey32, SpaceId, open_row, seal_row};
use mecum_sync::Follower;
use mecum_vault::Table;
use minicbor::{Decode, Encode};

use super::{SharedChart, shared_chart_name};
use crate::error::SessionError;
use crate::identity::{Identity, account_key_of};
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

/// Tells this message of a control document from the one that opens a document, which is of version 1.
const VERSION: u8 = 2;

/// What the names of accepted charts in the vault begin with.
const ACCEPTED: &[u8] = b"accepted-chart";

/// The name under which the vault keeps an accepted chart.
pub(super) fn accepted_name(chart: ChartId) -> Vec<u8> {
    [ACCEPTED, chart.as_bytes().as_slice()].concat()
}

const CONTEXT: &[u8] = b"mecum expected spaces v1";

/// Layout: CBOR `[2, account, sealed]`; sealed is a row under the account's key.
#[derive(Encode, Decode)]
#[cbor(array)]
struct AccountNote {
    #[n(0)]
    version: u8,
    #[n(1)]
    account: AccountId,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

impl AccountNote {
    /// The bytes of a note, under the account's newest key.
    fn seal(identity: &Identity, accepted: &[AcceptedChart], entropy: &dyn Entropy) -> Vec<u8> {
        let body = minicbor::to_vec(accepted).expect("plain fields encode");
        let sealed = seal_row(&identity.account_key(), CONTEXT, &body, entropy);
        minicbor::to_vec(Self { version: VERSION, account: identity.account, sealed })
            .expect("plain fields encode")
    }

    /// What it says, by whichever key of the account opens it.
    fn open(&self, identity: &Identity) -> Option<Vec<AcceptedChart>> {
        let keys: Vec<SecretKey32> = identity.account_keys().map(account_key_of).collect();
        let opened = keys.iter().find_map(|key| open_row(key, CONTEXT, &self.sealed).ok())?;
        minicbor::decode(&opened).ok()
    }
}

/// A chart of another account whose invitation was accepted.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub(crate) struct AcceptedChart {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) chart: [u8; 16],
    #[n(1)]
    pub(crate) owner: AccountId,
    #[n(2)]
    pub(crate) genesis: Hash32,
    #[n(3)]
    pub(crate) spaces: Vec<SpaceId>,
    #[n(4)]
    pub(crate) by: String,
    #[n(5)]
    pub(crate) name: String,
}

impl AcceptedChart {
    /// How the vault keeps it.
    pub(super) fn row(&self) -> (Table, Vec<u8>, Vec<u8>) {
        let body = minicbor::to_vec(self).expect("plain fields encode");
        (Table::Account, accepted_name(ChartId::from_bytes(self.chart)), body)
    }

    /// Without some of its spaces.
    pub(super) fn without(mut self, gone: impl Fn(&SpaceId) -> bool) -> Self {
        self.spaces.retain(|space| !gone(space));
        self
    }
}

impl Session {
    /// Stages what an accepted chart is to this device: its spaces are expected, and it has a name. Says whether the server had shown
    /// them before: then its history is to be read again.
    pub(crate) fn stage_accepted(
        &self,
        stage: &mut Stage,
        follower: &mut Follower,
        accepted: &AcceptedChart,
    ) -> Result<bool, mecum_sync::FollowError> {
        let mut again = false;
        for space in &accepted.spaces {
            again |= follower.expect_space(*space, accepted.owner, accepted.genesis)?;
        }
        let shared =
            SharedChart { owner: accepted.owner, by: accepted.by.clone(), name: accepted.name.clone() };
        let body = minicbor::to_vec(&shared).expect("plain fields encode");
        stage.puts.push((Table::Account, shared_chart_name(ChartId::from_bytes(accepted.chart)), body));
        let kept = self.with_earlier(stage, accepted).row();
        stage.puts.push(kept);
        Self::stage_person_name(stage, accepted.owner, &accepted.by);
        Ok(again)
    }

    /// With the spaces of earlier invitations to the same chart: whoever begins from what is kept expects them all.
    fn with_earlier(&self, stage: &Stage, accepted: &AcceptedChart) -> AcceptedChart {
        let name = accepted_name(ChartId::from_bytes(accepted.chart));
        let staged = stage.puts.iter().rev().find(|(table, at, _)| *table == Table::Account && *at == name);
        let kept = match staged {
            Some((.., body)) => Some(body.clone()),
            None => self.vault.get(Table::Account, &name).ok().flatten().map(|body| body.to_vec()),
        };
        let earlier = kept.and_then(|body| minicbor::decode::<AcceptedChart>(&body).ok());
        let same = |kept: &AcceptedChart| (kept.owner, kept.genesis) == (accepted.owner, accepted.genesis);
        let mut all = accepted.clone();
        for space in earlier.filter(same).map(|kept| kept.spaces).unwrap_or_default() {
            if !all.spaces.contains(&space) {
                all.spaces.push(space);
            }
        }
        all
    }

    /// Tells the account's other devices, by a space of its own chart.
    pub(crate) fn stage_account_note(
        &self,
        stage: &mut Stage,
        accepted: &AcceptedChart,
    ) -> Result<(), SessionError> {
        let Some(home) = self.note_space() else { return Ok(()) };
        let (space, key) = (home.space, home.key.clone());
        let note = self.note_of(std::slice::from_ref(accepted));
        self.stage_envelope(stage, space, DocumentId::CONTROL, &key, &note)?;
        Ok(())
    }

    fn note_of(&self, accepted: &[AcceptedChart]) -> Vec<u8> {
        AccountNote::seal(&self.identity, accepted, self.entropy())
    }

    /// The space that carries such notes: the personal data of a chart of this account.
    fn note_space(&self) -> Option<&SpaceState> {
        let own = |state: &&SpaceState| {
            state.section == Section::Profile
                && state.ended.is_none()
                && self
                    .follower
                    .space_log(state.space)
                    .is_some_and(|log| log.owner() == self.identity.account)
        };
        self.spaces.values().filter(own).min_by_key(|state| state.space)
    }

    /// Everything that this account has accepted, for a snapshot of the space that carries it: who begins from that has not seen the
    /// notes. None for any other space, and where nothing was accepted.
    pub(crate) fn account_note_for(&self, space: SpaceId) -> Option<Vec<u8>> {
        self.note_space().filter(|state| state.space == space)?;
        let accepted = self.accepted_charts();
        (!accepted.is_empty()).then(|| self.note_of(&accepted))
    }

    pub(crate) fn accepted_charts(&self) -> Vec<AcceptedChart> {
        let kept = self.vault.list_prefix(Table::Account, ACCEPTED).unwrap_or_default();
        kept.iter().filter_map(|(_, body)| minicbor::decode(body).ok()).collect()
    }

    /// Whether a message of a control document is such a note, whoever's.
    pub(crate) fn is_account_note(body: &[u8]) -> bool {
        minicbor::decode::<AccountNote>(body).is_ok_and(|note| note.version == VERSION)
    }

    /// Reads a note. False if it is none. One of another account's is none of this one's business.
    pub(crate) fn take_account_note(&mut self, stage: &mut Stage, body: &[u8]) -> bool {
        let Ok(note) = minicbor::decode::<AccountNote>(body) else { return false };
        if note.version != VERSION || note.account != self.identity.account {
            return note.version == VERSION;
        }
        let Some(accepted) = note.open(&self.identity) else { return false };
        let mut follower = stage.follower.clone().unwrap_or_else(|| self.follower.clone());
        let mut again = false;
        let known: Vec<_> = follower.expected().map(|(space, _)| space).collect();
        for accepted in
            accepted.iter().filter(|accepted| accepted.spaces.iter().any(|space| !known.contains(space)))
        {
            match self.stage_accepted(stage, &mut follower, accepted) {
                Ok(shown) => again |= shown,
                Err(_) => return false,
            }
        }
        stage.follower = Some(follower);
        !again || self.stage_reading_again(stage).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use mecum_domain::Relation;
    use mecum_vault::{Durability, Location};

    use super::*;
    use crate::testing::{first_device, surroundings};

    fn accept(session: &mut Session, spaces: &[u8]) {
        let accepted = AcceptedChart {
            chart: [9; 16],
            owner: AccountId::from_bytes([8; 16]),
            genesis: Hash32::from_bytes([7; 32]),
            spaces: spaces.iter().map(|byte| SpaceId::from_bytes([*byte; 16])).collect(),
            by: "Ratna".to_owned(),
            name: "Ibu".to_owned(),
        };
        let (mut stage, mut follower) = (Stage::default(), session.follower.clone());
        session.stage_accepted(&mut stage, &mut follower, &accepted).expect("expected");
        stage.follower = Some(follower);
        session.commit(stage, Durability::Full).expect("kept");
    }

    #[test]
    fn a_second_invitation_to_a_chart_leaves_what_the_first_gave_expected_by_every_device() {
        let mut phone = first_device(&Location::Memory, surroundings(1));
        phone.create_chart("Sari", None, Relation::Own, None).expect("a chart");
        accept(&mut phone, &[1, 2]);
        accept(&mut phone, &[3]);
        let mut laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(2));
        let home = phone.note_space().map(|state| state.space).expect("a space of its own");
        let note = phone.account_note_for(home).expect("a note for a snapshot");
        let mut stage = Stage::default();
        assert!(laptop.take_account_note(&mut stage, &note), "it is the account's own");
        laptop.commit(stage, Durability::Full).expect("kept");
        for session in [&phone, &laptop] {
            let expected: Vec<SpaceId> = session.follower.expected().map(|(space, _)| space).collect();
            let all = [1, 2, 3].map(|byte| SpaceId::from_bytes([byte; 16]));
            assert!(all.iter().all(|space| expected.contains(space)), "{expected:?}");
            let kept: Vec<usize> = session.accepted_charts().iter().map(|kept| kept.spaces.len()).collect();
            assert_eq!(kept, [3], "and whoever begins from what is kept expects them too");
        }
    }
}
