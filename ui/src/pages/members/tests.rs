//! The pages of members drawn from fixtures, in their states and both languages.

use mecum_api::domain::{ChartId, Kind};
use mecum_api::{
    CallError, ChartView, Code, EntryView, MemberRole, MemberSectionView, MemberState, MemberView,
    MembersView, PairPhase, PairView, RowView, SyncPhase, SyncView,
};

use crate::app::tests::drawn;
use crate::backend::fake::{Fake, members};

const LIST: &str = "/record/members";
const INVITE: &str = "/record/members/invite";
const OPEN: &str = "/invitation";

fn connected() -> Fake {
    let fake = Fake::family();
    fake.put("sync_status", SyncView { phase: SyncPhase::UpToDate, ..SyncView::default() });
    fake
}

fn phase(fake: &Fake, command: &'static str, phase: PairPhase) {
    fake.put(command, PairView { phase, other: Some("Ani".into()), message_id: None });
}

/// The pages on a record of another account: what may be written in it, and how it stands.
fn shared(writes: &[&str], ended: Option<MemberState>) -> Fake {
    let fake = connected();
    let state = ended.unwrap_or(MemberState::Member);
    let own = MemberSectionView {
        section: "medications".into(),
        role: if writes.is_empty() { MemberRole::Reader } else { MemberRole::Writer },
        until: Some("2026-12-31".into()),
        state,
        at_ms: 1_788_829_920_000,
        ..MemberSectionView::default()
    };
    fake.put(
        "chart_list",
        vec![ChartView {
            chart: ChartId::from_bytes([9; 16]),
            name: "Pak Harun".into(),
            shared_by: Some("Ani".into()),
            writes: Some(writes.iter().map(|one| (*one).to_owned()).collect()),
            ended,
            ..ChartView::default()
        }],
    );
    fake.put(
        "member_list",
        MembersView {
            name: "Pak Harun".into(),
            shared_by: Some("Ani".into()),
            members: vec![
                MemberView { name: "Ani".into(), account: "a".into(), owner: true, ..MemberView::default() },
                MemberView {
                    name: "Budi".into(),
                    account: "b".into(),
                    own: true,
                    sections: vec![own],
                    ..MemberView::default()
                },
            ],
            ..MembersView::default()
        },
    );
    fake
}

fn says(html: &str, words: &[&str]) {
    for words in words {
        assert!(html.contains(words), "the page says {words}: {html}");
    }
}

#[tokio::test]
async fn the_list_says_who_sees_what_as_what_until_when_why_and_how_it_stands() {
    let html = drawn(connected(), LIST, "en").await;
    says(
        &html,
        &["Who sees this record", "Ani", "Medicines and measurements", "reads and writes, until Thu 31 Dec"],
    );
    says(&html, &["helps with the medicines", "In force", "Lab results", "reads, no end date"]);
    says(&html, &["Budi", "Waits for the network", "It counts when this device is online"]);
    says(&html, &["Earlier: 1", "Lina", "Removed", "Let somebody in", "Remove Ani"]);
    assert!(
        !html.contains("Remove Laras") && !html.contains("Remove Lina"),
        "not the owner, not who is gone"
    );
    assert!(!html.contains("Nobody but you"), "somebody is there");
}

#[tokio::test]
async fn the_list_is_in_indonesian_too() {
    let html = drawn(connected(), LIST, "id").await;
    says(
        &html,
        &["Siapa yang melihat rekam ini", "Obat dan pengukuran", "membaca dan menulis, sampai Kam 31 Des"],
    );
    says(&html, &["Berlaku", "Menunggu jaringan", "Keluarkan Ani", "berlaku sejak perangkat ini tersambung"]);
}

#[tokio::test]
async fn nobody_but_oneself_is_said_so() {
    let fake = connected();
    let all = members::members();
    fake.put(
        "member_list",
        MembersView { members: all.members.into_iter().filter(|m| m.owner).collect(), ..members::members() },
    );
    says(&drawn(fake, LIST, "en").await, &["Nobody but you", "Let somebody in"]);
}

#[tokio::test]
async fn without_a_server_the_way_to_one_is_shown_and_no_form() {
    for (path, lacks) in [(LIST, "Let somebody in</span>"), (INVITE, "Make the code"), (OPEN, "Look at it")] {
        let fake = Fake::family();
        fake.put("sync_status", SyncView { phase: SyncPhase::NoServer, ..SyncView::default() });
        let html = drawn(fake, path, "en").await;
        says(&html, &["No server yet", "Connect to a server"]);
        assert!(!html.contains(lacks), "{path} offers nothing that cannot work");
    }
}

#[tokio::test]
async fn a_refusal_is_said_in_place() {
    for (path, command) in [(LIST, "member_list"), (INVITE, "member_status"), (OPEN, "invitation_status")] {
        let fake = connected();
        fake.refuse(command, CallError::new(Code::Internal, "error-no-answer"));
        says(&drawn(fake, path, "en").await, &["lost its connection", "Try again"]);
    }
}

#[tokio::test]
async fn letting_somebody_in_begins_with_nothing_chosen() {
    let html = drawn(connected(), INVITE, "en").await;
    says(
        &html,
        &[
            "What may they see?",
            "Conditions, allergies",
            "What may they do there?",
            "Until",
            "Make the code",
            "Nothing is chosen yet.",
        ],
    );
    let boxes = html.split("<input").filter(|input| input.contains(r#"type="checkbox""#));
    let ticked =
        boxes.filter(|input| input.split('>').next().is_some_and(|tag| tag.contains("checked"))).count();
    assert_eq!(ticked, 0, "no part is ticked for the person");
}

#[tokio::test]
async fn whoever_may_not_let_in_is_told_so() {
    let fake = connected();
    fake.put("member_list", MembersView { manages: false, ..members::members() });
    let html = drawn(fake, INVITE, "en").await;
    says(&html, &["You cannot let others in here"]);
    assert!(!html.contains("Make the code"), "no form");
}

#[tokio::test]
async fn who_answered_is_asked_about_by_name() {
    let fake = connected();
    phase(&fake, "member_status", PairPhase::Asking);
    says(
        &drawn(fake, INVITE, "en").await,
        &["Ani answered your invitation: is it really them?", "Yes, let Ani in", "No, that is somebody else"],
    );
}

#[tokio::test]
async fn a_code_of_before_can_be_stopped() {
    let fake = connected();
    phase(&fake, "member_status", PairPhase::Waiting);
    says(&drawn(fake, INVITE, "en").await, &["A code is still open", "Stop"]);
}

#[tokio::test]
async fn whoever_shows_a_code_is_told_of_an_answer_that_nobody_wrote_who_has_it() {
    let fake = connected();
    let message_id = Some("pairing-nobodys".to_owned());
    fake.put("member_status", PairView { phase: PairPhase::Waiting, other: None, message_id });
    let html = drawn(fake, INVITE, "en").await;
    says(
        &html,
        &["something that nobody wrote who has this code", "Waiting goes on", "A code is still open"],
    );
}

#[tokio::test]
async fn an_invitation_that_ended_before_is_not_told_again() {
    let fake = connected();
    phase(&fake, "member_status", PairPhase::Done);
    phase(&fake, "invitation_status", PairPhase::Ended);
    says(&drawn(connected(), INVITE, "en").await, &["Make the code"]);
    says(&drawn(fake, OPEN, "en").await, &["Words or code", "Look at it"]);
}

#[tokio::test]
async fn whoever_accepted_is_told_to_wait() {
    let fake = connected();
    phase(&fake, "invitation_status", PairPhase::Waiting);
    says(&drawn(fake, OPEN, "en").await, &["Ani is asked whether it is you", "Nothing has come yet"]);
}

#[tokio::test]
async fn a_shared_record_says_who_shares_it_and_until_when() {
    let html = drawn(shared(&["medications"], None), "/record", "en").await;
    says(&html, &["Ani shares this record with you", "you read and write", "until Thu 31 Dec"]);
    let html = drawn(shared(&["medications"], None), LIST, "en").await;
    says(&html, &["Leave this record", "This record is theirs"]);
    assert!(!html.contains("Let somebody in"), "who may not let others in is not offered it");
}

#[tokio::test]
async fn what_may_not_be_written_has_no_control() {
    for (writes, medicine, reading) in [(&["medications"][..], true, false), (&[][..], false, false)] {
        let html = drawn(shared(writes, None), "/record/add/new", "en").await;
        assert_eq!(html.contains("/record/add/medication-statement"), medicine, "a medicine with {writes:?}");
        assert_eq!(html.contains("/record/add/vital-sign"), reading, "a reading with {writes:?}");
        assert!(!html.contains("/import"), "no file into part of a record");
        let medicines = drawn(shared(writes, None), "/record/medicines", "en").await;
        assert_eq!(
            medicines.contains("/record/add/medication-statement"),
            medicine,
            "nor on the page of medicines"
        );
    }
    let own = drawn(connected(), "/record/add/new", "en").await;
    assert!(own.contains("/record/add/vital-sign") && own.contains("/import"), "one's own record takes all");
}

#[tokio::test]
async fn an_entry_of_a_part_that_is_only_read_cannot_be_edited() {
    for (writes, edits) in [(&["medications"][..], true), (&[][..], false)] {
        let fake = shared(writes, None);
        let row = RowView {
            entry: "e1".into(),
            kind: Kind::MedicationStatement,
            title: "Amlodipine".into(),
            editable: true,
            ..RowView::default()
        };
        fake.put("entry_get", EntryView { row, ..EntryView::default() });
        let html = drawn(fake, "/record/entry/e1", "en").await;
        says(&html, &["Amlodipine"]);
        assert_eq!(html.contains("/record/entry/e1/edit"), edits, "the way to edit with {writes:?}");
        assert_eq!(html.contains(">Delete<"), edits, "nor to delete");
    }
}

#[tokio::test]
async fn what_has_ended_says_so_and_takes_nothing() {
    let html = drawn(shared(&["medications"], Some(MemberState::Expired)), "/record", "en").await;
    says(&html, &["Ended on Thu 31 Dec.", "Its time was over."]);
    let html = drawn(shared(&["medications"], Some(MemberState::Removed)), "/record", "en").await;
    says(&html, &["This has ended.", "Ani ended it.", "What you read until then stays here."]);
    assert!(!html.contains("/record/add/new"), "nothing can be added");
    let html = drawn(shared(&[], Some(MemberState::Left)), "/record/add/note", "en").await;
    says(&html, &["You read this part"]);
}
