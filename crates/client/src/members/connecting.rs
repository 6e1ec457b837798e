//! Connecting a chart with a hospital: the patient's account founds a space for the two of them, whose label says which accounts are the
//! hospital's, and lets it in. What each needs to know of the other is handed over as values: this module knows no code and no mailbox.

use mecum_domain::{ChartId, HospitalId, Section};
use mecum_seal::{AccountId, DocumentId, Hash32, KemPublic, SpaceId, VerifyingKey};
use mecum_sync::Role;
use mecum_vault::{Durability, Table};

use super::granting::Invited;
use super::sharing::AcceptedChart;
use super::terms::Terms;
use crate::care::Care;
use crate::error::{SessionError, refused};
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

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

    /// Connects an own chart with a hospital, durably here and in one step; in force once the server has countersigned it. Where the two
    /// are connected already, the answer is what it was. Where a hospital is let in again, what was said before is there again.
    ///
    /// # Errors
    /// `error-not-your-record`, `error-not-found` for a chart that is not here; `error-no-server`; `error-invitation-other-server`;
    /// `error-invitation-own` for the own account; `error-invitation-code` where a known account is said to have begun otherwise.
    pub fn connect_hospital(
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
        let care = Care::of_agent(card.hospital, card.account);
        let here = |state: &&SpaceState| state.care.as_ref() == Some(&care);
        let found = self.spaces_of(chart).filter(here).map(|state| state.space).min();
        let is_in =
            |space| self.follower.space_log(space).is_some_and(|log| log.role(card.account).is_some());
        let space = match found {
            Some(space) if is_in(space) => space,
            found => self.begin_care(chart, card, care, found)?,
        };
        let (owner, genesis) = self.owner_of(chart)?;
        let (from, name) = (self.author_name(), self.summary(chart)?.name);
        Ok(CareOffer { space, chart, owner, genesis, from, name })
    }

    /// Lets a hospital into the space that is there for it, or that begins for it.
    fn begin_care(
        &mut self,
        chart: ChartId,
        card: &HospitalCard,
        care: Care,
        found: Option<SpaceId>,
    ) -> Result<SpaceId, SessionError> {
        let mut stage = Stage::default();
        let space = if let Some(space) = found {
            // Who left knows the key that is current until another one is.
            self.ready_to_write(&mut stage, space)?;
            stage.puts.push((Table::Setting, b"share-snapshots".to_vec(), vec![1]));
            space
        } else {
            self.stage_founded(&mut stage, chart, Section::Care, Some(care))?
        };
        let HospitalCard { account, genesis, kem, name, .. } = card.clone();
        let terms = Terms::new(Role::Writer, None, None, &name, &self.author_name());
        let invited = Invited { account, genesis, kem, name };
        let granted = self.stage_grant(&mut stage, space, Role::Writer, &invited, &terms);
        granted.map_err(|error| match error {
            SessionError::NotAllowed { .. } => refused("error-invitation-code"),
            other => other,
        })?;
        stage.topics.push(mecum_api::Topic::Charts);
        self.commit(stage, Durability::Full)?;
        Ok(space)
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

    /// The document of the own side of a conversation that takes one more word.
    pub(crate) fn stage_care_document(
        &self,
        stage: &mut Stage,
        space: SpaceId,
    ) -> Result<DocumentId, SessionError> {
        let state = self.staged_space(stage, space)?;
        let care = state.care.as_ref().ok_or_else(SessionError::not_found)?;
        let side = care.side_of(self.identity.account);
        self.stage_document_of(stage, space, (NO_YEAR, Some(side)), 1)
    }
}
