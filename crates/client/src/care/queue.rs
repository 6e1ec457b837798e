//! The queue of a hospital's desk: one row for each conversation, kept in memory and made again only for spaces in which something has
//! changed. Reading it opens nothing.

use std::collections::BTreeMap;

use mecum_api::{DeskItemView, DeskKind, DeskPart, DeskQueueArgs, DeskQueueView, DeskView, ReceiptState};
use mecum_domain::{Appointment, Case, ChartId, HospitalId, Side, ThreadId};
use mecum_seal::SpaceId;

use super::owing::Owing;
use super::talks::{CareMark, CareSpace, TalkActs, talks_of};
use crate::care::FoundAct;
use crate::error::{SessionError, refused};
use crate::session::Session;
use crate::views::care::title_of_first;
use crate::views::count;

/// Rows of one answer where the asker names no number.
const A_SCREEN: u32 = 50;

/// Name of the setting inside the vault: under which name this device speaks for its hospital.
const AT_DESK: &str = "desk-name";

/// One conversation.
#[derive(Clone, Debug)]
struct Row {
    thread: ThreadId,
    kind: DeskKind,
    title: String,
    handler: String,
    last_ms: i64,
    owing: Option<Owing>,
    waits: bool,
    rung: u8,
    blind: bool,
    unseen: u32,
    /// The envelopes of this device in which its acts lie.
    own_seqs: Vec<u64>,
}

/// The conversations of one space.
#[derive(Clone, Debug)]
struct OfSpace {
    mark: CareMark,
    chart: ChartId,
    hospital: HospitalId,
    whose: String,
    rows: Vec<Row>,
}

/// The rows of every space in which this account is the hospital.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    spaces: BTreeMap<SpaceId, OfSpace>,
    /// How many conversations were read to make it, ever: for tests of what is not read again.
    pub(crate) read: u64,
}

fn row(found: &[FoundAct], thread: ThreadId, acts: &TalkActs, own: mecum_seal::DeviceId) -> Row {
    let of_thread = found.iter().filter(|one| one.thread == thread);
    let unseen = |one: &&FoundAct| one.key.side == Side::Patient && one.seen.is_none();
    let (mut waiting, mut own_seqs, mut last_ms) = (0, Vec::new(), 0);
    for one in of_thread {
        waiting += usize::from(unseen(&one));
        last_ms = last_ms.max(one.stored.at_ms);
        if one.device == Some(own) {
            own_seqs.push(one.own_seq);
        }
    }
    let base = Row {
        thread,
        kind: DeskKind::Visit,
        title: title_of_first(acts),
        handler: String::new(),
        last_ms,
        owing: None,
        waits: false,
        rung: 0,
        blind: false,
        unseen: count(waiting),
        own_seqs,
    };
    match acts {
        TalkActs::Appointment(acts) => {
            let appointment = Appointment::of(acts);
            let owing = Owing::of_appointment(&appointment, acts);
            Row { owing, waits: appointment.waits_for_hospital, ..base }
        }
        TalkActs::Case(acts) => {
            let case = Case::of(acts, None);
            let waits = case.waits_for(acts) == Some(Side::Hospital);
            let owing = Owing::of_case(&case, acts);
            let blind = acts
                .iter()
                .any(|(_, act)| matches!(act.what, mecum_domain::CaseAct::Open { ward_blind: true, .. }));
            let Case { kind, rung, handler, .. } = case;
            Row { kind: DeskKind::Case(kind), owing, waits, rung, handler, blind, ..base }
        }
    }
}

impl Session {
    /// Who sits at this desk.
    pub(crate) fn desk(&self) -> Result<DeskView, SessionError> {
        let name = self.setting(AT_DESK)?.and_then(|name| String::from_utf8(name).ok());
        Ok(DeskView { serves: self.serves(), name: name.filter(|name| !name.is_empty()) })
    }

    /// Somebody signs in at this desk, or out.
    ///
    /// # Errors
    /// `error-name-required`, `error-too-long`.
    pub(crate) fn desk_sign_in(&mut self, name: Option<&str>) -> Result<DeskView, SessionError> {
        let name = name.map(str::trim);
        if name.is_some_and(str::is_empty) {
            return Err(refused("error-name-required"));
        }
        let name = name.unwrap_or_default();
        if name.len() > mecum_documents::MAX_BY_BYTES {
            return Err(refused("error-too-long"));
        }
        self.set_setting(AT_DESK, name.as_bytes())?;
        self.desk()
    }

    /// A stretch of the queue.
    ///
    /// # Errors
    /// As reading what changed.
    pub(crate) fn desk_queue(&mut self, args: &DeskQueueArgs) -> Result<DeskQueueView, SessionError> {
        self.bring_queue()?;
        let (now_ms, me) = (self.now_ms(), self.desk()?.name);
        let late = |row: &Row| {
            row.owing.as_ref().is_some_and(|owing| owing.paused_for.is_none() && now_ms > owing.due_ms)
        };
        let mut view = DeskQueueView::default();
        let mut part: Vec<(&SpaceId, &OfSpace, &Row)> = Vec::new();
        for (space, of) in &self.queue.spaces {
            for row in &of.rows {
                if row.waits {
                    view.waiting += 1;
                    view.late += u32::from(late(row));
                }
                let is_of_part = match args.part {
                    DeskPart::Waiting => row.waits,
                    DeskPart::Mine => row.waits && me.as_ref() == Some(&row.handler),
                    DeskPart::Visits => row.waits && row.kind == DeskKind::Visit,
                    DeskPart::Rest => !row.waits,
                };
                if is_of_part {
                    part.push((space, of, row));
                }
            }
        }
        // What has no due time yet has not been received by the program: it is as new as can be, and comes after what is promised.
        let due = |row: &Row| (row.owing.is_none(), row.owing.as_ref().map_or(0, |owing| owing.due_ms));
        if args.part == DeskPart::Rest {
            part.sort_unstable_by_key(|(space, _, row)| {
                (std::cmp::Reverse(row.last_ms), **space, row.thread)
            });
        } else {
            part.sort_unstable_by_key(|(space, _, row)| (due(row), row.last_ms, **space, row.thread));
        }
        view.total = count(part.len());
        let most = if args.most == 0 { A_SCREEN } else { args.most };
        let shown = part.into_iter().skip(args.skip as usize).take(most as usize);
        view.items = shown.map(|(space, of, row)| self.item(*space, of, row, now_ms)).collect();
        Ok(view)
    }

    fn item(&self, space: SpaceId, of: &OfSpace, row: &Row, now_ms: i64) -> DeskItemView {
        let known = self.notice_of(of.hospital);
        let hours = known.as_ref().map(|known| &known.hours);
        let is_here =
            |seq: &&u64| self.receipt_by(self.identity.device, space, **seq) == ReceiptState::Device;
        DeskItemView {
            chart: of.chart,
            space: space.to_string(),
            thread: row.thread,
            whose: if row.blind { String::new() } else { of.whose.clone() },
            kind: row.kind,
            title: row.title.clone(),
            handler: row.handler.clone(),
            last_ms: row.last_ms,
            clock: row.owing.as_ref().map(|owing| owing.view(hours, now_ms)),
            rung: row.rung,
            unseen: row.unseen,
            unsent: count(row.own_seqs.iter().filter(is_here).count()),
        }
    }

    /// Makes the rows of the spaces that have changed.
    fn bring_queue(&mut self) -> Result<(), SessionError> {
        let marks: BTreeMap<SpaceId, CareMark> =
            self.care_marks().into_iter().map(|mark| (mark.space, mark)).collect();
        self.queue.spaces.retain(|space, _| marks.contains_key(space));
        let changed: Vec<CareSpace> = self
            .care_spaces()
            .into_iter()
            .filter(|space| space.side == Side::Hospital)
            .filter(|space| {
                self.queue.spaces.get(&space.space).map(|of| of.mark) != marks.get(&space.space).copied()
            })
            .collect();
        for of in changed {
            let Some(mark) = marks.get(&of.space).copied() else { continue };
            let found = self.acts_in(of.space)?;
            let own = self.identity.device;
            let talks = talks_of(&found);
            let rows: Vec<Row> = talks.iter().map(|(thread, acts)| row(&found, *thread, acts, own)).collect();
            self.queue.read += u64::from(count(rows.len()));
            let whose = self.summary(of.chart)?.name;
            let (chart, hospital) = (of.chart, of.hospital);
            self.queue.spaces.insert(of.space, OfSpace { mark, chart, hospital, whose, rows });
        }
        Ok(())
    }
}
