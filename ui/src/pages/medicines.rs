//! The medicines of the open record: allergies first, then clashes that wait for a person, then what is taken now and what was.

pub mod clash;

use mecum_api::{ChartArgs, MedicineView, MedicinesView, Topic, command};
use mecum_domain::Kind;
use yew::prelude::*;
use yew_router::prelude::*;

use self::clash::ClashCard;
use super::answer::answered;
use super::head::PageHead;
use super::members::may_write;
use super::words::status_name;
use crate::app::use_shell;
use crate::components::{Empty, Flag, Icon, IconName, Receipt};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// The medicines page.
#[component]
pub fn MedicinesPage() -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let chart = shell.chart_id();
    let query = use_query::<command::Medicines>(ChartArgs { chart }, vec![Topic::Record { chart }]);
    let name = shell.chart_name();
    let add = may_write(&shell, Kind::MedicationStatement);
    html! {
        <div class="page page-column page-medicines">
            { query.data().map(|view| allergy_bar(&i18n, &view)) }
            <PageHead title={t!(i18n, "medicines-title")}>
                if add {
                    <Link<Route> to={Route::Add { kind: "medication-statement".into() }} classes="button button-quiet">
                        <Icon icon={IconName::Plus} /><span>{ t!(i18n, "medicines-add") }</span>
                    </Link<Route>>
                }
            </PageHead>
            { answered(&i18n, &query, &t!(i18n, "medicines-opening"), |view| body(&i18n, &name, &view, add)) }
        </div>
    }
}

fn allergy_bar(i18n: &I18n, view: &MedicinesView) -> Html {
    if view.allergies.is_empty() {
        return Html::default();
    }
    let id = if view.allergies.len() == 1 { "medicines-allergy" } else { "medicines-allergies" };
    html! {
        <div class="allergy-bar">
            <Icon icon={IconName::OctagonAlert} />
            <p>
                { t!(i18n, id, what = "") }
                { for view.allergies.iter().enumerate().map(|(at, one)| html! {
                    <>
                        if at > 0 { { "; " } }
                        <Link<Route> to={Route::Entry { entry: one.entry.clone() }} classes="allergy-link"><bdi>{ one.text.clone() }</bdi></Link<Route>>
                    </>
                }) }
            </p>
        </div>
    }
}

fn body(i18n: &I18n, name: &str, view: &MedicinesView, add: bool) -> Html {
    if view.current.is_empty() && view.past.is_empty() && view.clashes.is_empty() {
        return html! {
            <Empty icon={IconName::Pill} title={t!(i18n, "medicines-empty-title")} text={t!(i18n, "medicines-empty-text", name = name)}>
                if add { <Link<Route> to={Route::Add { kind: "medication-statement".into() }} classes="link">{ t!(i18n, "add-title-medication-statement") }</Link<Route>> }
            </Empty>
        };
    }
    html! {
        <>
            { for view.clashes.iter().map(|clash| html! { <ClashCard key={format!("{}-{:?}", clash.entry, clash.field)} clash={clash.clone()} settle={add} /> }) }
            <section>
                <h2 class="section-head">{ t!(i18n, "medicines-current") }<span class="section-count">{ view.current.len() }</span></h2>
                if view.current.is_empty() {
                    <p class="small">{ t!(i18n, "medicines-none-now") }</p>
                }
                <ul class="medicine-list" role="list">{ for view.current.iter().map(|medicine| row(i18n, medicine)) }</ul>
            </section>
            if !view.past.is_empty() {
                <details class="medicine-past">
                    <summary>{ t!(i18n, "medicines-past-show", count = view.past.len()) }</summary>
                    <ul class="medicine-list" role="list">{ for view.past.iter().map(|medicine| row(i18n, medicine)) }</ul>
                </details>
            }
        </>
    }
}

/// A FHIR timing as the client prints it, "2 × / 1 d, 07:00", in words: "twice a day, 07:00". Anything else stays as written.
pub(super) fn frequency_words(i18n: &I18n, printed: &str) -> String {
    let (rule, times) = printed.split_once(", ").map_or((printed, None), |(rule, times)| (rule, Some(times)));
    let words = rule.split_once(" × / ").and_then(|(count, period)| {
        let count: u32 = count.trim().parse().ok()?;
        let (every, unit) = period.trim().split_once(' ')?;
        let every: u32 = every.parse().ok()?;
        let unit = i18n.try_text(&format!("medicines-unit-{unit}"))?;
        Some(if every == 1 {
            t!(i18n, "medicines-times-a", count = count, unit = unit)
        } else {
            t!(i18n, "medicines-times-every", count = count, every = every, unit = unit)
        })
    });
    match (words, times) {
        (Some(words), Some(times)) => format!("{words}, {times}"),
        (Some(words), None) => words,
        (None, _) => printed.to_owned(),
    }
}

fn row(i18n: &I18n, medicine: &MedicineView) -> Html {
    let language = i18n.language();
    let row = &medicine.row;
    let dose = medicine.dose.as_deref().map(|dose| format::number(language, dose));
    let mut about: Vec<String> = Vec::new();
    if medicine.on_hold {
        // With more behind it, it would read as one sentence.
        about.push(t!(i18n, "medicines-settle-first"));
    } else {
        let since = |date: &String| t!(i18n, "medicines-since", when = format::day_plain(language, date));
        about.extend(medicine.frequency.as_deref().map(|frequency| frequency_words(i18n, frequency)));
        about.extend(medicine.reason.as_deref().map(|reason| t!(i18n, "medicines-reason", reason = reason)));
        about.extend(medicine.prescriber.as_deref().map(|who| t!(i18n, "medicines-by", who = who)));
        about.extend(row.date.as_ref().map(since));
    }
    let status = row.status.as_deref().filter(|code| !matches!(*code, "active" | "completed" | "unknown"));
    html! {
        <li key={row.entry.clone()}>
            <Link<Route> to={Route::Entry { entry: row.entry.clone() }} classes="medicine-row">
                <Icon icon={IconName::Pill} />
                <span class="medicine-body">
                    <span class="medicine-title">
                        <bdi>{ row.title.clone() }</bdi>
                        if let Some(dose) = dose { { ", " }<bdi class="medicine-dose">{ dose }</bdi> }
                    </span>
                    <span class="caption"><bdi>{ about.join(", ") }</bdi></span>
                </span>
                <span class="medicine-end">
                    if medicine.on_hold {
                        <span class="flag flag-hold"><Icon icon={IconName::CirclePause} small=true />{ t!(i18n, "medicines-on-hold") }</span>
                    } else if let Some(status) = status {
                        <span class="flag flag-plain">{ status_name(i18n, status) }</span>
                    } else {
                        <Flag flag={row.flag} />
                    }
                    { " " }<Receipt state={row.receipt} />
                </span>
            </Link<Route>>
        </li>
    }
}
