//! One entry: its value, its own facts, its series over time, clashes, where it comes from and has got to, its history, and the original as received.

mod delete;
mod erase;
mod facts;
mod history;
mod original;

use std::rc::Rc;

use mecum_api::{Code, EntryArgs, EntryView, Topic, TrendArgs, command};
use mecum_domain::{Flag as Said, Kind};
use yew::prelude::*;
use yew_router::prelude::*;

use self::delete::{DeleteButton, use_restore};
use self::erase::Erase;
pub(crate) use self::erase::said as erasure_said;
use self::facts::{facts, where_from};
use self::history::History;
use self::original::Original;
use super::answer::{answered, answered_page};
use super::head::PageHead;
use super::medicines::clash::ClashCard;
use super::members::may_write;
use super::results::detail::TrendDetail;
use super::results::series_name;
use super::words::{kind_icon, kind_name, row_title, status_name};
use crate::app::use_shell;
use crate::components::{Button, ButtonKind, Flag, Icon, IconName, Notice, NoticeKind, Receipt};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::{QueryState, use_query};
use crate::route::Route;

/// Which entry.
#[derive(Properties, PartialEq)]
pub struct EntryPageProps {
    /// The entry.
    pub entry: AttrValue,
}

/// The page of an entry.
#[component]
pub fn EntryPage(props: &EntryPageProps) -> Html {
    let i18n = use_i18n();
    let chart = use_shell().chart_id();
    let args = EntryArgs { chart, entry: props.entry.to_string() };
    let query = use_query::<command::EntryGet>(args, vec![Topic::Record { chart }]);
    if let QueryState::Failed(error) = &query.state
        && matches!(error.code, Code::NotFound | Code::BadCall)
    {
        return html! {
            <div class="page page-column">
                <PageHead title={t!(i18n, "entry-missing-title")} back={Route::Record} />
                <p class="lead">{ t!(i18n, "entry-missing-text") }</p>
                <Link<Route> to={Route::Record} classes="link">{ t!(i18n, "entry-to-record") }</Link<Route>>
            </div>
        };
    }
    answered_page(&query, &t!(i18n, "entry-opening"), t!(i18n, "entry-error-title"), Route::Record, |view| {
        html! { <div class="page page-column"><Entry {view} /></div> }
    })
}

#[derive(Properties, PartialEq)]
struct EntryProps {
    view: Rc<EntryView>,
}

#[component]
fn Entry(props: &EntryProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let view = &props.view;
    let row = &view.row;
    let restore = use_restore(view.clone());
    let standing = view.deleted.is_none();
    let writes = may_write(&shell, row.kind);
    let back =
        if row.kind.group() == mecum_domain::KindGroup::Medicines { Route::Medicines } else { Route::Record };
    html! {
        <article class="entry">
            <PageHead title={row_title(&i18n, row)} {back}>
                if row.editable && standing && writes {
                    <Link<Route> to={Route::Edit { entry: row.entry.clone() }} classes="button button-quiet">
                        <Icon icon={IconName::Pencil} /><span>{ t!(i18n, "entry-edit") }</span>
                    </Link<Route>>
                    <DeleteButton view={view.clone()} />
                }
            </PageHead>
            if let Some(reason) = &view.deleted {
                <Notice kind={NoticeKind::Wait}>
                    <p>
                        <strong>{ if reason.is_empty() { t!(i18n, "entry-deleted-plain") } else { t!(i18n, "entry-deleted", reason = reason.as_str()) } }</strong>
                        { ". " }{ t!(i18n, "entry-deleted-text") }
                    </p>
                    if writes { <Button kind={ButtonKind::Second} onclick={restore.reform(|_: MouseEvent| ())}>{ t!(i18n, "entry-restore") }</Button> }
                </Notice>
            }
            if row.flag == Said::EnteredInError {
                <Notice kind={NoticeKind::Plain}><p>{ t!(i18n, "entry-unsure", name = shell.chart_name()) }</p></Notice>
            }
            { summary(&i18n, view) }
            { for view.clashes.iter().map(|clash| html! { <ClashCard clash={clash.clone()} settle={writes} /> }) }
            if row.kind == Kind::Other {
                <p class="small">{ t!(i18n, "entry-kept") }</p>
            }
            if let Some(trend) = row.trend.clone() {
                <EntryTrend {trend} />
            }
            { facts(&i18n, view) }
            { where_from(&i18n, view) }
            <History view={view.clone()} />
            if view.original {
                <Original entry={row.entry.clone()} />
            }
            <Erase view={view.clone()} />
        </article>
    }
}

/// Kind, value, flag, date and where it has got to.
fn summary(i18n: &I18n, view: &EntryView) -> Html {
    let row = &view.row;
    let language = i18n.language();
    let short = row.value.as_ref().filter(|v| v.chars().count() <= 16);
    let long = row.value.as_ref().filter(|v| v.chars().count() > 16);
    let status = row.status.as_deref().filter(|_| status_tells(row.kind));
    html! {
        <div class="entry-summary">
            <p class="entry-kind"><Icon icon={kind_icon(row.kind)} />{ kind_name(i18n, row) }</p>
            if let Some(value) = short {
                <p class="value-line">
                    <span class="value"><bdi>{ format::number(language, value) }</bdi></span>
                    <span class="value-unit">{ format::unit(row.unit.as_deref().unwrap_or_default()) }</span>
                    <Flag flag={row.flag} />
                </p>
            } else {
                if let Some(value) = long { <p class="entry-text"><bdi>{ value.clone() }</bdi></p> }
                <Flag flag={row.flag} />
            }
            <p class="entry-when">
                { row.date.as_ref().map_or_else(|| t!(i18n, "record-no-date"), |date| format::day_time(language, date)) }
                if let Some(status) = status { { ". " }{ status_name(i18n, status) } }
            </p>
            <Receipt state={row.receipt} />
        </div>
    }
}

/// A final result or a finished visit says nothing new; an active condition or a stopped medicine does.
fn status_tells(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Condition
            | Kind::AllergyIntolerance
            | Kind::MedicationRequest
            | Kind::MedicationStatement
            | Kind::CarePlan
            | Kind::Goal
    )
}

#[derive(Properties, PartialEq)]
struct EntryTrendProps {
    trend: AttrValue,
}

/// The series of a numeric entry, when there is more than this one.
#[component]
fn EntryTrend(props: &EntryTrendProps) -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let chart = shell.chart_id();
    let args = TrendArgs { chart, trend: props.trend.to_string(), unit: shell.unit_of(&props.trend) };
    let on_unit = {
        let trend = props.trend.clone();
        Callback::from(move |chosen| shell.set_unit(&trend, chosen))
    };
    let query = use_query::<command::Trend>(args, vec![Topic::Record { chart }]);
    answered(&i18n, &query, &t!(i18n, "results-opening"), |view| {
        let title = series_name(&i18n, view.loinc.as_deref(), &view.title);
        html! {
            <section class="entry-section">
                <h2 class="section-head">{ t!(i18n, "entry-trend") }</h2>
                <TrendDetail {view} {title} without_value=true on_unit={on_unit.clone()} />
            </section>
        }
    })
}
