//! The facts of an entry under their labels, and where it comes from.

use mecum_api::{DetailValue, EntryView, Origin};
use mecum_domain::{Field, Kind};
use yew::prelude::*;

use crate::components::{Flag, Receipt};
use crate::format;
use crate::i18n::{I18n, t};
use crate::pages::words::{detail_name, field_name, status_name, wire_word};

/// A fact's rows as a list of label and value.
fn fact(label: String, value: Html) -> Html {
    html! { <div class="fact"><dt>{ label }</dt><dd>{ value }</dd></div> }
}

/// Everything that the entry says: the fields of one that the family wrote, the facts of one that was received.
pub(super) fn facts(i18n: &I18n, view: &EntryView) -> Html {
    let fields =
        view.fields.iter().filter(|(field, value)| shown(view.row.kind, *field) && !value.is_empty());
    let mut rows: Vec<Html> = fields
        .map(|(field, text)| {
            fact(
                field_name(i18n, *field),
                html! { <bdi class="keep-lines">{ field_text(i18n, *field, text) }</bdi> },
            )
        })
        .collect();
    rows.extend(
        view.details.iter().map(|detail| fact(detail_name(i18n, detail), value(i18n, &detail.value))),
    );
    if rows.is_empty() {
        return Html::default();
    }
    html! {
        <section class="entry-section">
            <h2 class="section-head">{ t!(i18n, "entry-facts") }</h2>
            <dl class="facts">{ for rows }</dl>
        </section>
    }
}

/// Fields that a person wrote and that the head does not say already.
fn shown(kind: Kind, field: Field) -> bool {
    let in_head = match kind {
        Kind::VitalSign => {
            matches!(field, Field::Value | Field::Value2 | Field::Unit | Field::Name | Field::Code)
        }
        Kind::AllergyIntolerance => field == Field::Name,
        _ => field == Field::Name,
    };
    !in_head && !matches!(field, Field::Kind | Field::Deleted)
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
            .try_text(&format!("form-dose-unit-{}", text.to_lowercase()))
            .unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

fn value(i18n: &I18n, value: &DetailValue) -> Html {
    let language = i18n.language();
    match value {
        DetailValue::Text { text } => html! { <bdi class="keep-lines">{ text.clone() }</bdi> },
        DetailValue::Code { text, code, system } => html! {
            <>
                <bdi>{ text.clone() }</bdi>
                if !code.is_empty() {
                    <details class="code">
                        <summary>{ t!(i18n, "detail-code") }</summary>
                        <span class="caption"><bdi>{ format!("{code} · {system}") }</bdi></span>
                    </details>
                }
            </>
        },
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
    let device =
        if source.this_device { Some(t!(i18n, "source-this-device")) } else { source.device.clone() };
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
