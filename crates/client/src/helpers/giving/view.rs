//! What the screens are told of the own helpers.

use std::collections::BTreeSet;

use mecum_api::{HelperPersonView, HelperState, HelperView, HelpersView};
use mecum_seal::AccountId;
use mecum_sync::SpaceLog;
use mecum_sync::limits::HELPERS_WAIT_DAYS;

use super::{Helper, end_code};
use crate::error::SessionError;
use crate::session::Session;

impl Helper {
    fn view(&self) -> HelperView {
        HelperView {
            number: self.number,
            name: self.name.clone(),
            account: self.account.or(self.answered.as_ref().map(|who| who.account)).map(|id| id.to_string()),
            answered_as: self.answered.as_ref().map(|who| who.name.clone()),
            state: self.state(),
            at_ms: self.at_ms,
            ends_ms: (self.secret.is_some() && self.opened).then_some(self.ends_ms),
        }
    }
}

impl Session {
    /// The account's helpers, and who could be one.
    pub(in crate::helpers) fn helpers(&self) -> Result<HelpersView, SessionError> {
        let now_ms = self.now_ms();
        let mut chosen = self.chosen()?;
        if let Some(chosen) = &mut chosen {
            chosen.helpers.iter_mut().for_each(|helper| {
                if helper.secret.is_some() && helper.ends_ms <= now_ms {
                    end_code(helper, now_ms);
                }
            });
        }
        let home = self.home();
        let set = self.helpers_set_hash().is_some();
        let held = chosen.as_ref().is_none_or(|chosen| chosen.server_part.is_none());
        let stored = set && home.is_some() && held && self.is_account_log_stored();
        let helpers: Vec<HelperView> =
            chosen.iter().flat_map(|chosen| &chosen.helpers).map(Helper::view).collect();
        let kept = helpers.iter().filter(|helper| helper.state == HelperState::Kept).count();
        Ok(HelpersView {
            set,
            made_here: chosen.is_some(),
            made_ms: chosen.as_ref().map_or(0, |chosen| chosen.made_ms),
            stored,
            ready: stored && kept >= mecum_seal::HELPERS_NEEDED,
            wait_days: u8::try_from(HELPERS_WAIT_DAYS).unwrap_or(u8::MAX),
            helpers,
            people: self.people_shared_with(),
            account: self.identity.account.to_string(),
            server: home.map(|home| home.url),
        })
    }

    /// The accounts that share a space with this one now: of these the log is as new as the last exchange.
    pub(in crate::helpers) fn sharing_now(&self) -> BTreeSet<AccountId> {
        let present = self.follower.spaces().filter(|space| self.follower.role(*space).is_some());
        let logs = present.filter_map(|space| self.follower.space_log(space));
        let members = logs.flat_map(SpaceLog::members).map(|member| member.account);
        members.filter(|account| self.follower.other_log(*account).is_some()).collect()
    }

    fn people_shared_with(&self) -> Vec<HelperPersonView> {
        let view = |account: AccountId| HelperPersonView {
            account: account.to_string(),
            name: self.person_name(account).unwrap_or_default(),
        };
        self.sharing_now().into_iter().map(view).collect()
    }
}
