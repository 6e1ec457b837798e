//! Who a record is about: a new one for somebody one looks after, or another name or colour for the open one.

use std::rc::Rc;

use mecum_api::domain::{PersonColour, Relation};
use mecum_api::{CallError, ChartCreateArgs, ChartEditArgs, ChartView, command};
use yew::prelude::*;

use crate::app::use_shell;
use crate::backend::{Backend, use_backend};
use crate::components::{Button, ButtonKind, ColourChoice, ErrorBlock, Field, FieldType};
use crate::format;
use crate::i18n::{t, use_i18n};

/// A form.
#[derive(Properties, PartialEq)]
pub struct PersonFormProps {
    /// The record to change; a new one if none.
    #[prop_or_default]
    pub of: Option<Rc<ChartView>>,
    /// It was saved.
    pub on_done: Callback<ChartView>,
}

/// What stands in the form.
#[derive(Clone, PartialEq)]
struct Person {
    name: String,
    born: String,
    relation: Relation,
    colour: PersonColour,
}

impl Person {
    /// As the record has it; for a new one the next colour that nobody has.
    fn of(chart: Option<&ChartView>, others: &[ChartView]) -> Self {
        let free = |colour: &&PersonColour| others.iter().all(|other| other.colour != **colour);
        match chart {
            Some(chart) => Self {
                name: chart.name.clone(),
                born: chart.born.clone().unwrap_or_default(),
                relation: chart.relation,
                colour: chart.colour,
            },
            None => Self {
                name: String::new(),
                born: String::new(),
                relation: Relation::Mother,
                colour: PersonColour::ALL.iter().find(free).copied().unwrap_or_default(),
            },
        }
    }

    async fn save(self, backend: &Backend, of: Option<&ChartView>) -> Result<ChartView, CallError> {
        let name = self.name.trim().to_owned();
        let born = Some(self.born.trim().to_owned()).filter(|born| !born.is_empty());
        let (relation, colour) = (self.relation, self.colour);
        if let Some(chart) = of {
            let args = ChartEditArgs { chart: chart.chart, name, born, relation, colour };
            backend.call::<command::ChartEdit>(args).await
        } else {
            let args = ChartCreateArgs { name, born, relation, colour: Some(colour) };
            backend.call::<command::ChartCreate>(args).await
        }
    }
}

/// The form.
#[component]
pub fn PersonForm(props: &PersonFormProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let of = props.of.clone();
    let person = use_state(|| Person::of(of.as_deref(), &shell.charts()));
    let working = use_state(|| false);
    let tried = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let onsubmit = {
        let (person, working, tried, error) = (person.clone(), working.clone(), tried.clone(), error.clone());
        let on_done = props.on_done.clone();
        let of = of.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if *working || person.name.trim().is_empty() {
                return;
            }
            working.set(true);
            let (backend, working, error, on_done) =
                (backend.clone(), working.clone(), error.clone(), on_done.clone());
            let (person, of) = ((*person).clone(), of.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match person.save(&backend, of.as_deref()).await {
                    Ok(chart) => on_done.emit(chart),
                    Err(refused) => {
                        working.set(false);
                        error.set(Some(refused));
                    }
                }
            });
        })
    };
    let name = change(&person, |person, name| person.name = name);
    let born = change(&person, |person, born| person.born = born);
    let colour = change(&person, |person, colour| person.colour = colour);
    let relation = change(&person, |person, relation| person.relation = relation);
    let onrelation = Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
            relation.emit(Relation::from_word(&select.value()));
        }
    });
    let missing =
        (*tried && person.name.trim().is_empty()).then(|| AttrValue::from(t!(i18n, "first-name-missing")));
    let (title, save) =
        if of.is_some() { ("people-edit", "people-edit-do") } else { ("people-add", "people-add-do") };
    // Whose own record it is does not change.
    let own = of.as_ref().is_some_and(|chart| chart.relation == Relation::Own);
    html! {
        <form class="people-form" {onsubmit} novalidate={true}>
            <h3 class="section-title">{ i18n.text(title) }</h3>
            <Field id="person-name" label={t!(i18n, "first-name")} value={person.name.clone()} error={missing} focus=true oninput={name} />
            if !own {
                <div class="field">
                    <label class="field-label" for="person-relation">{ t!(i18n, "people-relation") }</label>
                    <select class="field-box" id="person-relation" onchange={onrelation}>
                        { for Relation::ALL.iter().filter(|r| **r != Relation::Own).map(|r| html! {
                            <option value={r.word()} selected={*r == person.relation}>{ i18n.text(&format!("relation-{}", r.word())) }</option>
                        }) }
                    </select>
                </div>
            }
            <Field id="person-born" label={t!(i18n, "first-born")} value={person.born.clone()} r#type={FieldType::Date} optional=true oninput={born} />
            <ColourChoice name="person-colour" letters={format::initials(&person.name)} value={person.colour} onchange={colour} />
            if let Some(error) = (*error).clone() { <ErrorBlock {error} /> }
            <Button kind={ButtonKind::Main} submit=true wide=true working={*working}>{ i18n.text(save) }</Button>
        </form>
    }
}

/// Writes one part of the form.
fn change<T: 'static>(person: &UseStateHandle<Person>, write: fn(&mut Person, T)) -> Callback<T> {
    let person = person.clone();
    Callback::from(move |value: T| {
        let mut next = (*person).clone();
        write(&mut next, value);
        person.set(next);
    })
}
