//! The end of a membership: removed by a manager, left by the member, or over by its date.

use std::collections::BTreeSet;

use jiff::civil::Date;
use mecum_api::{ChartArgs, MemberRemoveArgs, MembersView};
use mecum_domain::ChartId;
use mecum_seal::{AccountId, EpochKey, Hash32, SpaceId, derive_key, open_row, seal_row};
use mecum_sync::{Cut, Follower, Role, Signed, SpaceBody, SpaceEntry, Why, decode};
use mecum_vault::{Durability, Table};
use zeroize::Zeroizing;

use super::section_of;
use super::terms::MAX_TERM_BYTES;
use crate::error::{SessionError, refused};
use crate::notices::Waits;
use crate::restored::space_entry_name;
use crate::session::Session;
use crate::stage::Stage;

const LOG: SessionError = SessionError::Stored { what: "space log" };

/// The largest log entry that is read back from the vault.
const MAX_ENTRY_BYTES: usize = 1 << 20;

pub(super) const REASON_PURPOSE: &str = "mecum removal reason v1";

/// How a membership ends.
pub(super) struct Ending<'a> {
    pub(super) why: Why,
    pub(super) reason: Option<&'a str>,
    pub(super) cut: CutAt,
}

/// What of a member counts.
pub(super) enum CutAt {
    /// Everything that the server has shown by now.
    Now,
    /// Nothing that came here after a moment, ms since the epoch.
    Moment(i64),
    /// Up to these links.
    Here(Vec<Cut>),
}

/// Who ends by themselves in a space, and the last day.
pub(crate) type EndByDate = (SpaceId, AccountId, Date);

impl Session {
    /// Ends what somebody sees of a chart, in the sections that are named or in all. What the server has ordered of theirs by now
    /// stays; nothing that they write later counts, and they can read nothing that is written later.
    pub fn member_remove(&mut self, args: &MemberRemoveArgs) -> Result<MembersView, SessionError> {
        let account: AccountId = args.account.parse().map_err(|_| SessionError::not_found())?;
        if args.reason.as_ref().is_some_and(|reason| reason.len() > MAX_TERM_BYTES) {
            return Err(refused("error-too-long"));
        }
        // One that this version does not know is no reason to remove from all.
        let sections: Option<Vec<_>> = args.sections.iter().map(|word| section_of(word)).collect();
        let sections = sections.ok_or_else(SessionError::not_found)?;
        let spaces: Vec<SpaceId> = self
            .spaces_of(args.chart)
            .filter(|state| sections.is_empty() || sections.contains(&state.section))
            .filter(|state| {
                self.follower.space_log(state.space).is_some_and(|log| log.role(account).is_some())
            })
            .map(|state| state.space)
            .collect();
        if spaces.is_empty() {
            return Err(SessionError::not_found());
        }
        let mut stage = Stage::default();
        for space in spaces {
            if self.follower.role(space) != Some(Role::Manager) {
                return Err(refused("error-not-your-record"));
            }
            let cut = args.nothing_after_ms.map_or(CutAt::Now, CutAt::Moment);
            let ending = Ending { why: Why::Removed, reason: args.reason.as_deref(), cut };
            self.stage_ending(&mut stage, space, account, ending)?;
        }
        stage.topics.push(mecum_api::Topic::Charts);
        self.commit(stage, Durability::Full)?;
        self.members(args.chart)
    }

    pub(super) fn stage_removal(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        member: AccountId,
        why: Why,
        reason: Option<&str>,
    ) -> Result<(), SessionError> {
        self.stage_ending(stage, space, member, Ending { why, reason, cut: CutAt::Now })
    }

    pub(super) fn stage_ending(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        member: AccountId,
        ending: Ending<'_>,
    ) -> Result<(), SessionError> {
        let Ending { why, reason, cut } = ending;
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        if follower.space_log(space).ok_or(LOG)?.role(member).is_none() {
            return Ok(());
        }
        let chosen = !matches!(cut, CutAt::Now);
        let cuts = match cut {
            CutAt::Now => cuts_of(follower, space, member),
            CutAt::Moment(at_ms) => self.cuts_of_account_before(follower, space, member, at_ms)?,
            CutAt::Here(cuts) => cuts,
        };
        let (next, key) = self.next_epoch(stage, space, Some(member))?;
        let epoch = next.epoch;
        let sealed_reason = seal_row(
            &derive_key(&key, REASON_PURPOSE),
            space.as_bytes(),
            reason.unwrap_or_default().as_bytes(),
            self.entropy(),
        );
        let of_member = |device| follower.account_of(device) == Some(member);
        let wrote: Vec<_> = follower.furthest(space).into_iter().map(|(chain, _)| chain.device).collect();
        let theirs: Vec<_> = wrote.into_iter().filter(|device| of_member(*device)).collect();
        self.note_if_erased(stage, space, &cuts, |device| theirs.contains(&device))?;
        let body = SpaceBody::Remove { member, why, cuts, next, sealed_reason };
        let entry = self.stage_space_entry(stage, space, body)?;
        if chosen {
            let name = chosen_name(space, self.staged_log(stage, space).ok_or(LOG)?.entries());
            stage.puts.push((Table::Sync, name, Vec::new()));
        }
        self.stage_member_ended(stage, space, member);
        // A device of this account that was removed is not cut by this: the epoch that does it is owed as before.
        self.stage_begun(stage, space, epoch, key)?;
        let follower = stage.follower.clone().unwrap_or_else(|| self.follower.clone());
        self.stage_cut(stage, &follower, space, entry)
    }

    /// Leaves a chart that somebody else shares.
    pub fn chart_leave(&mut self, args: &ChartArgs) -> Result<(), SessionError> {
        let spaces: Vec<SpaceId> = self
            .spaces_of(args.chart)
            .filter(|state| state.ended.is_none())
            .map(|state| state.space)
            .collect();
        if self.is_own_chart(args.chart) || spaces.is_empty() {
            return Err(SessionError::not_found());
        }
        let mut stage = Stage::default();
        for space in spaces {
            self.stage_leave(&mut stage, space)?;
        }
        stage.topics.push(mecum_api::Topic::Charts);
        self.commit(stage, Durability::Full)
    }

    /// Whether something that was written in a chart here is not at the server.
    pub(super) fn has_unsent_words(&self, chart: ChartId) -> bool {
        self.spaces_of(chart)
            .filter(|state| state.ended.is_none())
            .any(|state| self.follower.chain_head(&self.own_chain(state.space)).envelope_seq < state.own_seq)
    }

    pub(super) fn stage_leave(&self, stage: &mut Stage, space: SpaceId) -> Result<(), SessionError> {
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        if follower.role(space).is_none() {
            return Ok(());
        }
        let cuts = cuts_of(follower, space, self.identity.account);
        self.stage_space_entry(stage, space, SpaceBody::Leave { cuts })?;
        let mut state = self.staged_space(stage, space)?;
        state.ended = Some(Why::Left);
        stage.spaces.insert(space, state);
        self.stage_member_ended(stage, space, self.identity.account);
        Ok(())
    }

    /// Ends every membership whose last day is over, where this account manages the space: from the entry's place in the log on, by
    /// nobody's clock. Done once an answer has shown everything that the server has: what was written in time and has not been seen
    /// yet would be cut with the rest.
    /// `asked_on` is the day on which it was asked for: what was written later that night may not be in it.
    pub(crate) fn end_expired(&mut self, asked_on: Date) -> Result<(), SessionError> {
        let over = self.over_by_date(asked_on)?;
        if over.is_empty() {
            return Ok(());
        }
        let mut stage = Stage::default();
        for (space, account, _) in over {
            let ended = self.stage_removal(&mut stage, space, account, Why::Expired, None);
            if ended.is_err() && stage.follower.is_none() {
                return ended;
            }
        }
        stage.topics.push(mecum_api::Topic::Charts);
        self.commit(stage, Durability::Full)
    }

    /// Whether there is an end by date that the next exchange can sign.
    pub(crate) fn has_end_to_sign(&self) -> bool {
        let tried =
            self.exchanging.asked_on == Some(self.today_for_ends()) && self.waits.contains_key(&Waits::End);
        !tried && self.over_by_date(self.today_for_ends()).is_ok_and(|over| !over.is_empty())
    }

    /// Spaces of which nothing goes out before everything that the server has was seen: a cut that was signed on what was known here
    /// would take with it what has not been seen, and whoever's time is over would read what is written now.
    pub(crate) fn held_back(&self) -> Result<BTreeSet<SpaceId>, SessionError> {
        let mut held = BTreeSet::new();
        if !self.exchanging.heard {
            for space in self.spaces.keys() {
                if self.first_cut_on_its_way(&self.follower, *space)?.is_some() {
                    held.insert(*space);
                }
            }
        }
        // An end that cannot be signed keeps nothing back.
        if !self.waits.contains_key(&Waits::End) {
            let ends = if self.server_ms.is_some() {
                self.over_by_date(self.today_for_ends())?
            } else {
                // A clock that is behind would let words out to whose time is over: the server says what day it is first.
                self.ends_by_date()?
            };
            held.extend(ends.into_iter().map(|(space, ..)| space));
        }
        Ok(held)
    }

    /// The first own entry that is not stored and cuts what has been seen by now, where nobody chose a moment.
    pub(super) fn first_cut_on_its_way(
        &self,
        follower: &Follower,
        space: SpaceId,
    ) -> Result<Option<(u64, Hash32)>, SessionError> {
        let Some(log) = follower.space_log(space) else { return Ok(None) };
        for seq in follower.ever_stored_space_entries(space).max(1) + 1..=log.entries() {
            let Some(bytes) = self.vault.get(Table::Sync, &space_entry_name(space, seq))? else { continue };
            let entry: Signed<SpaceEntry> = decode(&bytes, MAX_ENTRY_BYTES).map_err(|_| LOG)?;
            let cuts = match entry.unverified().body {
                SpaceBody::Remove { .. } => self.vault.get(Table::Sync, &chosen_name(space, seq))?.is_none(),
                SpaceBody::Epoch { .. } | SpaceBody::Leave { .. } => true,
                _ => false,
            };
            if cuts {
                return Ok(Some((seq, entry.hash())));
            }
        }
        Ok(None)
    }

    /// The memberships whose last day was before `today` and that nobody has ended, in spaces that this account manages.
    fn over_by_date(&self, today: Date) -> Result<Vec<EndByDate>, SessionError> {
        Ok(self.ends_by_date()?.into_iter().filter(|(_, _, last)| *last < today).collect())
    }

    /// The memberships that end by themselves and that nobody has ended, in spaces that this account manages.
    fn ends_by_date(&self) -> Result<Vec<EndByDate>, SessionError> {
        if self.is_older_copy() || self.is_reading_again()? || self.follower.is_removed() {
            return Ok(Vec::new());
        }
        Ok(self.ends_by_date.get_or_init(|| self.read_ends_by_date()).clone())
    }

    fn read_ends_by_date(&self) -> Vec<EndByDate> {
        let mut ends = Vec::new();
        for state in self.spaces.values() {
            let Some(log) = self.follower.space_log(state.space) else { continue };
            if log.role(self.identity.account) != Some(Role::Manager) || log.members().len() < 2 {
                continue;
            }
            for member in log.members() {
                if member.account == log.owner() || member.account == self.identity.account {
                    continue;
                }
                let until =
                    self.stored_member(state.space, member.account).and_then(|stored| stored.terms.until);
                let last = until.and_then(|until| until.parse::<Date>().ok());
                ends.extend(last.map(|last| (state.space, member.account, last)));
            }
        }
        ends
    }
}

/// The words that a removal was given, by the key of the epoch that it began. None if there are none.
pub(super) fn open_reason(key: &EpochKey, space: SpaceId, sealed: &[u8]) -> Option<Zeroizing<String>> {
    let opened = open_row(&derive_key(key, REASON_PURPOSE), space.as_bytes(), sealed).ok()?;
    let reason = Zeroizing::new(std::str::from_utf8(&opened).ok()?.to_owned());
    Some(reason).filter(|reason| !reason.is_empty())
}

/// Says of a removal in a space's log that somebody chose what it cuts.
pub(super) fn chosen_name(space: SpaceId, seq: u64) -> Vec<u8> {
    [b"chosen".as_slice(), space.as_bytes(), &seq.to_be_bytes()].concat()
}

/// Where the chains of an account stand, as far as the server has ever shown them.
pub(super) fn cuts_of(follower: &mecum_sync::Follower, space: SpaceId, account: AccountId) -> Vec<Cut> {
    let of_account = |device| follower.account_of(device) == Some(account);
    follower
        .furthest(space)
        .into_iter()
        .filter(|(chain, head)| of_account(chain.device) && head.envelope_seq > 0)
        .map(|(chain, head)| Cut {
            device: chain.device,
            incarnation: chain.incarnation,
            envelope_seq: head.envelope_seq,
            hash: head.hash,
        })
        .collect()
}
