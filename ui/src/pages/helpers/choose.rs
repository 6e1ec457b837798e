//! Three names. Who shares a record with this person is known by account; anybody else answers a code first.

use mecum_api::{HelperChoice, HelperPersonView};
use yew::prelude::*;

use crate::components::{Button, ButtonKind, Field};
use crate::i18n::{t, use_i18n};

#[derive(Properties, PartialEq)]
pub(super) struct ChooseProps {
    pub(super) people: Vec<HelperPersonView>,
    pub(super) on_done: Callback<Vec<HelperChoice>>,
    pub(super) on_stop: Callback<()>,
}

const HELPERS: usize = 3;

/// The three, or what is wrong with them: an empty name, or two alike.
fn chosen(names: &[String], people: &[HelperPersonView]) -> Result<Vec<HelperChoice>, &'static str> {
    let mut out: Vec<HelperChoice> = Vec::new();
    for name in names {
        let name = name.trim();
        if name.is_empty() {
            return Err("helpers-three");
        }
        if out.iter().any(|other| other.name == name) {
            return Err("helpers-alike");
        }
        let mut known = people.iter().filter(|person| person.name == name);
        // Two people of one name are told apart by the code that each answers.
        let account = known.next().filter(|_| known.next().is_none()).map(|person| person.account.clone());
        out.push(HelperChoice { account, name: name.to_owned() });
    }
    Ok(out)
}

/// The form.
#[component]
pub(super) fn Choose(props: &ChooseProps) -> Html {
    let i18n = use_i18n();
    let names = use_state(|| vec![String::new(); HELPERS]);
    let wrong = use_state(|| None::<&'static str>);
    let put = |at: usize| {
        let names = names.clone();
        Callback::from(move |name: String| {
            let mut all = (*names).clone();
            if let Some(slot) = all.get_mut(at) {
                *slot = name;
            }
            names.set(all);
        })
    };
    let onsubmit = {
        let (names, wrong) = (names.clone(), wrong.clone());
        let (people, on_done) = (props.people.clone(), props.on_done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            match chosen(&names, &people) {
                Ok(three) => on_done.emit(three),
                Err(id) => wrong.set(Some(id)),
            }
        })
    };
    let free = names.iter().position(|name| name.trim().is_empty());
    let offered = props.people.iter().filter(|person| !names.contains(&person.name)).map(|person| {
        let (name, put) = (person.name.clone(), put(free.unwrap_or(HELPERS - 1)));
        let onclick = {
            let name = name.clone();
            Callback::from(move |_: MouseEvent| put.emit(name.clone()))
        };
        html! { <Button kind={ButtonKind::Second} {onclick}><bdi>{ name }</bdi></Button> }
    });
    html! {
        <form class="form-narrow" {onsubmit} novalidate={true}>
            <p class="lead">{ t!(i18n, "helpers-choose-text") }</p>
            if !props.people.is_empty() {
                <p class="small">{ t!(i18n, "helpers-people") }</p>
                <div class="button-row">{ for offered }</div>
            }
            { for names.iter().enumerate().map(|(at, name)| {
                let error = wrong.filter(|_| at == free.unwrap_or(HELPERS - 1)).map(|id| AttrValue::from(i18n.text(id)));
                html! { <Field id={format!("helper-{at}")} label={t!(i18n, "helpers-number", number = at + 1)} value={name.clone()} {error} oninput={put(at)} /> }
            }) }
            <p class="small">{ t!(i18n, "helpers-others-code") }</p>
            <div class="button-row">
                <Button kind={ButtonKind::Main} submit=true>{ t!(i18n, "first-continue") }</Button>
                <Button kind={ButtonKind::Second} onclick={props.on_stop.reform(|_| ())}>{ t!(i18n, "add-cancel") }</Button>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_different_people_are_chosen_and_known_ones_by_their_account() {
        let person =
            |account: &str, name: &str| HelperPersonView { account: account.into(), name: name.into() };
        let people = [person("a", "Ibu Ratna"), person("b", "Budi"), person("c", "Budi")];
        let names = |three: [&str; 3]| three.map(str::to_owned).to_vec();
        let three = chosen(&names(["Ibu Ratna ", "Budi", "Sari"]), &people).expect("three people");
        let accounts: Vec<_> = three.iter().map(|one| one.account.as_deref()).collect();
        assert_eq!(accounts, [Some("a"), None, None], "one of two alike, and a stranger, answer a code");
        assert_eq!(chosen(&names(["Sari", "", "Budi"]), &people), Err("helpers-three"), "three, not two");
        assert_eq!(chosen(&names(["Sari", "Budi", "Sari"]), &people), Err("helpers-alike"), "not one twice");
    }
}
