//! Invitations: whoever manages a chart offers sections of it by a code; somebody with an account of their own at the same server
//! reads the offer, accepts or declines; the manager says whether it is really them. Both meet in a mailbox at the server, named by a
//! secret that only they know, as in pairing.

#[cfg(test)]
mod frozen;
mod inviting;
mod joining;
#[doc(hidden)]
pub(crate) mod parsing;

use mecum_api::{CallError, Code, MemberInviteArgs, PairPhase, PairView, SyncPhase, Topic};
use mecum_domain::{ChartId, Section};
use mecum_seal::{AccountId, Hash32, KemPublic, PairingSecret, SpaceId, VerifyingKey};
use mecum_sync::Role;
use mecum_vault::{Durability, Table};
use minicbor::{Decode, Encode};
use tokio::task::AbortHandle;

use super::granting::{Invited, Offered};
use super::sharing::{AcceptedChart, accepted_name};
use super::terms::{MAX_TERM_BYTES, role_of};
use super::{section_of, shared_chart_name};
use crate::app::{App, held};
use crate::driver::Home;
use crate::error::{SessionError, refused};
use crate::session::Session;
use crate::stage::Stage;

/// A code is good for this long: two days, so that it can be read over the telephone, or wait for the evening.
const CODE_MS: i64 = 2 * 24 * 60 * 60 * 1_000;
const CODE_DAYS: u32 = 2;

/// Tells an invitation's offer from a pairing's.
const INVITATION: &str = "mecum invitation v1";

/// In the slot of the answer, and of the welcome: no.
const NO: &[u8] = b"";

/// What is offered, sealed under the code's secret.
#[derive(Clone, Encode, Decode)]
struct Offer {
    #[n(0)]
    kind: String,
    #[n(1)]
    owner: AccountId,
    #[n(2)]
    genesis: Hash32,
    #[n(3)]
    relay: VerifyingKey,
    /// Who invites.
    #[n(4)]
    from: String,
    #[cbor(n(5), with = "minicbor::bytes")]
    chart: [u8; 16],
    /// Whose record.
    #[n(6)]
    name: String,
    #[n(7)]
    spaces: Vec<(SpaceId, u8)>,
    #[n(8)]
    role: Role,
    #[n(9)]
    until: Option<String>,
    #[n(10)]
    reason: Option<String>,
    #[n(11)]
    ends_ms: i64,
}

/// Who accepts.
#[derive(Clone, Encode, Decode)]
struct Answer {
    #[n(0)]
    account: AccountId,
    #[n(1)]
    genesis: Hash32,
    #[n(2)]
    kem: KemPublic,
    #[n(3)]
    name: String,
}

/// The invitation that this device shows.
#[derive(Clone)]
struct Shown {
    secret: PairingSecret,
    home: Home,
    offered: Offered,
    ends_ms: i64,
}

/// The invitation that this device has opened.
#[derive(Clone)]
struct Opened {
    secret: PairingSecret,
    home: Home,
    offer: Offer,
}

/// Invitations on this device, if any.
#[derive(Default)]
pub(crate) struct Invitations {
    view: PairView,
    shown: Option<Shown>,
    asked: Option<Invited>,
    task: Option<AbortHandle>,
    joining: PairView,
    opened: Option<Opened>,
    joining_task: Option<AbortHandle>,
}

impl Drop for Invitations {
    fn drop(&mut self) {
        for task in [self.task.take(), self.joining_task.take()].into_iter().flatten() {
            task.abort();
        }
    }
}

impl Session {
    /// What an invitation to sections of a chart says.
    fn make_offer(&mut self, offered: &Offered, ends_ms: i64) -> Result<Offer, SessionError> {
        let spaces = self.offered_spaces(offered)?;
        let (owner, genesis) = self.owner_of(offered.chart)?;
        let relay = self.follower.relay().copied().ok_or_else(|| refused("error-no-server"))?;
        Ok(Offer {
            kind: INVITATION.to_owned(),
            owner,
            genesis,
            relay,
            from: self.author_name(),
            chart: *offered.chart.as_bytes(),
            name: self.summary(offered.chart)?.name,
            spaces: spaces.into_iter().map(|(space, section)| (space, section.code())).collect(),
            role: offered.role,
            until: offered.until.clone(),
            reason: offered.reason.clone(),
            ends_ms,
        })
    }

    /// Expects the spaces of an invitation that the person accepted.
    fn expect_shared(&mut self, offer: &Offer) -> Result<(), SessionError> {
        let accepted = AcceptedChart {
            chart: offer.chart,
            owner: offer.owner,
            genesis: offer.genesis,
            spaces: offer.spaces.iter().map(|(space, _)| *space).collect(),
            by: offer.from.clone(),
            name: offer.name.clone(),
        };
        let stage = self.stage_expected(&accepted)?;
        self.commit(stage, Durability::Full)
    }

    /// Stages that spaces of somebody else's are expected from here on, on every device of this account.
    pub(super) fn stage_expected(&mut self, accepted: &AcceptedChart) -> Result<Stage, SessionError> {
        let mut follower = self.follower.clone();
        let mut stage = Stage::default();
        let again = self
            .stage_accepted(&mut stage, &mut follower, accepted)
            .map_err(|_| refused("error-invitation-code"))?;
        stage.follower = Some(follower);
        self.stage_account_note(&mut stage, accepted)?;
        // What is let in begins from what the record is.
        stage.puts.push((Table::Setting, b"catching-up".to_vec(), vec![1]));
        if again {
            self.stage_reading_again(&mut stage)?;
        }
        Ok(stage)
    }

    /// Gives up what was expected: the invitation led nowhere.
    fn forget_shared(&mut self, offer: &Offer) -> Result<(), SessionError> {
        let mut follower = self.follower.clone();
        offer.spaces.iter().for_each(|(space, _)| follower.forget_expected(*space));
        let mut stage = Stage { follower: Some(follower), ..Stage::default() };
        let chart = ChartId::from_bytes(offer.chart);
        let led_nowhere = |space: &SpaceId| {
            offer.spaces.iter().any(|(offered, _)| offered == space) && !self.spaces.contains_key(space)
        };
        let kept = self.accepted_charts().into_iter().find(|kept| kept.chart == offer.chart);
        match kept.map(|kept| kept.without(led_nowhere)) {
            Some(kept) if !kept.spaces.is_empty() => stage.puts.push(kept.row()),
            _ if self.spaces.values().any(|state| state.chart == chart) => {}
            _ => {
                stage.deletes.push((Table::Account, shared_chart_name(chart)));
                stage.deletes.push((Table::Account, accepted_name(chart)));
            }
        }
        self.commit(stage, Durability::Full)
    }

    fn answer(&self, name: &str) -> Result<Answer, SessionError> {
        let log = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        Ok(Answer {
            account: self.identity.account,
            genesis: log.genesis(),
            kem: log.account_kem().clone(),
            name: name.to_owned(),
        })
    }

    /// Whether the server has countersigned that an account is in the offered sections.
    fn is_let_in(&self, offered: &Offered, account: AccountId) -> bool {
        self.spaces.values().filter(|state| state.chart == offered.chart).all(|state| {
            !offered.sections.contains(&state.section)
                || self.follower.space_log(state.space).is_some_and(|log| {
                    log.role(account).is_some_and(|role| role >= offered.role)
                        && self.follower.stored_space_entries(state.space) >= log.entries()
                })
        })
    }

    /// Whether an account is in none of the offered sections, not even waiting for the server.
    fn is_out(&self, offered: &Offered, account: AccountId) -> bool {
        self.spaces.values().filter(|state| state.chart == offered.chart).all(|state| {
            !offered.sections.contains(&state.section)
                || self.follower.space_log(state.space).is_none_or(|log| log.role(account).is_none())
        })
    }

    /// Whether this account was let into what an invitation offered.
    fn came_in(&self, offer: &Offer) -> bool {
        offer.spaces.iter().any(|(space, _)| self.follower.role(*space).is_some())
    }
}

fn checked(args: MemberInviteArgs) -> Result<Offered, CallError> {
    let sections: Vec<Section> = args.sections.iter().filter_map(|word| section_of(word)).collect();
    // A conversation with a hospital is between those two: nobody is let into it by a code.
    if sections.is_empty() || sections.len() != args.sections.len() || sections.contains(&Section::Care) {
        return Err(CallError::new(Code::Invalid, "error-sections-required"));
    }
    if args.until.as_ref().is_some_and(|until| until.parse::<jiff::civil::Date>().is_err()) {
        return Err(CallError::new(Code::Invalid, "error-date"));
    }
    if args.reason.as_ref().is_some_and(|reason| reason.len() > MAX_TERM_BYTES) {
        return Err(CallError::new(Code::Invalid, "error-too-long"));
    }
    let reason = args.reason.filter(|reason| !reason.trim().is_empty());
    Ok(Offered { chart: args.chart, sections, role: role_of(args.role), until: args.until, reason })
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    fn say_inviting(&self, phase: PairPhase, other: Option<String>, message_id: Option<&str>) -> PairView {
        let view = PairView { phase, other, message_id: message_id.map(str::to_owned) };
        held(&self.inner.invitations).view = view.clone();
        self.inner.news.tell(Topic::Charts);
        view
    }

    fn say_joining(&self, phase: PairPhase, other: Option<String>, message_id: Option<&str>) -> PairView {
        let view = PairView { phase, other, message_id: message_id.map(str::to_owned) };
        held(&self.inner.invitations).joining = view.clone();
        self.inner.news.tell(Topic::Charts);
        view
    }

    /// Ends what somebody sees of a chart, and tells the server at once if there is a network.
    pub async fn member_remove(
        &self,
        args: mecum_api::MemberRemoveArgs,
    ) -> Result<mecum_api::MembersView, CallError> {
        let chart = args.chart;
        self.with(move |session| session.member_remove(&args)).await?;
        // Without a network it waits, and the list says so.
        let _ = self.sync_now(()).await;
        self.with(move |session| session.members(chart)).await
    }

    /// Leaves a chart that somebody else shares.
    pub async fn chart_leave(&self, args: mecum_api::ChartArgs) -> Result<(), CallError> {
        // What was written before is sent first, and what other devices of the account wrote is seen: leaving ends the way for both.
        let view = self.sync_now(()).await?;
        let chart = args.chart;
        let unsent = self.with(move |session| Ok(session.has_unsent_words(chart))).await?;
        if unsent && view.phase == SyncPhase::Offline {
            return Err(CallError::new(Code::Offline, "error-leave-unsent"));
        }
        self.with(move |session| session.chart_leave(&args)).await?;
        let _ = self.sync_now(()).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_with_a_hospital_is_offered_to_nobody_by_an_invitation() {
        let offering = |sections: &[&str]| MemberInviteArgs {
            sections: sections.iter().map(|word| (*word).to_owned()).collect(),
            ..MemberInviteArgs::default()
        };
        for sections in [&["care"][..], &["results", "care"]] {
            let refused = checked(offering(sections)).err().map(|error| error.message_id);
            assert_eq!(refused.as_deref(), Some("error-sections-required"), "{sections:?}");
        }
        let taken = checked(offering(&["results"])).expect("a section of the record is offered");
        assert_eq!(taken.sections, [Section::Results]);
    }
}
