//! One row of the timeline: day in the margin, kind, title with value and flag, source line, and at its end what is new and where it has got to.

use mecum_api::{Origin, RowView};
use mecum_domain::PartialDate;
use yew::prelude::*;
use yew_router::prelude::*;

use crate::components::{Flag, Icon, IconName, Receipt};
use crate::format;
use crate::i18n::{t, use_i18n};
use crate::pages::words::{kind_icon, kind_name, row_phrase, source_line};
use crate::route::Route;

/// A row.
#[derive(Properties, PartialEq)]
pub struct TimelineRowProps {
    /// What it shows.
    pub row: RowView,
    /// Another row of the same day stands above: the day is not said again.
    #[prop_or_default]
    pub same_day: bool,
}

/// A row of the timeline. The whole row leads to the entry; readers hear it as one phrase.
#[component]
pub fn TimelineRow(props: &TimelineRowProps) -> Html {
    let i18n = use_i18n();
    let row = &props.row;
    let language = i18n.language();
    let (title, value) = row_phrase(&i18n, row);
    let mark = if row.source.origin == Origin::Family { IconName::Pencil } else { IconName::Lock };
    let class = classes!("timeline-row", props.same_day.then_some("timeline-row-same-day"));
    html! {
        <li {class}>
            <div class="timeline-day">{ day(language, row, props.same_day) }</div>
            <Link<Route> to={Route::Entry { entry: row.entry.clone() }} classes="timeline-link">
                <span class="timeline-icon"><Icon icon={kind_icon(row.kind)} /></span>
                <span class="timeline-body">
                    <span class="timeline-kind">{ kind_name(&i18n, row) }</span>
                    <span class="timeline-main">
                        <span class="timeline-title">
                            <bdi>{ title }</bdi>
                            if let Some(value) = value {
                                { " " }<bdi class="timeline-value">{ value }</bdi>
                            }
                        </span>
                        <Flag flag={row.flag} />
                    </span>
                    <span class="timeline-source">
                        <Icon icon={mark} small=true />
                        <bdi>{ source_line(&i18n, row) }</bdi>
                    </span>
                </span>
                <span class="timeline-end">
                    if row.new {
                        <span class="flag flag-new"><span class="flag-dot" aria-hidden="true" />{ t!(i18n, "record-new") }</span>
                        { " " }
                    }
                    <Receipt state={row.receipt} />
                </span>
            </Link<Route>>
        </li>
    }
}

fn day(language: &str, row: &RowView, same_day: bool) -> Html {
    let known = row.date.as_deref().and_then(PartialDate::parse);
    let Some(day) = known.as_ref().and_then(PartialDate::day) else { return Html::default() };
    let class = if same_day { "visually-hidden" } else { "timeline-day-text" };
    html! {
        <span {class}>
            <span class="timeline-day-number">{ day.day().to_string() }</span>
            <span class="timeline-day-name">{ format::weekday(language, day.weekday()) }</span>
        </span>
    }
}
