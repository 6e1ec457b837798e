//! What was written to an entry, newest first. A value that a concurrent one outranked is marked, and can be made the current one by a person.

use std::rc::Rc;

use mecum_api::{EntryEditArgs, EntryView, HistoryView, command};
use mecum_domain::Field;
use yew::prelude::*;

use super::facts::field_text;
use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::words::field_name;

/// Whose history.
#[derive(Properties, PartialEq)]
pub(super) struct HistoryProps {
    /// The entry.
    pub(super) view: Rc<EntryView>,
}

/// The history, folded until it is asked for unless something in it was outranked.
#[component]
pub(super) fn History(props: &HistoryProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let view = &props.view;
    if view.history.is_empty() {
        return Html::default();
    }
    let take = |item: &HistoryView| {
        let field = item.field?;
        let args = EntryEditArgs {
            chart: shell.chart_id(),
            entry: view.row.entry.clone(),
            set: vec![(field, item.written.value.clone())],
            seen: Some(view.version.clone()),
        };
        let value = item.written.value.as_deref().map(|v| field_text(&i18n, field, v)).unwrap_or_default();
        let done = t!(i18n, "entry-history-used", field = field_name(&i18n, field), value = value);
        let (shell, backend) = (shell.clone(), backend.clone());
        Some(Callback::from(move |_: MouseEvent| {
            let (shell, backend, args, done) = (shell.clone(), backend.clone(), args.clone(), done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::EntryEdit>(args).await {
                    Ok(_) => shell.toast(done, None),
                    Err(error) => shell.problem(&error),
                }
            });
        }))
    };
    html! {
        <details class="entry-section entry-history" open={view.history.iter().any(|item| item.lost)}>
            <summary><h2 class="section-title">{ t!(i18n, "entry-history") }<span class="section-count">{ view.history.len() }</span></h2></summary>
            <ol class="history" role="list">
                { for view.history.iter().map(|item| html! {
                    <li class={classes!("history-item", item.lost.then_some("history-lost"))}>
                        <span class="history-what"><bdi>{ what(&i18n, item) }</bdi></span>
                        <span class="caption"><bdi>{ by(&i18n, item) }</bdi></span>
                        if item.lost {
                            <span class="small">{ t!(i18n, "entry-history-lost") }</span>
                            if let (Some(onclick), true) = (take(item), view.row.editable) {
                                <Button kind={ButtonKind::Second} {onclick}>{ t!(i18n, "entry-history-use") }</Button>
                            }
                        }
                    </li>
                }) }
            </ol>
        </details>
    }
}

fn what(i18n: &I18n, item: &HistoryView) -> String {
    let Some(field) = item.field else { return t!(i18n, "entry-history-added") };
    let name = match field {
        Field::Deleted if item.written.value.is_none() => return t!(i18n, "entry-history-restored"),
        Field::Deleted => {
            return t!(i18n, "entry-deleted", reason = item.written.value.clone().unwrap_or_default());
        }
        field => field_name(i18n, field),
    };
    let text = |value: &str| field_text(i18n, field, value);
    let filled = |value: &Option<String>| value.as_deref().filter(|v| !v.is_empty()).map(text);
    match (filled(&item.before), filled(&item.written.value)) {
        (Some(before), Some(value)) => {
            t!(i18n, "entry-history-changed", field = name, before = before, value = value)
        }
        (None, Some(value)) => t!(i18n, "entry-history-set", field = name, value = value),
        (Some(before), None) => t!(i18n, "entry-history-cleared", field = name, before = before),
        (None, None) => t!(i18n, "entry-history-cleared-only", field = name),
    }
}

fn by(i18n: &I18n, item: &HistoryView) -> String {
    let written = &item.written;
    let device = if written.own { t!(i18n, "source-this-device") } else { written.device.clone() };
    [written.author.clone(), device, format::instant(i18n.language(), written.at_ms)]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
