//! What a hospital publishes, as it was fetched last.

use mecum_api::{
    HelpLineView, HospitalArgs, HospitalFindArgs, HospitalView, LadderView, NoticeTrust, PriceView, Topic,
    command,
};
use yew::prelude::*;
use yew_router::prelude::*;

use super::super::act::use_act;
use super::super::answer::answered_page;
use super::super::care::{open_spaces, use_care};
use super::super::head::PageHead;
use super::super::messages::kind_name;
use crate::app::use_shell;
use crate::components::{Button, ErrorBlock, Icon, IconName, Notice, NoticeKind, Qr};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// What it is opened with.
#[derive(Properties, PartialEq)]
pub struct NoticeProps {
    /// The hospital.
    pub hospital: AttrValue,
}

/// What a hospital publishes.
#[component]
pub fn NoticePage(props: &NoticeProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let args = HospitalArgs { hospital: props.hospital.parse().unwrap_or_default() };
    let query = use_query::<command::HospitalGet>(args, vec![Topic::Charts, Topic::Settings]);
    let care = use_care(shell.chart_id());
    let act = use_act::<command::HospitalFind>({
        let (anew, shell, said) = (query.anew(), shell.clone(), t!(i18n, "notice-read-done"));
        Callback::from(move |_: HospitalView| {
            anew.emit(());
            shell.toast(said.clone(), None);
        })
    });
    answered_page(
        &query,
        &t!(i18n, "hospitals-opening"),
        t!(i18n, "hospitals-title"),
        Route::Hospitals,
        |view| {
            let connected = care
                .data()
                .is_some_and(|care| open_spaces(&care).iter().any(|one| one.hospital == view.hospital));
            let again = {
                let link = view.link.clone();
                act.send.reform(move |_: MouseEvent| HospitalFindArgs { link: link.clone() })
            };
            html! {
                <div class="page page-column">
                    <PageHead title={view.name.clone()} back={Route::Hospitals} />
                    { standing(&i18n, &view) }
                    if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
                    <div class="button-row">
                        if connected {
                            <Link<Route> to={Route::AskVisit} classes="button button-main">{ t!(i18n, "visits-ask-title") }</Link<Route>>
                        } else {
                            <Link<Route> to={Route::ConnectHospital} classes="button button-main">{ t!(i18n, "care-connect") }</Link<Route>>
                        }
                        <Button working={act.working} onclick={again}>{ t!(i18n, "notice-again") }</Button>
                    </div>
                    { hours(&i18n, &view) }
                    { services(&i18n, &view) }
                    { people(&i18n, &view) }
                    { ladders(&i18n, &view.ladders) }
                    { words(&t!(i18n, "notice-pledge"), &view.pledge) }
                    { words(&t!(i18n, "notice-terms"), &view.terms) }
                    { help(&i18n, &view.help_lines) }
                    <section class="notice-part">
                        <h2 class="section-head">{ t!(i18n, "notice-link") }</h2>
                        <p class="small">{ t!(i18n, "notice-link-text") }</p>
                        <div class="notice-qr"><Qr text={view.link.clone()} label={t!(i18n, "notice-link")} /></div>
                        <p class="small notice-link"><bdi translate="no">{ view.link.clone() }</bdi></p>
                    </section>
                </div>
            }
        },
    )
}

/// When it was published and read, and what vouches for it.
fn standing(i18n: &I18n, view: &HospitalView) -> Html {
    let language = i18n.language();
    let today = format::local_day(format::now_ms());
    let at = |at_ms| format::instant_near(language, at_ms, today);
    html! {
        <>
            <p><strong>{ i18n.text(if view.open { "notice-open" } else { "notice-closed" }) }</strong></p>
            if !view.address.is_empty() { <p class="notice-address"><Icon icon={IconName::MapPin} small=true /><bdi>{ view.address.clone() }</bdi></p> }
            <p class="caption">{ t!(i18n, "notice-dates", published = at(view.published_ms), fetched = at(view.fetched_ms)) }</p>
            if view.old { <Notice kind={NoticeKind::Wait}><p>{ t!(i18n, "notice-old") }</p></Notice> }
            if view.trust == NoticeTrust::FirstSight { <Notice><p>{ t!(i18n, "notice-first-sight") }</p></Notice> }
        </>
    }
}

fn hours(i18n: &I18n, view: &HospitalView) -> Html {
    let spans = |day: &[(String, String)]| {
        let written: Vec<String> =
            day.iter().map(|(from, to)| t!(i18n, "notice-span", from = from, to = to)).collect();
        if written.is_empty() { t!(i18n, "notice-day-closed") } else { written.join(", ") }
    };
    html! {
        <section class="notice-part">
            <h2 class="section-head">{ t!(i18n, "notice-hours") }</h2>
            <dl class="notice-hours">
                { for view.week.iter().enumerate().map(|(at, day)| html! {
                    <div><dt>{ i18n.text(&format!("weekday-{}", at + 1)) }</dt><dd>{ spans(day) }</dd></div>
                }) }
            </dl>
        </section>
    }
}

/// A price as the hospital publishes it. Rupiah have no smaller unit in use; other amounts are hundredths.
pub(crate) fn price(i18n: &I18n, price: &PriceView) -> String {
    let language = i18n.language();
    if price.currency == "IDR" {
        return format!("Rp {}", format::count(language, price.amount));
    }
    let whole = format::count(language, price.amount / 100);
    let point = if language == "id" { ',' } else { '.' };
    format!("{} {whole}{point}{:02}", price.currency, price.amount % 100)
}

fn services(i18n: &I18n, view: &HospitalView) -> Html {
    if view.services.is_empty() {
        return Html::default();
    }
    html! {
        <section class="notice-part">
            <h2 class="section-head">{ t!(i18n, "notice-services") }</h2>
            <ul class="notice-list" role="list">
                { for view.services.iter().map(|one| {
                    let free = view.slots.iter().filter(|free| free.service == one.code).count();
                    html! {
                        <li key={one.code.clone()}>
                            <p class="notice-name"><strong><bdi>{ one.name.clone() }</bdi></strong></p>
                            if !one.about.is_empty() { <p class="small"><bdi>{ one.about.clone() }</bdi></p> }
                            if let Some(cost) = &one.price { <p class="small">{ price(i18n, cost) }{ " " }<bdi>{ cost.note.clone() }</bdi></p> }
                            <p class="caption">{ t!(i18n, "notice-free", count = free) }</p>
                        </li>
                    }
                }) }
            </ul>
        </section>
    }
}

fn people(i18n: &I18n, view: &HospitalView) -> Html {
    if view.practitioners.is_empty() {
        return Html::default();
    }
    let gives = |codes: &[String]| {
        let name =
            |code: &String| view.services.iter().find(|one| one.code == *code).map(|one| one.name.clone());
        codes.iter().filter_map(name).collect::<Vec<_>>().join(", ")
    };
    html! {
        <section class="notice-part">
            <h2 class="section-head">{ t!(i18n, "notice-people") }</h2>
            <ul class="notice-list" role="list">
                { for view.practitioners.iter().map(|one| html! {
                    <li key={one.name.clone()}>
                        <p class="notice-name"><strong><bdi>{ one.name.clone() }</bdi></strong></p>
                        <p class="small"><bdi>{ gives(&one.services) }</bdi></p>
                        if !one.languages.is_empty() { <p class="caption">{ t!(i18n, "notice-speaks", languages = one.languages.join(", ")) }</p> }
                    </li>
                }) }
            </ul>
        </section>
    }
}

fn ladders(i18n: &I18n, ladders: &[LadderView]) -> Html {
    if ladders.is_empty() {
        return Html::default();
    }
    html! {
        <section class="notice-part">
            <h2 class="section-head">{ t!(i18n, "notice-ladders") }</h2>
            { for ladders.iter().map(|ladder| html! {
                <>
                    <h3 class="title-3">{ kind_name(i18n, ladder.kind) }</h3>
                    <ol class="notice-rungs">
                        { for ladder.rungs.iter().map(|rung| html! {
                            <li>
                                <strong><bdi>{ rung.name.clone() }</bdi></strong>{ " " }
                                <span class="small">
                                    if let Some(reach) = &rung.outside {
                                        { t!(i18n, "notice-outside", reach = reach.as_str()) }
                                    } else {
                                        { t!(i18n, "notice-answers", hours = rung.answer_minutes.div_ceil(60)) }
                                    }
                                </span>
                            </li>
                        }) }
                    </ol>
                </>
            }) }
        </section>
    }
}

fn words(title: &str, text: &str) -> Html {
    if text.is_empty() {
        return Html::default();
    }
    html! { <section class="notice-part"><h2 class="section-head">{ title.to_owned() }</h2><p><bdi>{ text.to_owned() }</bdi></p></section> }
}

/// Whether it can be dialled: what a hospital publishes is text, and a link to anything else would be an address of its choosing.
fn is_number(reach: &str) -> bool {
    reach.chars().any(|c| c.is_ascii_digit())
        && reach.chars().all(|c| c.is_ascii_digit() || "+ -()".contains(c))
}

/// A number as a link, anything else as text.
pub(crate) fn reach(reach: &str) -> Html {
    if !is_number(reach) {
        return html! { <bdi>{ reach.to_owned() }</bdi> };
    }
    let number: String = reach.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    html! { <a class="link" href={format!("tel:{number}")}><bdi>{ reach.to_owned() }</bdi></a> }
}

fn help(i18n: &I18n, lines: &[HelpLineView]) -> Html {
    html! {
        <section class="notice-part">
            <h2 class="section-head">{ t!(i18n, "notice-help") }</h2>
            <p>{ t!(i18n, "notice-emergency") }</p>
            <ul class="notice-list" role="list">
                { for lines.iter().map(|line| html! {
                    <li><Icon icon={IconName::Phone} small=true /><strong><bdi>{ line.name.clone() }</bdi></strong>{ " " }{ reach(&line.reach) }{ " " }<span class="small"><bdi>{ line.when.clone() }</bdi></span></li>
                }) }
            </ul>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::tests::drawn;
    use crate::backend::fake::Fake;

    const PAGE: &str = "/hospitals/01010101010101010101010101010101";

    #[tokio::test]
    async fn services_hours_prices_people_rungs_pledge_and_lines_are_all_there() {
        let html = drawn(Fake::family(), PAGE, "en").await;
        for words in [
            "Internal medicine",
            "Rp 173,000",
            "08:00 to 16:00",
            "Closed",
            "dr. Hendra Wijaya",
            "Ombudsman of Yogyakarta",
            "Nobody is treated worse",
            "tel:02745678",
            "4 free times",
        ] {
            assert!(html.contains(words), "{words} in {html}");
        }
        let html = drawn(Fake::family(), PAGE, "id").await;
        assert!(html.contains("Rp 173.000"), "as Indonesians write it");
    }

    #[tokio::test]
    async fn what_is_old_or_vouched_for_by_nobody_says_so() {
        let html = drawn(Fake::family(), PAGE, "en").await;
        assert!(
            !html.contains("may have changed") && !html.contains("Nobody has vouched"),
            "this one is neither"
        );
        let fake = Fake::family();
        let old = HospitalView {
            name: "RS <b>".into(),
            old: true,
            trust: NoticeTrust::FirstSight,
            ..HospitalView::default()
        };
        fake.put("hospital_get", old);
        let html = drawn(fake, PAGE, "en").await;
        assert!(html.contains("may have changed") && html.contains("Nobody has vouched"), "{html}");
        assert!(html.contains("RS &lt;b&gt;"), "a name is text");
    }

    #[test]
    fn only_a_number_is_dialled() {
        assert!(is_number("0274 5678") && is_number("+62 (274) 5678"));
        assert!(!is_number("javascript:alert(1)") && !is_number("https://example.org") && !is_number(" "));
    }

    #[test]
    fn a_price_is_written_in_the_readers_way() {
        let cost =
            |amount, currency: &str| PriceView { amount, currency: currency.into(), note: String::new() };
        assert_eq!(price(&I18n::new("en"), &cost(173_000, "IDR")), "Rp 173,000");
        assert_eq!(price(&I18n::new("id"), &cost(12_345, "EUR")), "EUR 123,45");
    }
}
