//! An entry of a membership log that was signed here and may not be signed again: whoever decided it is told, in a sentence.

use mecum_api::MemberRemoveArgs;
use mecum_domain::{Relation, Section};
use mecum_sync::Role;

use super::family::Family;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_no_manager_any_more_is_told_that_nobody_was_let_in_or_removed() {
    for removes in [false, true] {
        let mut family = Family::new(18).await;
        let chart = family.chart;
        let section = Section::Medications;
        family.phone.session.let_in_for_tests(chart, section, Role::Manager, &mut family.ani.session);
        family.settle().await;
        let mut budi = family.server.account(80).await;
        budi.session.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
        if removes {
            family.phone.session.let_in_for_tests(chart, section, Role::Reader, &mut budi.session);
            family.settle().await;
            budi.exchange(&family.server).await;
        }
        let notices = |who: &mecum_client::Session| {
            let said = who.sync_view().notices;
            said.into_iter().map(|notice| (notice.message_id, notice.who)).collect::<Vec<_>>()
        };
        // Offline, the daughter decides; meanwhile she is removed, and let in again with less.
        if removes {
            let account = budi.session.account_for_tests();
            let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
            family.ani.session.member_remove(&args).expect("a manager removes");
        } else {
            family.ani.session.let_in_for_tests(chart, section, Role::Reader, &mut budi.session);
        }
        assert_eq!(notices(&family.ani.session), [], "it is decided, and nothing was refused yet");
        family.remove_ani();
        family.phone.exchange(&family.server).await;
        family.phone.session.let_in_for_tests(chart, section, Role::Reader, &mut family.ani.session);
        family.phone.exchange(&family.server).await;
        family.ani.exchange(&family.server).await;
        family.settle().await;
        let id = if removes { "notice-not-removed" } else { "notice-not-let-in" };
        let expected = [(id.to_owned(), "Budi".to_owned())];
        assert_eq!(notices(&family.ani.session), expected, "it is said, with whom it is about");
        assert_eq!(
            family.phone.session.guests_for_tests(chart, section),
            1 + usize::from(removes),
            "as it is"
        );
        assert_eq!(notices(&family.phone.session), [], "who decided nothing is told nothing");
        let restarted = family.ani.session.restart().expect("reopens");
        assert_eq!(notices(&restarted), expected, "also after a restart");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_section_that_this_version_does_not_know_is_no_reason_to_remove_from_all() {
    let mut family = Family::new(19).await;
    let (chart, section) = (family.chart, Section::Medications);
    let guests = family.phone.session.guests_for_tests(chart, section);
    assert!(guests > 0, "the daughter is in");
    let account = family.ani.session.account_for_tests();
    let sections = vec!["medications".to_owned(), "of-a-later-version".to_owned()];
    for sections in [sections.clone(), sections[1..].to_vec()] {
        let args =
            MemberRemoveArgs { chart, account: account.clone(), sections, ..MemberRemoveArgs::default() };
        family.phone.session.member_remove(&args).expect_err("nobody is removed by half a wish");
    }
    assert_eq!(family.phone.session.guests_for_tests(chart, section), guests, "she stays");
}
