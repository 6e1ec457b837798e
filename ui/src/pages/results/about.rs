//! Plain words about a series with their source, and where a value comes from. Fixed texts only.

use mecum_api::PointView;
use mecum_domain::Flag;
use yew::prelude::*;

use crate::charts::range_text;
use crate::components::{Icon, IconName};
use crate::format;
use crate::glossary::{self, Topic, word};
use crate::i18n::{I18n, t, use_i18n};

/// What to explain.
#[derive(Properties, PartialEq)]
pub struct InPlainWordsProps {
    /// LOINC code of the series.
    pub loinc: Option<String>,
    /// Its title as printed.
    pub printed: AttrValue,
    /// What is said about the newest value.
    #[prop_or_default]
    pub flag: Flag,
}

/// The explanation: what it shows, against the laboratory's range, what it cannot tell, version, review and source.
#[component]
pub fn InPlainWords(props: &InPlainWordsProps) -> Html {
    let i18n = use_i18n();
    let found = props.loinc.as_deref().and_then(word);
    html! {
        <section class="plain-words">
            <h2 class="section-title">{ t!(i18n, "glossary-title") }</h2>
            if let Some(word) = found {
                <p>{ i18n.text(&word.shows_id()) }{ " " }{ against(&i18n, props.flag) }</p>
                <p><strong>{ t!(i18n, "glossary-cannot-label") }</strong>{ " " }{ i18n.text(&word.cannot_id()) }</p>
                <details class="glossary-source">
                    <summary>
                        <Icon icon={IconName::Book} small=true />
                        <span>{ t!(i18n, "glossary-note", version = glossary::VERSION) }{ " " }<span class="link">{ t!(i18n, "glossary-sources") }</span></span>
                    </summary>
                    <p class="caption">{ t!(i18n, "glossary-source", page = word.source) }</p>
                    <p class="caption">{ t!(i18n, "glossary-printed", title = props.printed.to_string()) }</p>
                </details>
            } else {
                <p>{ t!(i18n, "glossary-none") }</p>
            }
        </section>
    }
}

fn against(i18n: &I18n, flag: Flag) -> String {
    match flag {
        Flag::High => t!(i18n, "glossary-against-high"),
        Flag::Low => t!(i18n, "glossary-against-low"),
        Flag::InRange => t!(i18n, "glossary-against-in-range"),
        Flag::NoRange => t!(i18n, "glossary-against-no-range"),
        _ => String::new(),
    }
}

/// What is measured at home or at a bedside, or what no laboratory is known to print.
fn is_measured(loinc: Option<&str>) -> bool {
    matches!(glossary::topic(loinc), Topic::Heart | Topic::Body | Topic::Other)
}

/// That no range was printed; of a laboratory only where it is one's to print.
pub fn no_range(i18n: &I18n, loinc: Option<&str>) -> String {
    if is_measured(loinc) { t!(i18n, "chart-no-range-measured") } else { t!(i18n, "chart-no-range") }
}

/// When it was taken, the range that came with it and the source.
pub fn source_facts(i18n: &I18n, loinc: Option<&str>, point: &PointView) -> Html {
    let fact = |label: String, value: String| html! { <div class="fact"><dt>{ label }</dt><dd><bdi>{ value }</bdi></dd></div> };
    let range = range_text(i18n, point).unwrap_or_else(|| no_range(i18n, loinc));
    let range_label =
        if is_measured(loinc) { t!(i18n, "chart-range") } else { t!(i18n, "detail-reference-range") };
    html! {
        <dl class="facts">
            { fact(t!(i18n, "detail-date"), format::day_time(i18n.language(), &point.date)) }
            { fact(range_label, range) }
            { point.source.clone().map(|source| fact(t!(i18n, "entry-source"), source)) }
        </dl>
    }
}
