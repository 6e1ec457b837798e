//! The facts of an entry under their labels, and where it comes from.

use mecum_api::{DetailValue, DetailView, EntryView, Origin};
use mecum_domain::{Field, Kind};
use yew::prelude::*;

use crate::components::{Flag, Receipt};
use crate::format;
use crate::i18n::{I18n, t};
use crate::pages::form::fields::{Draft, asked};
use crate::pages::medicines::frequency_words;
use crate::pages::words::{detail_name, field_name, status_name, wire_word};

/// A fact's rows as a list of label and value.
fn fact(label: String, value: Html) -> Html {
    html! { <div class="fact"><dt>{ label }</dt><dd>{ value }</dd></div> }
}

/// Everything that the entry says: the fields of one that the family wrote, the facts of one that was received.
pub(super) fn facts(i18n: &I18n, view: &EntryView) -> Html {
    let mut rows = own_fields(i18n, view);
    // What the family wrote is said by its fields already.
    let received = view.details.iter().filter(|_| view.fields.is_empty());
    rows.extend(received.filter(|detail| !in_head(view, detail)).map(|detail| {
        let shown = match &detail.value {
            DetailValue::Text { text } if detail.label == "detail-frequency" => {
                html! { <bdi>{ frequency_words(i18n, text) }</bdi> }
            }
            other => value(i18n, other),
        };
        fact(detail_name(i18n, detail), shown)
    }));
    if rows.is_empty() {
        return Html::default();
    }
    html! {
        <section class="entry-section">
            <h2 class="section-head">{ t!(i18n, "entry-facts") }</h2>
            <dl class="facts">{ for rows }</dl>
            { codes(i18n, view) }
        </section>
    }
}

/// The fields that a person wrote, under the form's labels and in its order; what the form does not ask for comes last.
fn own_fields(i18n: &I18n, view: &EntryView) -> Vec<Html> {
    let kind = view.row.kind;
    let draft = Draft(view.fields.clone());
    let asks = asked(kind, &draft);
    let order = |field: Field| asks.iter().position(|ask| ask.field == field).unwrap_or(usize::MAX);
    let standing = view.fields.iter().filter(|(field, value)| shown(kind, *field) && !value.is_empty());
    let mut fields: Vec<(Field, &str)> = standing.map(|(field, value)| (*field, value.as_str())).collect();
    fields.sort_by_key(|(field, _)| order(*field));
    fields
        .into_iter()
        .map(|(field, text)| {
            let label = asks.iter().find(|ask| ask.field == field);
            let label = label.map_or_else(|| field_name(i18n, field), |ask| i18n.text(ask.label));
            let mut text = field_text(i18n, field, text);
            if field == Field::Dose {
                text = format!("{text} {}", field_text(i18n, Field::DoseUnit, draft.get(Field::DoseUnit)));
            }
            fact(label, html! { <bdi class="keep-lines">{ text }</bdi> })
        })
        .collect()
}

/// A fact that the head of the entry says already: its title, its value, its date.
fn in_head(view: &EntryView, detail: &DetailView) -> bool {
    let row = &view.row;
    match &detail.value {
        DetailValue::Quantity { value, .. } => row.value.as_ref() == Some(value),
        DetailValue::Text { text } | DetailValue::Code { text, .. } => *text == row.title,
        DetailValue::Date { date } => row.date.as_ref() == Some(date),
        _ => false,
    }
}

/// The codes behind the words, on demand.
fn codes(i18n: &I18n, view: &EntryView) -> Html {
    let mut found = Vec::new();
    view.details.iter().for_each(|detail| collect_codes(&detail.value, &mut found));
    if found.is_empty() {
        return Html::default();
    }
    html! {
        <details class="codes">
            <summary>{ t!(i18n, "entry-codes") }</summary>
            <dl class="facts">
                { for found.into_iter().map(|(text, code, system)| fact(text.to_owned(), html! { <bdi>{ format!("{code} ({})", system_name(system)) }</bdi> })) }
            </dl>
        </details>
    }
}

fn collect_codes<'a>(value: &'a DetailValue, found: &mut Vec<(&'a str, &'a str, &'a str)>) {
    match value {
        DetailValue::Code { text, code, system }
            if !code.is_empty() && !found.iter().any(|(_, c, s)| *c == code && *s == system) =>
        {
            found.push((text, code, system));
        }
        DetailValue::List { items } => items.iter().for_each(|item| collect_codes(item, found)),
        _ => {}
    }
}

/// The short name of a code system; its address's last part where it has none here.
fn system_name(system: &str) -> &str {
    match system {
        "http://loinc.org" => "LOINC",
        "http://snomed.info/sct" => "SNOMED CT",
        "http://www.nlm.nih.gov/research/umls/rxnorm" => "RxNorm",
        "http://hl7.org/fhir/sid/cvx" => "CVX",
        "http://hl7.org/fhir/sid/icd-10" => "ICD-10",
        "http://www.whocc.no/atc" => "ATC",
        other => other.rsplit('/').next().unwrap_or(other),
    }
}

/// Fields that a person wrote and that the head does not say already.
fn shown(kind: Kind, field: Field) -> bool {
    let in_head = match kind {
        Kind::VitalSign => {
            matches!(field, Field::Value | Field::Value2 | Field::Unit | Field::Name | Field::Code)
        }
        _ => field == Field::Name,
    };
    !in_head && !matches!(field, Field::Kind | Field::Deleted | Field::DoseUnit)
}

/// A field's value as a person reads it.
pub(super) fn field_text(i18n: &I18n, field: Field, text: &str) -> String {
    let language = i18n.language();
    match field {
        Field::Effective | Field::Until | Field::BirthDate => format::day_time(language, text),
        Field::Value | Field::Value2 | Field::Dose => format::number(language, text),
        Field::Unit => format::unit(text),
        Field::Status | Field::Severity | Field::Gender => status_name(i18n, text),
        Field::DoseUnit => i18n
            .try_text(&format!("form-dose-unit-{}", format::lower(text)))
            .unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

fn value(i18n: &I18n, value: &DetailValue) -> Html {
    let language = i18n.language();
    match value {
        DetailValue::Text { text } => html! { <bdi class="keep-lines">{ text.clone() }</bdi> },
        DetailValue::Code { text, .. } => html! { <bdi>{ text.clone() }</bdi> },
        DetailValue::Quantity { value, unit, flag } => html! {
            <span class="fact-quantity"><strong><bdi>{ format::value(language, value, unit) }</bdi></strong><Flag flag={*flag} /></span>
        },
        DetailValue::Date { date } => html! { { format::day_time(language, date) } },
        DetailValue::Status { code } => html! { { status_name(i18n, code) } },
        DetailValue::List { items } => html! {
            <ul class="fact-list">{ for items.iter().map(|item| html! { <li>{ self::value(i18n, item) }</li> }) }</ul>
        },
    }
}

/// Who wrote it, for which organization, when it came here and on which device, and where it is now.
pub(super) fn where_from(i18n: &I18n, view: &EntryView) -> Html {
    let source = &view.row.source;
    let text = |text: &str| html! { <bdi>{ text.to_owned() }</bdi> };
    let when = format::instant(i18n.language(), source.at_ms);
    let device = if source.this_device { Some(t!(i18n, "entry-this-device")) } else { source.device.clone() };
    let at = match source.origin {
        Origin::Family => t!(i18n, "entry-written-at"),
        Origin::Import => t!(i18n, "entry-brought-in"),
    };
    let kept = match source.origin {
        Origin::Family => t!(i18n, "record-legend-pencil"),
        Origin::Import => t!(i18n, "record-legend-lock"),
    };
    html! {
        <section class="entry-section" data-origin={wire_word(source.origin)}>
            <h2 class="section-head">{ t!(i18n, "entry-where-from") }</h2>
            <dl class="facts">
                { source.author.as_deref().map(|author| fact(t!(i18n, "entry-written-by"), text(author))) }
                { source.organization.as_deref().map(|org| fact(t!(i18n, "entry-organization"), text(org))) }
                if !when.is_empty() { { fact(at, text(&when)) } }
                { device.map(|device| fact(t!(i18n, "entry-device"), text(&device))) }
                { fact(t!(i18n, "entry-where-now"), html! { <Receipt state={view.row.receipt} /> }) }
            </dl>
            <p class="caption">{ kept }</p>
        </section>
    }
}
