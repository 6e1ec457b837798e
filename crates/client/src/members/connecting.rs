//! Connecting a chart with a hospital: the patient's account founds a space for the two of them, whose label says which accounts are the
//! hospital's, and lets it in. What each needs to know of the other is handed over as values: this module knows no code and no mailbox.

mod desk;
#[cfg(test)]
mod frozen;
mod messages;
#[doc(hidden)]
pub(crate) mod parsing;
mod patient;

use mecum_api::HospitalLeaveArgs;
use mecum_domain::{ChartId, HospitalId, Section};
use mecum_seal::{AccountId, DocumentId, Hash32, KemPublic, SpaceId, VerifyingKey};
use mecum_sync::{Role, Why};
use mecum_vault::{Durability, Table};

use super::granting::Invited;
use super::sharing::AcceptedChart;
use super::terms::Terms;
use crate::care::Care;
use crate::error::{SessionError, refused};
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

pub(crate) use desk::Desks;
pub(crate) use patient::Opened;

/// The year of the documents of a conversation: they have none.
const NO_YEAR: i16 = 0;

/// What a hospital says of itself to who would connect with it: who it is, and what pins it.
#[derive(Clone, Debug)]
pub struct HospitalCard {
    /// Which hospital.
    pub hospital: HospitalId,
    /// Its name.
    pub name: String,
    /// The key of the server that it is at.
    pub relay: VerifyingKey,
    pub(crate) account: AccountId,
    /// The hash of the first entry of its account's log: the server takes a grant for no other account under that id, and every device
    /// holds the log against it.
    pub(crate) genesis: Hash32,
    pub(crate) kem: KemPublic,
}

/// What a patient's device answers: what the hospital is to expect.
#[derive(Clone, Debug)]
pub struct CareOffer {
    /// The space of the conversation.
    pub space: SpaceId,
    pub(crate) chart: ChartId,
    pub(crate) owner: AccountId,
    pub(crate) genesis: Hash32,
    /// Who connects.
    pub(crate) from: String,
    /// Whose record it is.
    pub(crate) name: String,
}

impl Session {
    /// What this account says of itself as a hospital.
    ///
    /// # Errors
    /// `error-no-server` where this account is at none.
    pub fn hospital_card(&self, name: &str) -> Result<HospitalCard, SessionError> {
        let log = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let relay = self.follower.relay().copied().ok_or_else(|| refused("error-no-server"))?;
        Ok(HospitalCard {
            // Until a hospital publishes a notice that names it, it is who its agent is.
            hospital: HospitalId::from_bytes(*log.account().as_bytes()),
            name: name.to_owned(),
            relay,
            account: log.account(),
            genesis: log.genesis(),
            kem: log.account_kem().clone(),
        })
    }

    /// Founds the space of an own chart's conversations with a hospital, durably here, and lets nobody in: what is said in it waits here.
    /// Where there is one already, it is that one. The hospital is to expect it before it is let in ([`Session::let_hospital_in`]): what
    /// somebody is granted before they expect it costs them reading everything again.
    ///
    /// # Errors
    /// `error-not-your-record`, `error-not-found` for a chart that is not here; `error-no-server`; `error-invitation-other-server`;
    /// `error-invitation-own` for the own account.
    pub fn begin_care_space(
        &mut self,
        chart: ChartId,
        card: &HospitalCard,
    ) -> Result<CareOffer, SessionError> {
        self.check_own_chart(chart)?;
        if self.spaces_of(chart).next().is_none() {
            return Err(SessionError::not_found());
        }
        let relay = self.follower.relay().ok_or_else(|| refused("error-no-server"))?;
        if *relay != card.relay {
            return Err(refused("error-invitation-other-server"));
        }
        if card.account == self.identity.account {
            return Err(refused("error-invitation-own"));
        }
        let space = if let Some(space) = self.space_with(chart, card) {
            space
        } else {
            let mut stage = Stage::default();
            let care = Care::of_agent(card.hospital, card.account);
            let space = self.stage_founded(&mut stage, chart, Section::Care, Some(care))?;
            stage.topics.push(mecum_api::Topic::Charts);
            self.commit(stage, Durability::Full)?;
            space
        };
        let (owner, genesis) = self.owner_of(chart)?;
        let (from, name) = (self.author_name(), self.summary(chart)?.name);
        Ok(CareOffer { space, chart, owner, genesis, from, name })
    }

    /// Lets a hospital into the space that was begun for it, durably here; in force once the server has countersigned it. Where it is in
    /// already, nothing is done. Where it is let in again, what was said before is there again.
    ///
    /// # Errors
    /// `error-not-found` for a space that was begun for another hospital or is none; `error-invitation-code` where a known account is said
    /// to have begun otherwise.
    pub fn let_hospital_in(&mut self, space: SpaceId, card: &HospitalCard) -> Result<(), SessionError> {
        let chart = self.spaces.get(&space).map(|state| state.chart);
        let begun = chart.filter(|chart| self.space_with(*chart, card) == Some(space));
        begun.ok_or_else(SessionError::not_found)?;
        let log = self.follower.space_log(space).ok_or(SessionError::Stored { what: "space log" })?;
        if log.role(card.account).is_some() {
            return Ok(());
        }
        let mut stage = Stage::default();
        // Who left knows the key that is current until another one is.
        self.ready_to_write(&mut stage, space)?;
        if self.documents.values().any(|state| state.space == space) {
            stage.puts.push((Table::Setting, b"share-snapshots".to_vec(), vec![1]));
        }
        let HospitalCard { account, genesis, kem, name, .. } = card.clone();
        let terms = Terms::new(Role::Writer, None, None, &name, &self.author_name());
        let invited = Invited { account, genesis, kem, name };
        let granted = self.stage_grant(&mut stage, space, Role::Writer, &invited, &terms);
        granted.map_err(|error| match error {
            SessionError::NotAllowed { .. } => refused("error-invitation-code"),
            other => other,
        })?;
        stage.topics.push(mecum_api::Topic::Charts);
        self.commit(stage, Durability::Full)
    }

    /// Both at once: for a hospital that sits beside the patient, and has heard of the space by the time that the server shows it.
    ///
    /// # Errors
    /// As of both.
    pub fn connect_hospital(
        &mut self,
        chart: ChartId,
        card: &HospitalCard,
    ) -> Result<CareOffer, SessionError> {
        let offer = self.begin_care_space(chart, card)?;
        self.let_hospital_in(offer.space, card)?;
        Ok(offer)
    }

    /// The own charts that a hospital is in.
    ///
    /// # Errors
    /// `error-invitation-own` for the own account; `error-invitation-other-server`.
    pub(crate) fn charts_with(&self, card: &HospitalCard) -> Result<Vec<ChartId>, SessionError> {
        if self.follower.relay() != Some(&card.relay) {
            return Err(refused("error-invitation-other-server"));
        }
        if card.account == self.identity.account {
            return Err(refused("error-invitation-own"));
        }
        let is_in = |chart: &ChartId| {
            let space = self.space_with(*chart, card).and_then(|space| self.follower.space_log(space));
            space.is_some_and(|log| log.role(card.account).is_some())
        };
        Ok(self.charts().into_iter().filter(is_in).collect())
    }

    /// Whether the server has countersigned that a hospital is in a space.
    ///
    /// # Errors
    /// `error-not-found` where it is let in no more.
    pub(crate) fn is_hospital_in(&self, space: SpaceId, card: &HospitalCard) -> Result<bool, SessionError> {
        let log = self.follower.space_log(space).ok_or_else(SessionError::not_found)?;
        log.role(card.account).ok_or_else(SessionError::not_found)?;
        Ok(self.follower.stored_space_entries(space) >= log.entries())
    }

    /// Ends what a hospital reads of a space: what is said later is not for it. The words of both stay.
    ///
    /// # Errors
    /// `error-not-found` for a space in which no hospital is; `error-not-your-record`; `error-too-long`.
    pub(crate) fn hospital_leave(&mut self, args: &HospitalLeaveArgs) -> Result<(), SessionError> {
        if args.reason.as_ref().is_some_and(|reason| reason.len() > super::MAX_TERM_BYTES) {
            return Err(refused("error-too-long"));
        }
        self.check_own_chart(args.chart)?;
        let space = args.space.parse().ok().and_then(|space: SpaceId| self.spaces.get(&space));
        let space = space.filter(|state| state.chart == args.chart);
        let (space, care) = space
            .and_then(|state| Some((state.space, state.care.clone()?)))
            .ok_or_else(SessionError::not_found)?;
        let log = self.follower.space_log(space).ok_or(SessionError::Stored { what: "space log" })?;
        let members: Vec<AccountId> = care.members.iter().map(|member| member.account).collect();
        let members: Vec<AccountId> =
            members.into_iter().filter(|account| log.role(*account).is_some()).collect();
        if members.is_empty() {
            return Err(SessionError::not_found());
        }
        let mut stage = Stage::default();
        for account in members {
            self.stage_removal(&mut stage, space, account, Why::Removed, args.reason.as_deref())?;
        }
        stage.topics.push(mecum_api::Topic::Charts);
        self.commit(stage, Durability::Full)
    }

    /// The space of a chart whose label names this hospital.
    fn space_with(&self, chart: ChartId, card: &HospitalCard) -> Option<SpaceId> {
        let care = Care::of_agent(card.hospital, card.account);
        let named = |state: &&SpaceState| state.care.as_ref() == Some(&care);
        self.spaces_of(chart).filter(named).map(|state| state.space).min()
    }

    /// Expects the conversation that a patient has begun with this account, on each of its devices.
    ///
    /// # Errors
    /// `error-invitation-own`; `error-invitation-code` where the space or its owner is known here by another beginning.
    pub fn expect_care(&mut self, offer: &CareOffer) -> Result<(), SessionError> {
        if offer.owner == self.identity.account {
            return Err(refused("error-invitation-own"));
        }
        let accepted = AcceptedChart {
            chart: *offer.chart.as_bytes(),
            owner: offer.owner,
            genesis: offer.genesis,
            spaces: vec![offer.space],
            by: offer.from.clone(),
            name: offer.name.clone(),
        };
        let stage = self.stage_expected(&accepted)?;
        self.commit(stage, Durability::Full)
    }

    /// The document of the own side of a conversation that takes so many more words.
    pub(crate) fn stage_care_document(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        words: usize,
    ) -> Result<DocumentId, SessionError> {
        let state = self.staged_space(stage, space)?;
        let care = state.care.as_ref().ok_or_else(SessionError::not_found)?;
        let side = care.side_of(self.identity.account);
        let words = u32::try_from(words).unwrap_or(u32::MAX);
        self.stage_document_of(stage, space, (NO_YEAR, Some(side)), words)
    }
}
