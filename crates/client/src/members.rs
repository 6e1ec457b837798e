//! Members: other accounts in the spaces of a chart. Who is let in, as what and until when; who leaves, is removed or whose time
//! is over; and the epochs that follow, so that whoever is gone reads nothing that is written afterwards.
//!
//! An edit is written offline; a change of membership is in force when the server has countersigned it, and is shown as waiting
//! until then. This module must not know how an invitation looks on a screen.

mod connecting;
mod cutting;
pub(crate) mod earlier;
mod ending;
mod entries;
mod epochs;
#[cfg(test)]
mod frozen;
mod granting;
mod invitation;
mod rebasing;
mod sharing;
mod terms;
mod view;
mod void;

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::MemberState;
use mecum_documents::Actor;
use mecum_domain::{ChartId, Section};
use mecum_seal::{AccountId, DeviceId, IncarnationId};
use mecum_sync::{Follower, Role, SpaceLog, Why};
use mecum_vault::Table;
use minicbor::{Decode, Encode};

use crate::error::SessionError;
use crate::identity::actors_of;
use crate::session::Session;
use crate::space::SpaceState;

pub use connecting::{CareOffer, HospitalCard};
pub(crate) use connecting::{Desks, parsing as desk_parsing};
pub(crate) use cutting::in_force;
pub(crate) use ending::EndByDate;
pub(crate) use entries::TakenEntry;
pub(crate) use epochs::resealed_name;
pub(crate) use granting::{Invited, Offered};
pub(crate) use invitation::{Invitations, parsing as invitation_parsing};
pub(crate) use sharing::AcceptedChart;
pub(crate) use terms::MAX_TERM_BYTES;
pub(crate) use void::{actors_in, keep_void, replayed_name};

/// A chart of another account, as its invitation named it.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct SharedChart {
    #[n(0)]
    pub(crate) owner: AccountId,
    /// Who shares it.
    #[n(1)]
    by: String,
    /// Whose record it is.
    #[n(2)]
    pub(crate) name: String,
}

fn shared_chart_name(chart: ChartId) -> Vec<u8> {
    [b"shared-chart".as_slice(), chart.as_bytes()].concat()
}

/// The Automerge actor of each device of every account that is or was in a space that is followed, in each of its incarnations.
pub(crate) fn all_actors(follower: &Follower) -> BTreeMap<(DeviceId, IncarnationId), Actor> {
    let logs = follower.spaces().filter_map(|space| follower.space_log(space));
    let mut accounts: BTreeSet<AccountId> = logs.flat_map(SpaceLog::ever_members).collect();
    accounts.insert(follower.account());
    accounts.into_iter().filter_map(|account| follower.log_of(account)).flat_map(actors_of).collect()
}

/// How a stay that ended is called.
fn state_of(why: Why) -> MemberState {
    match why {
        Why::Removed => MemberState::Removed,
        Why::Expired => MemberState::Expired,
        Why::Left => MemberState::Left,
    }
}

/// A section by its name in the contract.
pub(crate) fn section_of(word: &str) -> Option<Section> {
    Section::ALL.iter().copied().find(|section| word_of(*section) == word)
}

/// The name of a section in the contract.
pub(crate) fn word_of(section: Section) -> String {
    let value = serde_json::to_value(section).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

impl Session {
    /// What is known of a chart that another account shares.
    pub(crate) fn shared_chart(&self, chart: ChartId) -> Option<SharedChart> {
        let body = self.vault.get(Table::Account, &shared_chart_name(chart)).ok().flatten()?;
        minicbor::decode(&body).ok()
    }

    /// Who shares a chart, if it is another account's.
    pub(crate) fn shared_by(&self, chart: ChartId) -> Option<String> {
        self.shared_chart(chart).map(|shared| shared.by)
    }

    fn spaces_of(&self, chart: ChartId) -> impl Iterator<Item = &SpaceState> {
        self.spaces.values().filter(move |space| space.chart == chart)
    }

    /// How what this account was let into ended, once all of it has: the end that came last.
    pub(crate) fn share_ended(&self, chart: ChartId) -> Option<MemberState> {
        let mut last: Option<(i64, Why)> = None;
        for space in self.spaces_of(chart) {
            let why = space.ended?;
            let stored = self.stored_member(space.space, self.identity.account);
            let at_ms = stored.and_then(|stored| stored.ended_ms).unwrap_or(0);
            if last.is_none_or(|(before, _)| before <= at_ms) {
                last = Some((at_ms, why));
            }
        }
        last.map(|(_, why)| state_of(why))
    }

    /// The sections of a shared chart that this account may write in; none for an own chart: all of them.
    pub(crate) fn writable_sections(&self, chart: ChartId) -> Option<Vec<String>> {
        self.shared_chart(chart)?;
        let writable = self.spaces_of(chart).filter(|space| {
            space.ended.is_none() && self.follower.role(space.space).is_some_and(Role::may_write)
        });
        let sections: BTreeSet<Section> = writable.map(|space| space.section).collect();
        Some(sections.into_iter().map(word_of).collect())
    }

    /// The person behind a device: the account's own, or who let it in or was let in.
    pub(crate) fn author_of(&self, device: DeviceId) -> String {
        match self.follower.account_of(device) {
            Some(account) if account != self.identity.account => {
                self.person_name(account).unwrap_or_default()
            }
            _ => self.author_name(),
        }
    }

    /// The people behind the devices of other accounts in a chart.
    pub(crate) fn authors_of_others(&self, chart: ChartId) -> BTreeMap<DeviceId, String> {
        let logs = self.spaces_of(chart).filter_map(|state| self.follower.space_log(state.space));
        let accounts: BTreeSet<AccountId> = logs.flat_map(SpaceLog::ever_members).collect();
        let others = accounts.into_iter().filter(|account| *account != self.identity.account);
        let named = |account| {
            let name = self.person_name(account).unwrap_or_default();
            let devices = self.follower.log_of(account).into_iter().flat_map(actors_of);
            devices.map(move |((device, _), _)| (device, name.clone())).collect::<Vec<_>>()
        };
        others.flat_map(named).collect()
    }

    /// Whether this account owns a chart: it made it.
    pub(crate) fn is_own_chart(&self, chart: ChartId) -> bool {
        self.shared_chart(chart).is_none()
    }

    /// Refuses what only the owner of a chart does, such as beginning a section of it.
    pub(crate) fn check_own_chart(&self, chart: ChartId) -> Result<(), SessionError> {
        if self.is_own_chart(chart) { Ok(()) } else { Err(crate::error::refused("error-not-your-record")) }
    }
}
