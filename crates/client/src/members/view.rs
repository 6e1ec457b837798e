//! Who sees a chart, as a screen shows it.

use std::collections::BTreeMap;

use mecum_api::{MemberSectionView, MemberState, MemberView, MembersView};
use mecum_domain::{ChartId, Section};
use mecum_seal::{AccountId, SpaceId};
use mecum_sync::{SpaceBody, SpaceLog, Stay, Why};

use super::terms::api_role;
use super::{state_of, word_of};
use crate::error::SessionError;
use crate::session::Session;
use crate::space::SpaceState;
use crate::stage::Stage;

impl Session {
    /// The members of a chart, the owner first, then in the order they came.
    pub fn members(&self, chart: ChartId) -> Result<MembersView, SessionError> {
        if self.spaces_of(chart).next().is_none() {
            return Err(SessionError::not_found());
        }
        let me = self.identity.account;
        let mut members: BTreeMap<(bool, u64, AccountId), MemberView> = BTreeMap::new();
        let mut first_seen: BTreeMap<AccountId, u64> = BTreeMap::new();
        for state in self.spaces_of(chart) {
            let Some(log) = self.follower.space_log(state.space) else { continue };
            for stay in last_stays(log) {
                let since = *first_seen.entry(stay.account).or_insert(stay.since);
                let owner = stay.account == log.owner();
                let name = if stay.account == me {
                    self.author_name()
                } else {
                    self.person_name(stay.account).unwrap_or_default()
                };
                let view = members.entry((!owner, since, stay.account)).or_insert_with(|| MemberView {
                    account: stay.account.to_string(),
                    name,
                    own: stay.account == me,
                    owner,
                    sections: Vec::new(),
                });
                let section = self.section_view(state, log, &stay)?;
                // Two devices may each have begun a space of one section: it is one to the person.
                match view.sections.iter_mut().find(|there| there.section == section.section) {
                    Some(there) if there.state != MemberState::Member => *there = section,
                    Some(_) => {}
                    None => view.sections.push(section),
                }
            }
        }
        let shared = self.shared_chart(chart);
        // Of somebody else's chart, what this account has itself.
        let is_offered = |section: &&Section| {
            shared.is_none() || self.spaces_of(chart).any(|state| state.section == **section)
        };
        let name = self.summary(chart).map(|summary| summary.name).unwrap_or_default();
        Ok(MembersView {
            chart,
            name,
            manages: self.manages(chart),
            shared_by: shared.as_ref().map(|shared| shared.by.clone()),
            sections: Section::RECORD
                .iter()
                .filter(|section| is_offered(section))
                .map(|s| word_of(*s))
                .collect(),
            members: members.into_values().collect(),
        })
    }

    /// Every account that ever was in a section, with how its last stay stands.
    pub(crate) fn stays_in(&self, space: SpaceId) -> Vec<(AccountId, MemberState)> {
        let Some((state, log)) = self.spaces.get(&space).zip(self.follower.space_log(space)) else {
            return Vec::new();
        };
        let stands =
            |stay: &Stay| self.section_view(state, log, stay).map(|view| view.state).unwrap_or_default();
        last_stays(log).iter().map(|stay| (stay.account, stands(stay))).collect()
    }

    fn section_view(
        &self,
        state: &SpaceState,
        log: &SpaceLog,
        stay: &Stay,
    ) -> Result<MemberSectionView, SessionError> {
        let stored = self.stored_member(state.space, stay.account);
        let shown = self.follower.stored_space_entries(state.space);
        let standing = match stay.until {
            None if stay.since > shown && stay.account != log.owner() => MemberState::Joining,
            None => MemberState::Member,
            Some(until) if until > shown => MemberState::Leaving,
            Some(until) => {
                match self.kept_entry(&Stage::default(), state.space, until)?.map(|entry| entry.body) {
                    Some(SpaceBody::Remove { why, .. }) => state_of(why),
                    Some(SpaceBody::Leave { .. }) => state_of(Why::Left),
                    _ => MemberState::Removed,
                }
            }
        };
        let terms = stored.as_ref().map(|stored| &stored.terms);
        Ok(MemberSectionView {
            section: word_of(state.section),
            role: api_role(stay.role),
            verbs: terms.map(super::terms::Terms::verbs).unwrap_or_default(),
            until: terms.and_then(|terms| terms.until.clone()),
            reason: terms.and_then(|terms| terms.reason.clone()),
            state: standing,
            at_ms: stored.as_ref().map_or(0, |stored| stored.at_ms),
            ended_ms: stored.and_then(|stored| stored.ended_ms),
        })
    }
}

/// The last stay of each account.
fn last_stays(log: &SpaceLog) -> Vec<Stay> {
    let mut last: BTreeMap<AccountId, Stay> = BTreeMap::new();
    for stay in log.stays() {
        let known = last.entry(stay.account).or_insert(stay);
        if known.since <= stay.since {
            *known = stay;
        }
    }
    last.into_values().collect()
}
