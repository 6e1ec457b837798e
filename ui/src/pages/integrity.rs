//! "Your data": whether it is as it was written, backups, and making it right again. Parts of it stand on the closed screens too.

pub mod backups;
mod check;
pub mod closed;
mod mend;

use mecum_api::{ErasureKind, ErasureView, Finding, Topic, command};
use yew::prelude::*;

use self::backups::Backups;
use self::check::Check;
use self::mend::Mend;
use super::answer::answered;
use super::entry::erasure_said;
use super::head::PageHead;
use super::members::section_name;
use super::words::wire_word;
use crate::app::use_shell;
use crate::components::{Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// The page.
#[component]
pub fn DataPage() -> Html {
    let i18n = use_i18n();
    html! {
        <div class="page page-column page-data">
            <PageHead title={t!(i18n, "data-title")} back={Route::Settings} />
            <Check />
            <Backups />
            <Mend />
            <Erased />
        </div>
    }
}

/// What is damaged, how much of it, and who can put it right.
fn findings(i18n: &I18n, findings: &[Finding]) -> Html {
    html! {
        <ul class="count-list" role="list">
            { for findings.iter().map(|one| html! {
                <li>
                    <span>
                        <strong>{ i18n.text(&format!("finding-{}", wire_word(one.kind))) }</strong>{ " " }
                        <span class="caption">{ i18n.text(&format!("finding-by-{}", wire_word(one.mend))) }</span>
                    </span>
                    <strong>{ format::count(i18n.language(), one.count.into()) }</strong>
                </li>
            }) }
        </ul>
    }
}

/// What was erased or moved in the open record, and what of it still waits.
#[component]
fn Erased() -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let chart = shell.chart_id();
    let args = mecum_api::ChartArgs { chart };
    let query = use_query::<command::ErasureList>(args, vec![Topic::Record { chart }, Topic::Sync]);
    html! {
        <section class="settings-section">
            <h2 class="section-head">{ t!(i18n, "erased-title", name = shell.chart_name()) }</h2>
            { answered(&i18n, &query, &t!(i18n, "data-opening"), |list| html! {
                if list.is_empty() {
                    <p class="small">{ t!(i18n, "erased-none") }</p>
                } else {
                    <ul class="settings-list" role="list">{ for list.iter().map(|one| erased_row(&i18n, one)) }</ul>
                }
            }) }
        </section>
    }
}

fn erased_row(i18n: &I18n, one: &ErasureView) -> Html {
    let section = section_name(i18n, &one.section);
    let what = one.title.clone().unwrap_or_else(|| t!(i18n, "erased-something", section = section));
    let said = if one.kind == ErasureKind::Cleared { "erased-cleared" } else { erasure_said(one) };
    let when = format::instant_near(i18n.language(), one.at_ms, format::local_day(format::now_ms()));
    html! {
        <li class="settings-row" key={one.erasure.clone()}>
            <Icon icon={IconName::Lock} />
            <span class="settings-words">
                <span class="settings-title"><bdi>{ what }</bdi></span>
                <span class="caption">{ i18n.text(said) }{ ". " }{ when }</span>
                if !one.reason.is_empty() { <span class="caption"><bdi>{ one.reason.clone() }</bdi></span> }
                if !one.by.is_empty() { <span class="caption">{ t!(i18n, "erased-by", name = one.by.as_str()) }</span> }
                if one.late > 0 { <span class="caption">{ t!(i18n, "erased-late", count = one.late) }</span> }
                if let Some(id) = &one.message_id { <span class="caption">{ i18n.text(id) }</span> }
            </span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use mecum_api::{BackupsView, CheckView, HomeView, NoticeView, SyncView, VaultPhase};
    use std::rc::Rc;

    use crate::app::tests::drawn;
    use crate::app::{App, AppProps};
    use crate::backend::Backend;
    use crate::backend::fake::Fake;

    async fn closed(fake: Fake) -> String {
        let backend = Backend::Fake(Rc::new(fake));
        let props = move || AppProps { backend };
        yew::LocalServerRenderer::<App>::with_props(props()).hydratable(false).render().await
    }

    #[tokio::test]
    async fn what_a_check_found_is_said_in_words_with_who_can_put_it_right() {
        let html = drawn(Fake::family(), "/settings/data", "en").await;
        for words in [
            "Parts of the record are damaged.",
            "The server has this part: only it is fetched and checked",
            "Last backup: Sun 6 Sep",
            "/home/laras/Documents/Mecum backups",
            "Erased for good",
            "about somebody else",
        ] {
            assert!(html.contains(words), "the page says: {words}");
        }
        let html = drawn(Fake::family(), "/settings/data", "id").await;
        assert!(html.contains("Sebagian rekam rusak."), "in Indonesian too");
    }

    #[tokio::test]
    async fn a_record_without_a_backup_says_so_and_a_sound_one_too() {
        let fake = Fake::family();
        fake.put("backup_list", BackupsView::default());
        fake.put(
            "check_status",
            CheckView { phase: mecum_api::TaskPhase::Done, looked: 3, ..CheckView::default() },
        );
        let html = drawn(fake, "/settings/data", "en").await;
        assert!(html.contains("There is no backup yet"), "nobody thinks that there is one");
        assert!(html.contains("Everything is as it was written: 3 parts"), "and what was looked at");
    }

    #[tokio::test]
    async fn a_damaged_vault_has_three_ways_out_and_one_in_use_none() {
        let fake = Fake::family();
        fake.phase(VaultPhase::Damaged);
        let html = closed(fake).await;
        for words in ["See what is damaged", "Restore from a backup", "Begin anew"] {
            assert!(html.contains(words), "a damaged vault offers: {words}");
        }
        let fake = Fake::family();
        fake.phase(VaultPhase::InUse);
        let html = closed(fake).await;
        assert!(!html.contains("Begin anew") && html.contains("Try again"), "one in use is left alone");
    }

    #[tokio::test]
    async fn what_goes_on_failing_in_the_file_is_said_on_home_and_a_check_is_offered_where_it_is_damaged() {
        for (id, language, words, offers) in [
            ("notice-storage-damaged", "en", "Have it checked.", true),
            ("notice-storage-damaged", "id", "Periksakan berkasnya.", true),
            ("notice-storage-full", "en", "Free some space", false),
            ("notice-storage-not-saved", "en", "See whether this device has free space", false),
        ] {
            let fake = Fake::family();
            let notice = NoticeView { message_id: id.to_owned(), ..NoticeView::default() };
            let sync = SyncView { notices: vec![notice], ..SyncView::default() };
            fake.put("home", HomeView { sync, ..HomeView::default() });
            let html = drawn(fake, "/", language).await;
            assert!(html.contains(words), "{id} says: {words}");
            assert_eq!(html.contains("/settings/data"), offers, "{id}: the way to the check");
        }
    }

    #[tokio::test]
    async fn who_restores_by_helpers_is_told_first_on_home_with_its_check_words() {
        let fake = Fake::family();
        fake.asked(0);
        let html = drawn(fake, "/", "en").await;
        let (notice, first) = (html.find("Somebody asks to restore your record"), html.find("Needs you"));
        assert!(notice.is_some() && (first.is_none() || notice < first), "before everything else");
        for words in ["lantern", "Stop it", "This is me"] {
            assert!(html.contains(words), "with {words}");
        }
        assert!(!html.contains("behind this one"), "and of others only where there are any");
        for (others, language, words) in [
            (1, "en", "One more request waits behind this one."),
            (2, "en", "2 more requests wait behind this one. If you stop it, all of them end."),
            (99, "en", "99 or more requests wait"),
            (2, "id", "2 permintaan lain menunggu di belakangnya."),
        ] {
            let fake = Fake::family();
            fake.asked(others);
            let html = drawn(fake, "/", language).await;
            assert!(html.contains(words), "of several it says how many: {words}");
        }
        let html = drawn(Fake::family(), "/", "en").await;
        assert!(!html.contains("Somebody asks"), "and only while somebody does");
    }

    #[tokio::test]
    async fn each_helper_says_how_far_they_are_and_each_part_for_whom_it_is() {
        let html = drawn(Fake::family(), "/settings/helpers", "en").await;
        for words in [
            "Keeps a part",
            "Budi S. answered. Is that Budi?",
            "They cannot help yet",
            "You keep their part",
            "good for nothing",
        ] {
            assert!(html.contains(words), "the page says: {words}");
        }
    }
}
