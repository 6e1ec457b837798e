//! Conversations with hospitals as screens show them: what each comes to, who said what, and how far it has got.

mod verbs;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use mecum_api::{
    CallError, CareActArgs, CareActView, CareActWords, CareSeenArgs, CareSeenView, CareSpaceView,
    CareThreadArgs, CareThreadView, CareView, ChartArgs, Code, ReceiptState,
};
use mecum_documents::CareAct;
use mecum_domain::{ActKey, Acts, Appointment, AppointmentAct, Case, CaseAct, ChartId, Role, ThreadId};
use mecum_seal::SpaceId;

use super::count;
use crate::care::owing::Owing;
use crate::care::{After, CareSpace, FoundAct, TalkActs, talks_of};
use crate::error::{SessionError, refused};
use crate::session::Session;

/// The hospitals and conversations of a chart.
pub(crate) fn care_list(session: &mut Session, args: &ChartArgs) -> Result<CareView, SessionError> {
    session.rows(args.chart)?;
    let mut view = CareView::default();
    let mut threads: Vec<(bool, CareThreadView)> = Vec::new();
    for space in session.care_spaces().into_iter().filter(|space| space.chart == args.chart) {
        let found = session.acts_in(space.space)?;
        for (thread, acts) in talks_of(&found) {
            let shown = thread_view(session, &space, &found, (thread, &acts), false)?;
            threads.push((shown.waits_for == Some(space.side), shown));
        }
        view.spaces.push(space_view(session, &space)?);
    }
    threads.sort_by_key(|(waits, shown)| (!waits, Reverse(shown.last_ms), shown.thread));
    view.threads = threads.into_iter().map(|(_, shown)| shown).collect();
    Ok(view)
}

/// One conversation with its acts.
pub(crate) fn care_get(session: &mut Session, args: &CareThreadArgs) -> Result<CareThreadView, SessionError> {
    let space = space_of(session, args.chart, &args.space)?;
    let found = session.acts_in(space.space)?;
    let talk = talks_of(&found).into_iter().find(|(thread, _)| *thread == args.thread);
    let (thread, acts) = talk.ok_or_else(SessionError::not_found)?;
    thread_view(session, &space, &found, (thread, &acts), true)
}

/// Says something, or begins a conversation. What books is a program's alone, and no screen's: two who booked would need one table.
pub(crate) fn care_act(session: &mut Session, args: CareActArgs) -> Result<CareThreadView, SessionError> {
    let CareActArgs { chart, space, thread, what, shown, by } = args;
    let of = space_of(session, chart, &space)?;
    let what = match what.ok_or_else(|| CallError::new(Code::BadCall, "error-arguments"))? {
        CareActWords::Appointment(what) => CareAct::Appointment(what),
        CareActWords::Case(what) => CareAct::Case(what),
    };
    if what.may(Role::Agent) && !what.may(Role::Staff) {
        return Err(refused("error-act-not-yours"));
    }
    let key = session.care_act(of.space, thread, what, After::Shown(shown), &by)?;
    let thread = thread.unwrap_or_else(|| ThreadId::from_bytes(*key.id.as_bytes()));
    care_get(session, &CareThreadArgs { chart, space, thread })
}

/// Says that a person has opened a conversation.
pub(crate) fn care_seen(session: &mut Session, args: CareSeenArgs) -> Result<(), SessionError> {
    let space = space_of(session, args.chart, &args.space)?;
    session.care_seen(space.space, args.thread, After::Shown(args.shown), &args.by)?;
    Ok(())
}

fn space_of(session: &Session, chart: ChartId, space: &str) -> Result<CareSpace, SessionError> {
    let space: Option<SpaceId> = space.parse().ok();
    let found = session.care_spaces().into_iter().find(|one| Some(one.space) == space && one.chart == chart);
    found.ok_or_else(SessionError::not_found)
}

fn space_view(session: &Session, space: &CareSpace) -> Result<CareSpaceView, SessionError> {
    let (name, state) = session.hospital_in(space)?;
    let CareSpace { space, hospital, side, open, .. } = *space;
    Ok(CareSpaceView { space: space.to_string(), hospital, name, side, state, open })
}

fn thread_view(
    session: &Session,
    space: &CareSpace,
    found: &[FoundAct],
    (thread, acts): (ThreadId, &TalkActs),
    whole: bool,
) -> Result<CareThreadView, SessionError> {
    let (now_ms, side) = (session.now_ms(), space.side);
    let known = session.notice_of(space.hospital);
    let hours = known.as_ref().map(|known| &known.hours);
    let clock = |owing: Option<Owing>| owing.map(|owing| owing.view(hours, now_ms));
    let of_thread: BTreeMap<ActKey, &FoundAct> =
        found.iter().filter(|one| one.thread == thread).map(|one| (one.key, one)).collect();
    let (told, comes_to) = match acts {
        TalkActs::Appointment(acts) => {
            let appointment = Appointment::of(acts);
            let waits_for = appointment.waits_for();
            let clock = clock(Owing::of_appointment(&appointment, acts));
            let may = verbs::of_appointment(&appointment, side, now_ms);
            let appointment = Some(appointment);
            let told = Told::of(acts, space, CareActWords::Appointment);
            (told, CareThreadView { waits_for, appointment, clock, may, ..CareThreadView::default() })
        }
        TalkActs::Case(acts) => {
            let case = Case::of(acts, hours);
            let waits_for = case.waits_for(acts);
            let clock = clock(Owing::of_case(&case, acts));
            let ladder = known.as_ref().map_or(&[][..], |known| known.directory.ladder(case.kind));
            let may = verbs::of_case(&case, ladder, side, now_ms);
            let told = Told::of(acts, space, CareActWords::Case);
            (told, CareThreadView { waits_for, case: Some(case), clock, may, ..CareThreadView::default() })
        }
    };
    let mut views = Vec::new();
    for (key, what) in told.acts {
        let Some(one) = of_thread.get(&key) else { continue };
        let receipt = session.receipt_of_act(space, one, &told.heard);
        let seen = one.seen.as_ref().map(|seen| CareSeenView {
            by: seen.author.name.clone(),
            // Only a person sees: a program says nothing of the kind.
            role: person(seen.author.role),
            at_ms: seen.at_ms,
        });
        let by = one.author.name.clone();
        let role = if one.stored.by.is_empty() { one.author.role } else { person(one.author.role) };
        let at_ms = one.stored.at_ms;
        views.push(CareActView { key, by, role, at_ms, receipt, seen, what });
    }
    let unseen = |one: &&CareActView| one.key.side != space.side && one.seen.is_none();
    let may = if space.open { comes_to.may.clone() } else { Vec::new() };
    Ok(CareThreadView {
        chart: space.chart,
        space: space.space.to_string(),
        hospital: space.hospital,
        name: session.hospital_in(space)?.0,
        may,
        thread,
        title: title_of_first(acts),
        begun_ms: views.first().map_or(0, |one| one.at_ms),
        last_ms: views.last().map_or(0, |one| one.at_ms),
        unsent: count(views.iter().filter(|one| one.receipt == ReceiptState::Device).count()),
        unseen: count(views.iter().filter(unseen).count()),
        shown: told.newest,
        acts: if whole { views } else { Vec::new() },
        ..comes_to
    })
}

/// In what part a person of this account acts: one account speaks for a hospital's people and for its program.
fn person(role: Role) -> Role {
    if role == Role::Agent { Role::Staff } else { role }
}

/// The acts of a conversation of either kind.
struct Told {
    acts: Vec<(ActKey, CareActWords)>,
    newest: Vec<ActKey>,
    /// What somebody of the other side knew of who said something: it has arrived there.
    heard: BTreeSet<ActKey>,
}

impl Told {
    fn of<T: Clone>(acts: &Acts<T>, space: &CareSpace, words: fn(T) -> CareActWords) -> Self {
        let keys = acts.iter().map(|(_, act)| act.key());
        Self {
            acts: acts.iter().map(|(_, act)| (act.key(), words(act.what.clone()))).collect(),
            newest: acts.next().1,
            heard: acts.up_to(keys.filter(|key| key.side != space.side)),
        }
    }
}

/// What a conversation began with: the service that was asked for, or the first line of what happened.
pub(crate) fn title_of_first(acts: &TalkActs) -> String {
    let said = match acts {
        TalkActs::Appointment(acts) => acts.iter().find_map(|(_, act)| match &act.what {
            AppointmentAct::Ask { service, .. } => Some(service),
            _ => None,
        }),
        TalkActs::Case(acts) => acts.iter().find_map(|(_, act)| match &act.what {
            CaseAct::Open { happened, .. } => Some(happened),
            _ => None,
        }),
    };
    said.and_then(|said| said.lines().next()).unwrap_or_default().to_owned()
}
