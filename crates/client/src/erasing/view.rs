//! What the screens ask and decide.

use std::collections::BTreeMap;

use mecum_api::{
    ChartArgs, EntryArgs, EntryEraseArgs, EntryMoveArgs, ErasureArgs, ErasureKind, ErasureLook, ErasurePhase,
    ErasureView, PastReaderView, Topic,
};
use mecum_domain::{ChartId, Kind, Section};
use mecum_seal::{AccountId, SpaceId};
use mecum_sync::Role;

use super::intents::{Erased, Intent};
use crate::error::{SessionError, refused};
use crate::members::{MAX_TERM_BYTES, word_of};
use crate::row::{ItemKey, Row};
use crate::session::Session;
use crate::views::key_of;

impl Session {
    /// What is told before an entry is erased or moved.
    pub fn erasure_look(&mut self, args: &EntryArgs) -> Result<ErasureLook, SessionError> {
        let key = key_of(&args.entry)?;
        let row = self.rows(args.chart)?.get(key).cloned().ok_or_else(SessionError::not_found)?;
        let refusal = self.check_erasable(args.chart, &row).err();
        let message_id = match refusal {
            Some(SessionError::Call(error)) => Some(error.message_id),
            Some(other) => return Err(other),
            None => None,
        };
        let devices = self.follower.account_log().map_or(0, |log| log.devices().len());
        Ok(ErasureLook {
            may: message_id.is_none(),
            message_id,
            sensitive: !self.spaces_holding(args.chart, key).iter().any(|space| !self.is_sensitive(*space)),
            from_file: matches!(key, ItemKey::Finished(_)),
            waits: self.follower.relay().is_some(),
            own_devices: u32::try_from(devices.saturating_sub(1)).unwrap_or(u32::MAX),
            readers: self.past_readers(&self.spaces_holding(args.chart, key)),
        })
    }

    /// Erases an entry for good: decided here and now, carried out as soon as it can be.
    pub fn entry_erase(&mut self, args: &EntryEraseArgs) -> Result<ErasureView, SessionError> {
        self.decide_for(args.chart, &args.entry, ErasureKind::Erase, &args.reason)
    }

    /// Moves an entry to *sensitive*, or back.
    pub fn entry_move(&mut self, args: &EntryMoveArgs) -> Result<ErasureView, SessionError> {
        let kind = if args.sensitive { ErasureKind::ToSensitive } else { ErasureKind::FromSensitive };
        self.decide_for(args.chart, &args.entry, kind, &args.reason)
    }

    fn decide_for(
        &mut self,
        chart: ChartId,
        entry: &str,
        kind: ErasureKind,
        reason: &str,
    ) -> Result<ErasureView, SessionError> {
        let key = key_of(entry)?;
        let reason = reason.trim();
        if reason.len() > MAX_TERM_BYTES {
            return Err(refused("error-too-long"));
        }
        let row = self.rows(chart)?.get(key).cloned().ok_or_else(SessionError::not_found)?;
        self.check_erasable(chart, &row)?;
        let there =
            self.intents()?.into_iter().find(|intent| intent.key == Some(key) && intent.chart() == chart);
        if let Some(there) = there.as_ref().filter(|there| there.refused.is_none()) {
            return self.view_of_intent(there);
        }
        let moves = kind != ErasureKind::Erase;
        // A move that stopped half-way left it in both places: it is there only once it is nowhere else.
        let leaves = |space: &SpaceId| self.is_sensitive(*space) != (kind == ErasureKind::ToSensitive);
        if moves && !self.spaces_holding(chart, key).iter().any(leaves) {
            return Err(refused("error-there-already"));
        }
        if moves && !row.clashes.is_empty() {
            return Err(refused("error-settle-first"));
        }
        if let Some(there) = there {
            self.forget(&there)?;
        }
        let section = self.spaces.get(&row.space).map_or(row.kind().section(), |space| space.section);
        let intent = self.decide(chart, kind, Some(key), None, (section, reason))?;
        let advanced = if self.follower.relay().is_none() { self.advance_erasures() } else { Ok(()) };
        let id = hex(&intent.id);
        let list = self.erasure_list(&ChartArgs { chart })?;
        let view = list.into_iter().find(|view| view.erasure == id).ok_or_else(SessionError::not_found)?;
        if view.phase != ErasurePhase::Done {
            // What failed may be another decision's: of one that is done there is nothing to say.
            advanced?;
        }
        Ok(view)
    }

    /// Whether this account may erase or move an entry: it manages every section that holds it.
    fn check_erasable(&mut self, chart: ChartId, row: &Row) -> Result<(), SessionError> {
        if row.kind() == Kind::Patient {
            return Err(refused("error-not-editable"));
        }
        self.load_chart(chart)?;
        for space in self.spaces_holding(chart, row.key) {
            let ended = self.spaces.get(&space).is_some_and(|state| state.ended.is_some());
            if ended || self.follower.role(space) != Some(Role::Manager) {
                return Err(refused("error-not-manager"));
            }
        }
        Ok(())
    }

    fn is_sensitive(&self, space: SpaceId) -> bool {
        self.spaces.get(&space).is_some_and(|state| state.section == Section::Sensitive)
    }

    /// Whether a move has written its entry where it goes and not taken it from where it was: it stands in both places.
    fn is_half_moved(&mut self, intent: &Intent) -> Result<bool, SessionError> {
        let (chart, Some(key), true) = (intent.chart(), intent.key, intent.copied.is_some()) else {
            return Ok(false);
        };
        self.load_chart(chart)?;
        let holding = self.spaces_holding(chart, key);
        let sensitive = holding.iter().filter(|space| self.is_sensitive(**space)).count();
        Ok(sensitive > 0 && sensitive < holding.len())
    }

    fn spaces_holding(&self, chart: ChartId, key: ItemKey) -> Vec<SpaceId> {
        let holding = self.charts.get(&chart).map(|loaded| loaded.rows.holding(key)).unwrap_or_default();
        let mut spaces: Vec<SpaceId> =
            holding.iter().filter_map(|document| Some(self.documents.get(document)?.space)).collect();
        spaces.sort_unstable();
        spaces.dedup();
        spaces
    }

    /// Everybody who ever was in some sections, but the own account: what they read there they may have kept.
    fn past_readers(&self, spaces: &[SpaceId]) -> Vec<PastReaderView> {
        let mut readers: BTreeMap<AccountId, PastReaderView> = BTreeMap::new();
        for space in spaces {
            for (account, state) in self.stays_in(*space) {
                if account == self.identity.account {
                    continue;
                }
                readers.entry(account).or_insert_with(|| PastReaderView {
                    account: account.to_string(),
                    name: self.person_name(account).unwrap_or_default(),
                    state,
                });
            }
        }
        readers.into_values().collect()
    }

    /// What is being erased or moved in a chart, and what was, the newest first.
    pub fn erasure_list(&mut self, args: &ChartArgs) -> Result<Vec<ErasureView>, SessionError> {
        self.load_chart(args.chart)?;
        let mut all = Vec::new();
        let mut open = Vec::new();
        for intent in self.intents()?.into_iter().filter(|intent| intent.chart() == args.chart) {
            open.push(intent.id.to_vec());
            all.push(self.view_of_intent(&intent)?);
        }
        for (name, erased) in self.all_erased()? {
            let here = erased.space.and_then(|space| self.spaces.get(&space));
            if here.is_some_and(|space| space.chart == args.chart) && !open.contains(&erased.id) {
                all.push(self.view_of_erased(args.chart, &name, &erased));
            }
        }
        all.sort_by_key(|view| std::cmp::Reverse(view.at_ms));
        Ok(all)
    }

    fn view_of_intent(&mut self, intent: &Intent) -> Result<ErasureView, SessionError> {
        let chart = intent.chart();
        let row = match intent.key {
            Some(key) => self.rows(chart)?.get(key).cloned(),
            None => None,
        };
        let phase = match (&intent.refused, intent.by) {
            (Some(_), _) => ErasurePhase::Refused,
            (None, Some(_)) => ErasurePhase::Sending,
            (None, None) if self.is_half_moved(intent)? => ErasurePhase::Sending,
            (None, None) => ErasurePhase::Waits,
        };
        let spaces = intent.key.map(|key| self.spaces_holding(chart, key)).unwrap_or_default();
        Ok(ErasureView {
            erasure: hex(&intent.id),
            chart,
            section: Section::from_code(intent.section).map(word_of).unwrap_or_default(),
            kind: intent.kind(),
            phase,
            entry: row.as_ref().map(|row| row.key.name()),
            title: row.map(|row| row.title),
            by: String::new(),
            reason: intent.reason.clone(),
            at_ms: intent.at_ms,
            late: 0,
            message_id: intent.refused.clone(),
            readers: self.past_readers(&spaces),
        })
    }

    fn view_of_erased(&self, chart: ChartId, name: &[u8], erased: &Erased) -> ErasureView {
        let rows = self.charts.get(&chart).map(|loaded| &loaded.rows);
        let row = erased.key.and_then(|key| rows?.get(key));
        let by = erased.account.filter(|account| *account != self.identity.account);
        let spaces: Vec<SpaceId> = erased.space.into_iter().collect();
        let section =
            erased.space.and_then(|space| self.spaces.get(&space)).map(|space| word_of(space.section));
        ErasureView {
            erasure: hex(if erased.id.is_empty() { name } else { &erased.id }),
            chart,
            section: section.unwrap_or_default(),
            kind: erased.kind(),
            phase: ErasurePhase::Done,
            entry: row.map(|row| row.key.name()),
            title: row.map(|row| row.title.clone()),
            by: by.and_then(|account| self.person_name(account)).unwrap_or_default(),
            reason: erased.reason.clone(),
            at_ms: erased.at_ms,
            late: erased.late,
            message_id: None,
            readers: self.past_readers(&spaces),
        }
    }

    /// Stops what still waits, or takes what was refused off the list. Nothing was changed by it: a move that has begun, and would
    /// leave its entry in both places, goes on, or is decided again.
    pub fn erasure_stop(&mut self, args: &ErasureArgs) -> Result<(), SessionError> {
        let found = self.intents()?.into_iter().find(|intent| hex(&intent.id) == args.erasure);
        let intent = found.ok_or_else(SessionError::not_found)?;
        if intent.by.is_some() {
            return Err(refused("error-erasing-already"));
        }
        if self.is_half_moved(&intent)? {
            return Err(refused("error-moving-already"));
        }
        self.forget(&intent)?;
        self.tell(Topic::Record { chart: intent.chart() });
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |text, byte| text + &format!("{byte:02x}"))
}
