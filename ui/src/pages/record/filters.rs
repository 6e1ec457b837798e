//! Which rows of the timeline are shown: by type, and by who wrote them or where they come from.

use std::rc::Rc;

use mecum_api::{NameCount, TimelineView};
use mecum_domain::KindGroup;
use yew::prelude::*;

use super::Shown;
use crate::components::{Chip, Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::words::group_name;

/// Filters shown on phones; the others stand behind the filter chip there.
const FIRST_GROUPS: &[KindGroup] = &[KindGroup::Results, KindGroup::Medicines, KindGroup::Visits];

/// What can be chosen, and what is.
#[derive(Properties, PartialEq)]
pub(super) struct FiltersProps {
    /// The timeline as it is filtered now.
    pub(super) view: Rc<TimelineView>,
    /// What is chosen.
    pub(super) shown: Shown,
    /// A choice; the year goes with it, because it may have no row then.
    pub(super) on_choose: Callback<Shown>,
}

/// The filters. Several types may be chosen, one author and one place.
#[component]
pub(super) fn Filters(props: &FiltersProps) -> Html {
    let i18n = use_i18n();
    let open = use_state(|| false);
    let (view, shown) = (&props.view, &props.shown);
    let with = |groups: Vec<KindGroup>| {
        let next = Shown { groups, year: None, parts: 0, ..shown.clone() };
        props.on_choose.reform(move |_: MouseEvent| next.clone())
    };
    let chip = |group: KindGroup| {
        let pressed = shown.groups.contains(&group);
        let mut groups = shown.groups.clone();
        if pressed {
            groups.retain(|g| *g != group);
        } else {
            groups.push(group);
        }
        html! { <Chip {pressed} onclick={with(groups)}>{ group_name(&i18n, group) }</Chip> }
    };
    let filled = |first: bool| {
        view.groups
            .iter()
            .filter(|g| g.count > 0)
            .map(|g| g.group)
            .filter(move |g| FIRST_GROUPS.contains(g) == first)
    };
    let by_names = view.authors.len() > 1 || !view.places.is_empty();
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let chosen = shown.author.is_some() || shown.place.is_some();
    html! {
        <>
            <div class={classes!("chips", open.then_some("chips-open"))} role="group" aria-label={t!(i18n, "record-filter")}>
                <Chip pressed={shown.groups.is_empty()} onclick={with(Vec::new())}>{ t!(i18n, "record-all") }</Chip>
                { for filled(true).map(chip) }
                { for filled(false).map(|group| html! { <span class="chip-extra">{ chip(group) }</span> }) }
                if by_names || filled(false).next().is_some() {
                    <button type="button" class="chip chip-filter" aria-expanded={if *open { "true" } else { "false" }} onclick={toggle}>
                        <Icon icon={IconName::Filter} small=true />
                        <span class="visually-hidden">{ t!(i18n, "record-filter-more") }</span>
                    </button>
                }
            </div>
            if by_names {
                <div class={classes!("record-by", (*open || chosen).then_some("record-by-open"))} role="group" aria-label={t!(i18n, "record-filter-by")}>
                    { choice(&i18n, "record-by-author", &view.authors, shown.author.as_deref(), &{
                        let (shown, on_choose) = (shown.clone(), props.on_choose.clone());
                        Callback::from(move |author| on_choose.emit(Shown { author, year: None, parts: 0, ..shown.clone() }))
                    }) }
                    { choice(&i18n, "record-by-place", &view.places, shown.place.as_deref(), &{
                        let (shown, on_choose) = (shown.clone(), props.on_choose.clone());
                        Callback::from(move |place| on_choose.emit(Shown { place, year: None, parts: 0, ..shown.clone() }))
                    }) }
                </div>
            }
        </>
    }
}

/// One of the names of the record, or all of them.
fn choice(
    i18n: &I18n,
    label: &str,
    names: &[NameCount],
    chosen: Option<&str>,
    on_choose: &Callback<Option<String>>,
) -> Html {
    if names.is_empty() {
        return Html::default();
    }
    let onchange = {
        let on_choose = on_choose.clone();
        Callback::from(move |event: Event| {
            let select: Option<web_sys::HtmlSelectElement> = event.target_dyn_into();
            on_choose.emit(select.map(|select| select.value()).filter(|name| !name.is_empty()));
        })
    };
    let count = |count: u32| format::count(i18n.language(), count.into());
    html! {
        <div class="record-by-choice">
            <label class="record-by-label" for={label.to_owned()}>{ i18n.text(label) }</label>
            <select class="years-more" id={label.to_owned()} {onchange}>
                <option value="" selected={chosen.is_none()}>{ i18n.text(&format!("{label}-all")) }</option>
                { for names.iter().map(|one| html! {
                    <option value={one.name.clone()} selected={chosen == Some(one.name.as_str())}>{ format!("{} ({})", one.name, count(one.count)) }</option>
                }) }
            </select>
        </div>
    }
}
