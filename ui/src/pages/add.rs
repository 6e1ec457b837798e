//! Adding to the record: choosing what, then its form. The person is named at the top and on the button.

use mecum_api::{EntryAddArgs, command};
use mecum_domain::{FieldError, Kind};
use yew::prelude::*;
use yew_router::prelude::*;

use super::form::EntryForm;
use super::form::fields::{Draft, blank};
use super::head::PageHead;
use super::members::{may_import, may_write};
use super::words::{from_wire_word, kind_icon, wire_word};
use crate::app::{Shell, use_shell};
use crate::backend::use_backend;
use crate::components::{Empty, Icon, IconName, Tile, TileSize};
use crate::i18n::{I18n, t, use_i18n};
use crate::route::Route;

/// What a person may write, in the order in which it is offered.
pub(super) const KINDS: &[Kind] =
    &[Kind::VitalSign, Kind::MedicationStatement, Kind::AllergyIntolerance, Kind::Note];

/// What to add.
#[derive(Properties, PartialEq)]
pub struct AddPageProps {
    /// The kind's word on the wire; any other word offers the choice.
    pub kind: AttrValue,
}

/// The page.
#[component]
pub fn AddPage(props: &AddPageProps) -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let kind = from_wire_word::<Kind>(&props.kind).filter(|kind| KINDS.contains(kind));
    // An address of a part that somebody else shares without a right to write in it offers what there is.
    match kind.filter(|kind| may_write(&shell, *kind)) {
        Some(kind) => html! { <AddForm key={wire_word(kind)} {kind} /> },
        None => choose(&i18n, &shell),
    }
}

fn choose(i18n: &I18n, shell: &Shell) -> Html {
    let name = shell.chart_name();
    if !KINDS.iter().any(|kind| may_write(shell, *kind)) {
        return html! {
            <div class="page page-column">
                <PageHead title={t!(i18n, "add-title", name = name)} back={Route::Record} />
                <Empty icon={IconName::Lock} title={t!(i18n, "shared-no-writing-title")} text={t!(i18n, "shared-no-writing-text")}>{ Html::default() }</Empty>
            </div>
        };
    }
    html! {
        <div class="page page-column">
            <PageHead title={t!(i18n, "add-title", name = name)} back={Route::Record} />
            <p class="lead">{ t!(i18n, "add-what") }</p>
            <ul class="choice-links" role="list">
                { for KINDS.iter().filter(|kind| may_write(shell, **kind)).map(|kind| {
                    let word = wire_word(kind);
                    link(Route::Add { kind: word.clone() }, kind_icon(*kind), i18n.text(&format!("add-{word}")), i18n.text(&format!("add-{word}-text")))
                }) }
                if may_import(shell) { { link(Route::Import, IconName::FileInput, t!(i18n, "import-title"), t!(i18n, "add-import-text")) } }
            </ul>
        </div>
    }
}

fn link(to: Route, icon: IconName, title: String, text: String) -> Html {
    html! {
        <li>
            <Link<Route> {to} classes="choice-link">
                <Icon {icon} />
                <span class="choice-body"><span class="choice-title">{ title }</span><span class="small">{ text }</span></span>
                <Icon icon={IconName::ChevronRight} />
            </Link<Route>>
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct AddFormProps {
    kind: Kind,
}

#[component]
fn AddForm(props: &AddFormProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let working = use_state(|| false);
    let refused = use_state(Vec::<FieldError>::new);
    let kind = props.kind;
    let name = shell.chart_name();
    let cancel = if kind == Kind::MedicationStatement { Route::Medicines } else { Route::Record };
    let on_save = {
        let (working, refused, done, cancel) =
            (working.clone(), refused.clone(), t!(i18n, "add-saved", name = name.as_str()), cancel.clone());
        let shell = shell.clone();
        Callback::from(move |draft: Draft| {
            let args = EntryAddArgs { chart: shell.chart_id(), kind, fields: draft.0 };
            let (working, refused, done, to) =
                (working.clone(), refused.clone(), done.clone(), cancel.clone());
            let (shell, backend) = (shell.clone(), backend.clone());
            working.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::EntryAdd>(args).await {
                    Ok(_) => {
                        shell.toast(done, None);
                        shell.go(to);
                    }
                    Err(error) => {
                        working.set(false);
                        if error.fields.is_empty() {
                            shell.problem(&error);
                        } else {
                            refused.set(error.fields);
                        }
                    }
                }
            });
        })
    };
    html! {
        <div class="page page-task">
            <PageHead title={i18n.text(&format!("add-title-{}", wire_word(kind)))} back={cancel.clone()} />
            <p class="form-for">
                if let Some(chart) = shell.chart() { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Row} /> }
                <bdi>{ t!(i18n, "add-for", name = name.as_str()) }</bdi>
            </p>
            <EntryForm {kind} initial={blank(kind)} save={t!(i18n, "add-save", name = name.as_str())} working={*working} refused={(*refused).clone()} {cancel} {on_save} />
        </div>
    }
}
