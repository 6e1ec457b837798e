//! The card of a clash: every value equal in size and in order of time, who, on which device and when, what was last agreed, and one button.
//! Nothing is chosen for the person.

use mecum_api::{ChartView, ClashView, WrittenView};
use mecum_domain::{Field, PersonColour};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::app::Shell;
use crate::components::{Icon, IconName, Receipt, Tile, TileSize};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::words::{field_name, wire_word};
use crate::route::Route;

/// A clash to show.
#[derive(Properties, PartialEq)]
pub struct ClashCardProps {
    /// The clash.
    pub clash: ClashView,
    /// The person may settle it.
    #[prop_or(true)]
    pub settle: bool,
}

/// A value as written, in the reader's digits; "nothing" where the field was emptied.
pub fn written_value(i18n: &I18n, written: &WrittenView) -> String {
    match written.value.as_deref() {
        Some(value) if !value.is_empty() => format::number(i18n.language(), value),
        _ => t!(i18n, "clash-empty"),
    }
}

/// When a value was written: "Sun 6 Sep, 20:34".
pub fn written_when(i18n: &I18n, written: &WrittenView) -> String {
    format::instant_near(i18n.language(), written.at_ms, format::local_day(format::now_ms()))
}

/// On which device a value was written.
pub fn written_device(i18n: &I18n, written: &WrittenView) -> String {
    if written.own { t!(i18n, "source-this-device") } else { written.device.clone() }
}

/// Where and when a value was written: "Sun 6 Sep, 20:34, her phone".
pub fn written_where(i18n: &I18n, written: &WrittenView) -> String {
    let both = [written_when(i18n, written), written_device(i18n, written)];
    both.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
}

/// What was written with a value, in its writer's words.
pub fn written_words(written: &WrittenView) -> Html {
    let Some(words) = written.words.clone() else { return Html::default() };
    html! { <q class="written-words"><bdi>{ words }</bdi></q> }
}

/// The dose has words of its own; a clash on its unit is a clash on the dose too.
pub fn is_dose(field: Field) -> bool {
    matches!(field, Field::Dose | Field::DoseUnit)
}

/// The colour of an author's tile: their own where this device holds their record, so that nobody is seen in two colours;
/// else one of a few, by place.
pub fn author_colour(charts: &[ChartView], author: &str, at: usize) -> PersonColour {
    if let Some(own) = charts.iter().find(|chart| chart.name == author) {
        return own.colour;
    }
    let colours = [PersonColour::Toska, PersonColour::Bata, PersonColour::Lumut, PersonColour::Kopi];
    colours.get(at % colours.len()).copied().unwrap_or_default()
}

/// The card.
#[component]
pub fn ClashCard(props: &ClashCardProps) -> Html {
    let i18n = use_i18n();
    let clash = &props.clash;
    let charts = use_context::<Shell>().map(|shell| shell.charts()).unwrap_or_default();
    let count = clash.values.len();
    let title = if is_dose(clash.field) {
        t!(i18n, "clash-title-dose", title = clash.title.as_str(), count = count)
    } else {
        t!(
            i18n,
            "clash-title",
            title = clash.title.as_str(),
            count = count,
            field = format::lower(&field_name(&i18n, clash.field))
        )
    };
    let settle = if is_dose(clash.field) { t!(i18n, "clash-settle-dose") } else { t!(i18n, "clash-settle") };
    let id = format!("clash-{}-{}", clash.entry, wire_word(clash.field));
    html! {
        <section class="clash-card" aria-labelledby={id.clone()}>
            <h2 class="clash-head" {id}><Icon icon={IconName::GitCompare} /><bdi>{ title }</bdi></h2>
            <ul class="clash-values" role="list">{ for clash.values.iter().enumerate().map(|(at, w)| value(&i18n, author_colour(&charts, &w.author, at), w)) }</ul>
            <div class="clash-foot">
                <p>
                    <strong>{ t!(i18n, "clash-nothing-chosen") }</strong>{ " " }
                    { agreed(&i18n, clash) }
                </p>
                if props.settle {
                    <Link<Route>
                        to={Route::Settle { entry: clash.entry.clone(), field: wire_word(clash.field) }}
                        classes="button button-main button-wide"
                    >
                        { settle }
                    </Link<Route>>
                }
            </div>
        </section>
    }
}

fn value(i18n: &I18n, colour: PersonColour, written: &WrittenView) -> Html {
    html! {
        <li class="clash-value" key={written.choice.clone()}>
            <span class="clash-author">
                <Tile letters={format::initials(&written.author)} {colour} size={TileSize::Row} />
                <span><strong><bdi>{ written.author.clone() }</bdi></strong>{ " " }{ t!(i18n, "clash-wrote") }</span>
            </span>
            <span class="clash-figure"><bdi>{ written_value(i18n, written) }</bdi></span>
            { written_words(written) }
            <span class="small clash-where"><bdi>{ written_when(i18n, written) }</bdi><bdi>{ written_device(i18n, written) }</bdi></span>
            <Receipt state={written.receipt} />
        </li>
    }
}

fn agreed(i18n: &I18n, clash: &ClashView) -> String {
    clash.agreed.as_ref().map_or_else(
        || t!(i18n, "clash-agreed-none"),
        |agreed| {
            t!(
                i18n,
                "clash-agreed",
                value = written_value(i18n, agreed),
                author = agreed.author.as_str(),
                when = format::instant(i18n.language(), agreed.at_ms)
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use yew_router::history::{AnyHistory, MemoryHistory};

    use super::*;

    #[component]
    fn Card() -> Html {
        let written = |author: &str, value: &str, choice: &str| WrittenView {
            value: Some(value.into()),
            author: author.into(),
            device: format!("{author}'s phone"),
            choice: choice.into(),
            at_ms: 1_788_729_240_000,
            ..WrittenView::default()
        };
        let clash = ClashView {
            entry: "e".into(),
            title: "Amlodipine".into(),
            field: Field::Dose,
            values: vec![
                WrittenView { words: Some("as on the box".into()), ..written("Ani", "5 mg", "a") },
                written("Budi", "10 mg", "b"),
            ],
            agreed: Some(written("Laras", "2.5 mg", "c")),
        };
        html! {
            <Router history={AnyHistory::from(MemoryHistory::new())}>
                <ContextProvider<I18n> context={I18n::new("en")}><ClashCard {clash} /></ContextProvider<I18n>>
            </Router>
        }
    }

    #[test]
    fn a_writer_has_the_colour_of_their_own_record() {
        let laras = ChartView { name: "Laras".into(), colour: PersonColour::Nila, ..ChartView::default() };
        assert_eq!(author_colour(std::slice::from_ref(&laras), "Laras", 0), PersonColour::Nila, "her own");
        assert_eq!(author_colour(&[laras], "Laras", 1), PersonColour::Nila, "wherever her value stands");
        assert_ne!(author_colour(&[], "Ani", 0), author_colour(&[], "Budi", 1), "two others differ");
    }

    #[tokio::test]
    async fn a_clash_shows_both_values_alike_and_chooses_neither() {
        let html = yew::LocalServerRenderer::<Card>::new().hydratable(false).render().await;
        assert_eq!(html.matches("class=\"clash-figure\"").count(), 2, "both values stand in the same form");
        for words in
            ["5 mg", "10 mg", "Ani", "Budi", "Nothing was chosen for you.", "Last agreed: 2.5 mg, by Laras"]
        {
            assert!(html.contains(words), "the card says {words}");
        }
        assert!(html.contains("as on the box"), "in the words of who wrote it");
        assert_eq!(html.matches("class=\"written-words\"").count(), 1, "and nobody is given words");
        assert!(html.contains("/record/medicines/e/settle/dose"), "one way to settle it");
        assert!(!html.contains("checked"), "nothing is chosen beforehand");
    }
}
