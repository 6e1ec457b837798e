//! A part of the timeline: fifty rows under their years and months, and the way to the next fifty.

use mecum_api::{RowView, TimelineArgs, TimelineView, Topic, command};
use mecum_domain::PartialDate;
use yew::prelude::*;

use super::row::TimelineRow;
use crate::components::{Button, ButtonKind};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::answer::answered;
use crate::query::use_query;

/// Which part.
#[derive(Properties, PartialEq)]
pub struct TimelinePartProps {
    /// What to ask for.
    pub args: TimelineArgs,
    /// It is the last one shown so far.
    pub last: bool,
    /// Asks for one more.
    pub on_more: Callback<()>,
}

/// A part of the timeline.
#[component]
pub fn TimelinePart(props: &TimelinePartProps) -> Html {
    let i18n = use_i18n();
    let chart = props.args.chart;
    let part = use_query::<command::Timeline>(props.args.clone(), vec![Topic::Record { chart }]);
    let on_more = props.on_more.reform(|_| ());
    answered(&i18n, &part, &t!(i18n, "record-more-waiting"), |view| {
        html! {
            <>
                { months(&i18n, &view, props.args.offset == 0) }
                if props.last && view.more {
                    <div class="timeline-more">
                        <Button kind={ButtonKind::Second} onclick={on_more.clone()}>{ t!(i18n, "record-more") }</Button>
                    </div>
                } else if props.last && props.args.offset > 0 {
                    <p class="caption timeline-end-note">{ t!(i18n, "record-end") }</p>
                }
            </>
        }
    })
}

/// Year and month of a row; zeros where they are not known.
fn month_of(row: &RowView) -> (i16, i8) {
    row.date.as_deref().and_then(PartialDate::parse).map_or((0, 0), |d| (d.year(), d.month().unwrap_or(0)))
}

fn day_of(row: &RowView) -> Option<&str> {
    row.date.as_deref().and_then(|d| d.get(..10))
}

fn months(i18n: &I18n, view: &TimelineView, first: bool) -> Html {
    let mut out = Vec::new();
    let mut year_before = None;
    for chunk in view.rows.chunk_by(|a, b| month_of(a) == month_of(b)) {
        let (year, month) = chunk.first().map_or((0, 0), month_of);
        if year_before != Some(year) {
            out.push(year_head(i18n, view, year, first || year_before.is_some()));
            year_before = Some(year);
        }
        let days = chunk.iter().scan(None::<&str>, |before, row| {
            let day = day_of(row);
            let same = day.is_some() && *before == day;
            *before = day;
            Some((row, same))
        });
        out.push(html! {
            <section class="timeline-month">
                if month > 0 {
                    <h3>{ format::month(i18n.language(), month) }<span class="visually-hidden">{ format!(" {year}") }</span></h3>
                }
                <ol class="timeline-rows" role="list">
                    { for days.map(|(row, same_day)| html! { <TimelineRow key={row.entry.clone()} row={row.clone()} {same_day} /> }) }
                </ol>
            </section>
        });
    }
    html! { <div class="timeline">{ for out }</div> }
}

fn year_head(i18n: &I18n, view: &TimelineView, year: i16, said: bool) -> Html {
    let count = view.years.iter().find(|y| y.year == year).map_or(0, |y| y.count);
    let name = if year == 0 { t!(i18n, "record-no-date") } else { year.to_string() };
    let class = if said { "timeline-year" } else { "timeline-year timeline-year-on" };
    html! {
        <h2 {class}>
            { name }
            <span class="timeline-year-count">{ t!(i18n, "record-count", count = count, shown = format::count(i18n.language(), count.into())) }</span>
        </h2>
    }
}
