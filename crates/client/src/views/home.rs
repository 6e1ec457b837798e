//! Home and the list of charts: made from the stored summaries, so that unlocking shows something at once.

use mecum_api::{ChartView, HomeView, LatestView, NeedKind, NeedView, WrittenView};
use mecum_domain::{ChartId, Flag, PartialDate, PersonColour, Relation, age_on, initials};

use super::{Shown, clash, count};
use crate::error::SessionError;
use crate::row::Row;
use crate::session::Session;
use crate::summary::{ChartSummary, StoredNeed};

/// Things that ask for attention at once, the others are opened. Source: design principle 2, "At most three things ask for
/// attention".
const NEEDS: usize = 3;

/// Newest entries on home. Source: the contract's `HomeView::latest`.
const LATEST: usize = 8;

/// The charts, the own one first. A chart that cannot be read says so, and the others go on.
pub(crate) fn chart_list(session: &Session) -> Vec<ChartView> {
    session.charts().into_iter().map(|chart| chart_view(session, chart)).collect()
}

/// One chart in the list.
pub(crate) fn chart_view(session: &Session, chart: ChartId) -> ChartView {
    match session.summary(chart) {
        Ok(summary) => view_of(session, chart, summary),
        Err(_) => ChartView { chart, letters: initials(""), unreadable: true, ..ChartView::default() },
    }
}

fn view_of(session: &Session, chart: ChartId, summary: ChartSummary) -> ChartView {
    let born = summary.born.as_deref().and_then(PartialDate::parse);
    ChartView {
        chart,
        letters: initials(&summary.name),
        colour: PersonColour::from_word(&summary.colour),
        relation: Relation::from_word(&summary.relation),
        age: born.and_then(|born| age_on(&born, session.today())),
        born: summary.born,
        needs: count(summary.needs.len()),
        entries: summary.entries,
        conditions: summary.conditions,
        allergies: summary.allergies,
        allergy_clash: summary.allergy_clash,
        name: summary.name,
        unreadable: false,
        shared_by: session.shared_by(chart),
        ended: session.share_ended(chart),
        writes: session.writable_sections(chart),
    }
}

/// Home over all charts.
pub(crate) fn home(session: &mut Session) -> Result<HomeView, SessionError> {
    let charts = session.charts();
    let mut needs: Vec<(ChartId, StoredNeed)> = Vec::new();
    let mut latest: Vec<(ChartId, Row)> = Vec::new();
    for chart in &charts {
        let Ok(summary) = session.summary(*chart) else { continue };
        needs.extend(summary.needs.into_iter().map(|need| (*chart, need)));
        latest.extend(summary.latest.into_iter().map(|row| (*chart, row)));
    }
    needs.sort_by(|(_, a), (_, b)| rank(a.kind()).cmp(&rank(b.kind())).then(b.date.cmp(&a.date)));
    latest.sort_by(|(_, a), (_, b)| a.order().cmp(&b.order()));
    let mut needs_total = count(needs.len());
    let mut shown_needs = Vec::new();
    for (at, (chart, need)) in needs.into_iter().enumerate() {
        shown_needs.push(need_view(session, chart, need, at < NEEDS)?);
    }
    if session.quarantined() > 0 {
        needs_total += 1;
        let at = shown_needs.iter().position(|need| rank(need.kind) > rank(NeedKind::Quarantine));
        shown_needs.insert(
            at.unwrap_or(shown_needs.len()),
            quarantine(session, charts.first().copied().unwrap_or_default()),
        );
    }
    let latest = latest.into_iter().take(LATEST).map(|(chart, row)| latest_view(session, chart, &row));
    Ok(HomeView {
        today: session.today().to_string(),
        latest: latest.collect::<Result<_, _>>()?,
        charts: chart_list(session),
        needs: shown_needs,
        needs_total,
        honesty: session.honesty()?,
        helpers_notice: session.helpers_notice()?,
        // The exchange is the app's to tell, not the session's.
        ..HomeView::default()
    })
}

/// Safety first, then what somebody waits for, then news.
fn rank(kind: NeedKind) -> u8 {
    match kind {
        NeedKind::Clash => 0,
        NeedKind::Device => 1,
        NeedKind::Quarantine => 2,
        NeedKind::Result => 3,
    }
}

fn latest_view(session: &Session, chart: ChartId, row: &Row) -> Result<LatestView, SessionError> {
    Ok(LatestView { chart, row: Shown::of(session, chart)?.row(session, row) })
}

fn quarantine(session: &Session, chart: ChartId) -> NeedView {
    NeedView {
        kind: NeedKind::Quarantine,
        chart,
        value: Some(session.quarantined().to_string()),
        ..NeedView::default()
    }
}

/// A need with the values of its clash, if they are asked for: the one place where home loads a document, and only while people
/// disagree.
fn need_view(
    session: &mut Session,
    chart: ChartId,
    need: StoredNeed,
    values: bool,
) -> Result<NeedView, SessionError> {
    let clash = match need.kind() {
        NeedKind::Clash if values => clash::clashes(session, chart, need.key)?.into_iter().next(),
        _ => None,
    };
    let field = clash.as_ref().map(|clash| clash.field);
    let written: Vec<WrittenView> = clash.map(|clash| clash.values).unwrap_or_default();
    Ok(NeedView {
        kind: need.kind(),
        chart,
        entry: Some(need.key.name()),
        field,
        flag: if need.kind() == NeedKind::Clash { Flag::Clash } else { need.flag() },
        value: need.value,
        title: need.title,
        written,
        date: need.date,
    })
}
