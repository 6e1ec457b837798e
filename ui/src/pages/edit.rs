//! Changing an entry that the family wrote. Only fields that were changed are written; the old text stays in the history.

use std::rc::Rc;

use mecum_api::{EntryArgs, EntryEditArgs, EntryView, Topic, command};
use mecum_domain::{Field, FieldError, Kind};
use yew::prelude::*;
use yew_router::prelude::*;

use super::answer::answered_page;
use super::form::EntryForm;
use super::form::fields::{Draft, asked, unit_of};
use super::head::PageHead;
use super::members::may_write;
use super::words::row_title;
use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{Empty, IconName};
use crate::i18n::{t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// What to change.
#[derive(Properties, PartialEq)]
pub struct EditPageProps {
    /// The entry.
    pub entry: AttrValue,
}

/// The page. The form is filled once; news that arrives meanwhile does not overwrite what is being typed.
#[component]
pub fn EditPage(props: &EditPageProps) -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let chart = shell.chart_id();
    let args = EntryArgs { chart, entry: props.entry.to_string() };
    let query = use_query::<command::EntryGet>(args, vec![Topic::Record { chart }]);
    answered_page(&query, &t!(i18n, "entry-opening"), t!(i18n, "entry-error-title"), Route::Record, |view| {
        let writes = may_write(&shell, view.row.kind);
        if !writes {
            return html! {
                <div class="page page-column">
                    <PageHead title={view.row.title.clone()} back={Route::Entry { entry: view.row.entry.clone() }} />
                    <Empty icon={IconName::Lock} title={t!(i18n, "shared-no-writing-title")} text={t!(i18n, "shared-no-writing-text")}>{ Html::default() }</Empty>
                </div>
            };
        }
        if view.row.editable && view.deleted.is_none() {
            let key = view.row.entry.clone();
            return html! { <EditForm {key} {view} /> };
        }
        html! {
            <div class="page page-column">
                <PageHead title={view.row.title.clone()} back={Route::Entry { entry: view.row.entry.clone() }} />
                <Empty icon={IconName::Lock} title={t!(i18n, "edit-locked-title")} text={t!(i18n, "edit-locked-text")}>
                    <Link<Route> to={Route::Add { kind: "note".into() }} classes="link">{ t!(i18n, "add-title-note") }</Link<Route>>
                </Empty>
            </div>
        }
    })
}

#[derive(Properties, PartialEq)]
struct EditFormProps {
    view: Rc<EntryView>,
}

/// The stored fields as the form shows them: instants without their offset, a measurement with its unit.
fn initial(view: &EntryView) -> Draft {
    let mut draft = Draft::default();
    for (field, value) in &view.fields {
        let shown = if *field == Field::Effective && value.contains('T') {
            value.get(..16).unwrap_or(value)
        } else {
            value
        };
        draft.set(*field, shown.to_owned());
    }
    if draft.get(Field::Unit).is_empty() && !draft.get(Field::Code).is_empty() {
        let unit = unit_of(draft.get(Field::Code)).to_owned();
        draft.set(Field::Unit, unit);
    }
    draft
}

/// The fields that the form changed: what was there before against what stands there now; `None` clears.
fn changed(
    kind: Kind,
    before: &[(Field, String)],
    shown: &Draft,
    after: &Draft,
) -> Vec<(Field, Option<String>)> {
    let old = |field: Field| before.iter().find(|(f, _)| *f == field).map_or("", |(_, v)| v.as_str());
    let mut set: Vec<(Field, Option<String>)> = after
        .0
        .iter()
        .filter(|(field, value)| old(*field) != value && !same_moment(*field, shown.get(*field), value))
        .map(|(field, value)| (*field, Some(value.clone())))
        .collect();
    // Only what the form asks for can be emptied by it: a field of a newer version stays.
    let gone = before.iter().filter(|(field, value)| {
        !value.is_empty()
            && after.get(*field).is_empty()
            && asked(kind, shown).iter().any(|ask| ask.field == *field)
    });
    set.extend(gone.map(|(field, _)| (*field, None)));
    set
}

/// The form shows a moment without its offset: if that was not touched, the stored moment stays as it is.
fn same_moment(field: Field, shown: &str, value: &str) -> bool {
    field == Field::Effective && shown.contains('T') && value.starts_with(shown)
}

#[component]
fn EditForm(props: &EditFormProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let working = use_state(|| false);
    let refused = use_state(Vec::<FieldError>::new);
    let view = use_memo((), |()| props.view.clone());
    let start = initial(&view);
    let back = Route::Entry { entry: view.row.entry.clone() };
    let on_save = {
        let (working, refused, back, view, start) =
            (working.clone(), refused.clone(), back.clone(), view.clone(), start.clone());
        let done = t!(i18n, "edit-saved", name = shell.chart_name());
        let nothing = t!(i18n, "edit-nothing");
        let shell = shell.clone();
        Callback::from(move |draft: Draft| {
            let set = changed(view.row.kind, &view.fields, &start, &draft);
            if set.is_empty() {
                shell.toast(nothing.clone(), None);
                shell.go(back.clone());
                return;
            }
            let args = EntryEditArgs {
                chart: shell.chart_id(),
                entry: view.row.entry.clone(),
                set,
                seen: Some(view.version.clone()),
            };
            let (working, refused, done, back) =
                (working.clone(), refused.clone(), done.clone(), back.clone());
            let (shell, backend) = (shell.clone(), backend.clone());
            working.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::EntryEdit>(args).await {
                    Ok(_) => {
                        shell.toast(done, None);
                        shell.go(back);
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
            <PageHead title={t!(i18n, "edit-title", title = row_title(&i18n, &view.row))} back={back.clone()} />
            <p class="lead">{ t!(i18n, "edit-note") }</p>
            <EntryForm kind={view.row.kind} initial={start} save={t!(i18n, "edit-save")} working={*working} refused={(*refused).clone()} cancel={back} {on_save} />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind::MedicationStatement;

    fn fields(pairs: &[(Field, &str)]) -> Vec<(Field, String)> {
        pairs.iter().map(|(f, v)| (*f, (*v).to_owned())).collect()
    }

    #[test]
    fn only_what_was_changed_is_written() {
        let before = fields(&[
            (Field::Name, "Amlodipine"),
            (Field::Dose, "5"),
            (Field::Reason, "pressure"),
            (Field::Until, "2027"),
        ]);
        let shown = Draft(before.clone());
        let after = Draft(fields(&[(Field::Name, "Amlodipine"), (Field::Dose, "10")]));
        let set = changed(KIND, &before, &shown, &after);
        assert_eq!(
            set,
            [(Field::Dose, Some("10".to_owned())), (Field::Reason, None)],
            "one new value, one emptied, the name and what the form does not ask for untouched"
        );
    }

    #[test]
    fn an_untouched_moment_keeps_its_offset() {
        let before = fields(&[(Field::Effective, "2026-09-08T08:05:00+07:00")]);
        let shown = Draft(fields(&[(Field::Effective, "2026-09-08T08:05")]));
        let after = Draft(fields(&[(Field::Effective, "2026-09-08T08:05:00+02:00")]));
        assert!(
            changed(KIND, &before, &shown, &after).is_empty(),
            "a journey to another zone moves no reading"
        );
    }
}
