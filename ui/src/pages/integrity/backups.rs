//! Backups: where they lie, how old the last one is, making one, and putting one in the vault's place on a closed device.

use mecum_api::{
    BackupRestoreArgs, BackupView, BackupsView, PassphraseArgs, TaskPhase, Topic, VaultView, command,
};
use yew::prelude::*;

use crate::components::{Button, ButtonKind, ErrorBlock, Icon, IconName, Notice, NoticeKind, Progress};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::act::{PassphraseForm, use_act, use_asked_again};
use crate::pages::answer::answered;
use crate::query::use_query;

/// Days after which a backup is called old. A month of a record is what most people would not like to write again.
const OLD_DAYS: i64 = 30;

/// The backups of an open vault.
#[component]
pub(super) fn Backups() -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::BackupList>((), vec![Topic::Integrity]);
    let running = query.data().is_some_and(|view| view.phase == TaskPhase::Running);
    use_asked_again(&query, running);
    let asking = use_state(|| false);
    let begun = {
        let (asking, reload) = (asking.clone(), query.reload());
        Callback::from(move |_: BackupsView| {
            asking.set(false);
            reload.emit(());
        })
    };
    let make = use_act::<command::BackupMake>(begun);
    let stop = use_act::<command::BackupStop>(query.reload().reform(|_| ()));
    let turn = |to: bool| {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(to))
    };
    html! {
        <section class="settings-section">
            <h2 class="section-head">{ t!(i18n, "backup-title") }</h2>
            <p>{ t!(i18n, "backup-text") }</p>
            { answered(&i18n, &query, &t!(i18n, "data-opening"), |view| html! {
                <>
                    { last(&i18n, &view) }
                    <p class="small">{ t!(i18n, "backup-folder") }{ " " }<bdi class="breaks" translate="no">{ view.folder.clone() }</bdi></p>
                    <div aria-live="polite">{ made(&i18n, &view) }</div>
                    { list(&i18n, &view.backups, None) }
                </>
            }) }
            if let Some(error) = stop.error.clone() { <ErrorBlock {error} /> }
            if *asking {
                <PassphraseForm lead={t!(i18n, "backup-passphrase")} action={t!(i18n, "backup-make")} working={make.working} error={make.error.clone()}
                    on_done={make.send.clone()} on_stop={turn(false)} />
            } else {
                <div class="button-row">
                    if running {
                        <Button kind={ButtonKind::Second} working={stop.working} onclick={stop.send.reform(|_| ())}>{ t!(i18n, "backup-stop") }</Button>
                    } else {
                        <Button kind={ButtonKind::Main} onclick={turn(true).reform(|_| ())}>{ t!(i18n, "backup-make") }</Button>
                    }
                </div>
            }
            <p class="small">{ t!(i18n, "backup-how-restore") }</p>
        </section>
    }
}

fn when(i18n: &I18n, at_ms: i64) -> String {
    format::instant_near(i18n.language(), at_ms, format::local_day(format::now_ms()))
}

/// Days between a backup and now; none where there is no backup.
fn days_old(last_ms: i64, now_ms: i64) -> Option<i64> {
    (last_ms > 0).then(|| {
        (format::days_of(format::local_day(now_ms)) - format::days_of(format::local_day(last_ms))).max(0)
    })
}

fn last(i18n: &I18n, view: &BackupsView) -> Html {
    match days_old(view.last_ms, format::now_ms()) {
        None => html! { <Notice kind={NoticeKind::Wait}><p>{ t!(i18n, "backup-none") }</p></Notice> },
        Some(days) if days >= OLD_DAYS => html! {
            <Notice kind={NoticeKind::Wait}><p>{ t!(i18n, "backup-old", count = days, when = when(i18n, view.last_ms)) }</p></Notice>
        },
        Some(_) => {
            html! { <p><strong>{ t!(i18n, "backup-last", when = when(i18n, view.last_ms)) }</strong></p> }
        }
    }
}

/// What came of the backup that is being made, or was made last.
fn made(i18n: &I18n, view: &BackupsView) -> Html {
    match view.phase {
        TaskPhase::None => Html::default(),
        TaskPhase::Running => html! {
            <Progress done={u32::from(view.percent)} total={100} label={t!(i18n, "backup-running", percent = view.percent)} />
        },
        TaskPhase::Done => {
            html! { <p class="home-nothing"><Icon icon={IconName::Check} />{ t!(i18n, "backup-done") }</p> }
        }
        TaskPhase::Stopped => html! { <p class="small">{ t!(i18n, "backup-stopped") }</p> },
        TaskPhase::Failed => html! {
            <Notice kind={NoticeKind::Urgent}><p>{ view.message_id.as_deref().map_or_else(|| t!(i18n, "backup-failed"), |id| i18n.text(id)) }</p></Notice>
        },
    }
}

/// The files, each with a way to restore it where `restore` is given.
fn list(i18n: &I18n, backups: &[BackupView], restore: Option<&Callback<BackupView>>) -> Html {
    if backups.is_empty() {
        return Html::default();
    }
    html! {
        <ul class="settings-list" role="list">
            { for backups.iter().map(|one| {
                let (made, size) = (when(i18n, one.made_ms), format::size(i18n.language(), one.bytes));
                let press = restore.map(|restore| { let one = one.clone(); restore.reform(move |_: MouseEvent| one.clone()) });
                html! {
                    <li class="settings-row" key={one.backup.clone()}>
                        <Icon icon={IconName::File} />
                        <span class="settings-words">
                            <span class="settings-title">{ if one.aside { t!(i18n, "backup-aside", when = made.as_str()) } else { made.clone() } }</span>
                            <span class="caption"><bdi class="breaks" translate="no">{ one.backup.clone() }</bdi>{ ", " }{ size }</span>
                        </span>
                        if let Some(onclick) = press {
                            <Button kind={ButtonKind::Second} {onclick}>{ t!(i18n, "backup-restore") }<span class="visually-hidden">{ ": " }{ made }</span></Button>
                        }
                    </li>
                }
            }) }
        </ul>
    }
}

/// What hears that a backup is in place.
#[derive(Properties, PartialEq)]
pub struct RestoreFromProps {
    /// It is open.
    pub on_open: Callback<()>,
    /// Not now.
    pub on_back: Callback<()>,
}

/// On a closed or empty device: which backup, and its passphrase.
#[component]
pub fn RestoreFrom(props: &RestoreFromProps) -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::BackupList>((), vec![Topic::Integrity]);
    let chosen = use_state(|| None::<BackupView>);
    let restore = use_act::<command::BackupRestore>(props.on_open.reform(|_: VaultView| ()));
    let choose = {
        let chosen = chosen.clone();
        Callback::from(move |one: BackupView| chosen.set(Some(one)))
    };
    let body = if let Some(one) = (*chosen).clone() {
        let (send, backup) = (restore.send.clone(), one.backup.clone());
        let on_done = Callback::from(move |args: PassphraseArgs| {
            send.emit(BackupRestoreArgs { backup: backup.clone(), passphrase: args.passphrase });
        });
        let on_stop = {
            let chosen = chosen.clone();
            Callback::from(move |()| chosen.set(None))
        };
        html! {
            <>
                <p><strong>{ when(&i18n, one.made_ms) }</strong></p>
                <PassphraseForm lead={t!(i18n, "backup-restore-passphrase")} action={t!(i18n, "backup-restore")} working={restore.working} error={restore.error.clone()} {on_done} {on_stop} />
            </>
        }
    } else {
        answered(&i18n, &query, &t!(i18n, "data-opening"), |view| {
            html! {
                <>
                    if view.backups.is_empty() { <p>{ t!(i18n, "backup-none-here") }</p> }
                    { list(&i18n, &view.backups, Some(&choose)) }
                    <p class="small">{ t!(i18n, "backup-folder") }{ " " }<bdi class="breaks" translate="no">{ view.folder.clone() }</bdi></p>
                    <div class="button-row">
                        <Button kind={ButtonKind::Second} onclick={query.reload().reform(|_| ())}>{ t!(i18n, "backup-look-again") }</Button>
                        <Button kind={ButtonKind::Quiet} onclick={props.on_back.reform(|_| ())}>{ t!(i18n, "app-back") }</Button>
                    </div>
                </>
            }
        })
    };
    html! {
        <section class="closed-form closed-form-tall">
            <h1 tabindex="-1">{ t!(i18n, "backup-restore-title") }</h1>
            <p class="lead">{ t!(i18n, "backup-restore-lead") }</p>
            { body }
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_backup_is_counted_in_days_of_the_calendar() {
        let now = format::now_ms();
        assert_eq!(days_old(0, now), None, "there is none");
        assert_eq!(days_old(now, now), Some(0), "today");
        assert_eq!(days_old(now - 31 * 86_400_000, now), Some(31), "a month ago");
        assert_eq!(days_old(now + 86_400_000, now), Some(0), "a clock that was put back");
    }
}
