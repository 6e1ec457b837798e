//! Whose a document is follows from its id and from nothing that a device hears first, in whatever order it hears.

use mecum_client::testing::{OpenedAgain, surroundings};
use mecum_domain::Side;
use mecum_sync::controls;
use mecum_vault::Location;

use crate::line::{Device, exchange};
use crate::world::Clinic;

const QUESTION: &[u8] = b"a question";

fn says(device: &mut Device, space: mecum_seal::SpaceId, bytes: &[u8]) -> bool {
    let held = device.session.held_in_care_for_tests(space).expect("it loads");
    held.iter().any(|(side, _, said)| *side == Side::Patient && said == bytes)
}

/// The hospital opens a document that the patient has just begun, and everybody else hears that first. Answers how many of the four devices
/// read the patient's words on the patient's side.
async fn opened_by_another_first(seed: u64, again: OpenedAgain) -> usize {
    let mut clinic = Box::pin(Clinic::start(seed)).await;
    let space = clinic.space;
    let document = clinic.phone.session.keep_in_care_for_tests(space, [1; 16], QUESTION).expect("kept");
    clinic.hospital.session.open_again_for_tests(space, document, again);
    for device in [&mut clinic.hospital, &mut clinic.desk, &mut clinic.laptop] {
        exchange(device).await;
    }
    clinic.settle().await;
    clinic.laptop.session.keep_in_care_for_tests(space, [2; 16], b"and another").expect("kept");
    clinic.settle().await;
    clinic.devices().into_iter().filter_map(|device| says(device, space, QUESTION).then_some(())).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_a_document_is_does_not_hang_on_which_opening_of_it_is_heard_first() {
    for (seed, again) in
        [(4_800, OpenedAgain::ForHospital), (4_820, OpenedAgain::ForPatient), (4_840, OpenedAgain::Successor)]
    {
        assert_eq!(Box::pin(opened_by_another_first(seed, again)).await, 4, "{again:?}: all read it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_guard_who_is_heard_first_opens_a_document_of_the_other_side() {
    let _out = controls::take_out(&["side-opening"]);
    let readers = Box::pin(opened_by_another_first(4_860, OpenedAgain::ForHospital)).await;
    assert!(readers < 4, "somebody has lost what the patient said");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_guard_whoever_says_that_a_document_is_a_successor_keeps_it_from_opening() {
    let _out = controls::take_out(&["side-successor"]);
    let readers = Box::pin(opened_by_another_first(4_880, OpenedAgain::Successor)).await;
    assert!(readers < 4, "somebody has lost what the patient said");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_in_a_document_of_the_other_side_by_this_program() {
    let mut clinic = Box::pin(Clinic::start(4_900)).await;
    let space = clinic.space;
    let document = clinic.phone.session.keep_in_care_for_tests(space, [1; 16], QUESTION).expect("kept");
    clinic.settle().await;
    let session = &mut clinic.hospital.session;
    let refused = session.keep_in_document_for_tests(document, [3; 16], b"in the other's name");
    assert!(
        refused.is_err_and(|why| why.to_string().contains("the other side's document")),
        "it is not its own"
    );
    let _out = controls::take_out(&["side-own"]);
    let session = &mut clinic.hospital.session;
    session.keep_in_document_for_tests(document, [3; 16], b"in the other's name").expect("the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_says_another_side_of_a_document_than_its_id_is_neither_taken_nor_found_right() {
    let mut clinic = Box::pin(Clinic::start(4_920)).await;
    let space = clinic.space;
    let document = clinic.phone.session.keep_in_care_for_tests(space, [1; 16], QUESTION).expect("kept");
    clinic.settle().await;
    let tablet = clinic.phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(4_950));
    exchange(&mut clinic.phone).await;
    for (n, said) in [(10, Some(Side::Hospital)), (11, None)] {
        clinic.desk.session.keep_in_care_for_tests(space, [n; 16], b"an answer").expect("kept");
        clinic.settle().await;
        let snapshot = clinic.hospital.session.snapshot_of_side_for_tests(document, said);
        let stored = crate::sides::stored(&mut clinic.hospital, &snapshot).await;
        let right = || clinic.phone.session.finds_right_for_tests(&stored);
        assert!(!right(), "{said:?}: an honest device does not say that it is right");
        let _out = controls::take_out(&["side-parts"]);
        assert!(right(), "{said:?}: the control, but for that it is");
    }
    let mut tablet = clinic.line.device(tablet).await;
    let brought = exchange(&mut tablet).await;
    assert!(brought.refused.contains("other side"), "who begins refuses it, and says why: {brought:?}");
    assert!(says(&mut tablet, space, QUESTION), "whoever begins reads it on the patient's side");
    tablet.session.keep_in_care_for_tests(space, [2; 16], b"by the tablet").expect("it writes there");
    exchange(&mut tablet).await;
    clinic.settle().await;
    for device in clinic.devices() {
        assert!(says(device, space, b"by the tablet"), "and everybody hears it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_of_which_nothing_says_who_wrote_it_keeps_no_conversation_from_being_read() {
    let mut clinic = Box::pin(Clinic::start(4_960)).await;
    let (space, chart) = (clinic.space, clinic.chart);
    let asked =
        clinic.phone.session.act_for_tests(space, None, crate::acts::open("may I eat?")).expect("asked");
    let thread = Some(crate::acts::thread_of(asked));
    clinic.phone.session.act_for_tests(space, thread, crate::acts::say("and drink?")).expect("said");
    let document = clinic.phone.session.documents_of_side_for_tests(space, Side::Patient)[0];
    clinic.phone.session.forget_act_row_for_tests(chart, document, *asked.id.as_bytes());
    let acts = clinic.phone.session.acts_for_tests(space).expect("the conversation is read");
    assert_eq!(acts.len(), 2, "with both acts");
    let named = acts.iter().filter(|(key, _, author)| (*key == asked) == author.name.is_empty());
    assert_eq!(named.count(), 2, "of the one nobody knows who wrote it: {acts:?}");
    clinic
        .phone
        .session
        .act_for_tests(space, thread, crate::acts::say("it goes on"))
        .expect("and is answered");
}
