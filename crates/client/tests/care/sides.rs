//! Neither side writes for the other: whatever a dishonest device of one sends in a document of the other is put aside by all, and takes
//! nothing of its own side with it.

use mecum_client::testing::surroundings;
use mecum_domain::Side;
use mecum_seal::DocumentId;
use mecum_sync::{Outcome, Pruning, StoredSnapshot, SyncRequest, controls};
use mecum_vault::Location;

use crate::line::{Device, exchange};
use crate::world::Clinic;

const LIE: &[u8] = b"said in the other's name";

/// A conversation in which both sides have said something.
async fn begun(seed: u64) -> Clinic {
    let mut clinic = Box::pin(Clinic::start(seed)).await;
    clinic.phone.session.keep_in_care_for_tests(clinic.space, [1; 16], b"a question").expect("kept");
    clinic.hospital.session.keep_in_care_for_tests(clinic.space, [2; 16], b"an answer").expect("kept");
    clinic.settle().await;
    clinic
}

fn document(device: &Device, clinic: &Clinic, side: Side) -> DocumentId {
    let documents = device.session.documents_of_side_for_tests(clinic.space, side);
    *documents.first().expect("the side has said something")
}

fn says(device: &mut Device, clinic: mecum_seal::SpaceId, bytes: &[u8]) -> bool {
    let held = device.session.held_in_care_for_tests(clinic).expect("it loads");
    held.iter().any(|(_, _, said)| said == bytes)
}

/// A device of one side writes in a document of the other and goes on in its own. Answers how many devices took it in, of the four.
async fn foreign(seed: u64, by: Side) -> usize {
    let mut clinic = begun(seed).await;
    let space = clinic.space;
    let other = if by == Side::Hospital { Side::Patient } else { Side::Hospital };
    let liar = if by == Side::Hospital { &clinic.hospital } else { &clinic.phone };
    let document = document(liar, &clinic, other);
    let liar = if by == Side::Hospital { &mut clinic.hospital } else { &mut clinic.phone };
    liar.session.act_in_care_for_tests(document, [3; 16], LIE);
    liar.session.keep_in_care_for_tests(space, [4; 16], b"and in its own").expect("kept");
    clinic.settle().await;
    let mut taken = 0;
    let liar = if by == Side::Hospital { 2 } else { 0 };
    for (number, device) in clinic.devices().into_iter().enumerate() {
        assert!(says(device, space, b"and in its own"), "device {number} has what it said in its own name");
        let aside = device.session.put_aside_for_tests();
        if says(device, space, LIE) {
            taken += 1;
            assert!(aside.is_empty(), "device {number}: {aside:?}");
        } else if number == liar {
            assert!(aside.is_empty(), "what it sent it does not judge: {aside:?}");
        } else {
            assert_eq!(aside, ["side"], "device {number} keeps it, and says why");
        }
    }
    if taken > 0 {
        // Whoever lied has nothing of it, and so of nothing that is said after it.
        return taken;
    }
    // Both go on, and all have the same of it.
    clinic.laptop.session.keep_in_care_for_tests(space, [5; 16], b"the patient goes on").expect("kept");
    clinic.desk.session.keep_in_care_for_tests(space, [6; 16], b"and the hospital").expect("kept");
    clinic.settle().await;
    for (number, device) in clinic.devices().into_iter().enumerate() {
        for words in [b"the patient goes on".as_slice(), b"and the hospital"] {
            assert!(says(device, space, words), "device {number} has what was said since");
        }
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospitals_words_on_the_patients_side_are_put_aside_on_every_device_and_its_own_go_on() {
    assert_eq!(Box::pin(foreign(4_500, Side::Hospital)).await, 0, "nobody takes it in");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_guard_a_hospitals_words_stand_on_the_patients_side() {
    let _out = controls::take_out(&["side-arrival"]);
    // The liar itself keeps nothing of it.
    assert_eq!(Box::pin(foreign(4_520, Side::Hospital)).await, 3, "everybody else takes it in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patients_words_on_the_hospitals_side_are_put_aside_on_every_device_and_its_own_go_on() {
    assert_eq!(Box::pin(foreign(4_540, Side::Patient)).await, 0, "nobody takes it in");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_guard_a_patients_words_stand_on_the_hospitals_side() {
    let _out = controls::take_out(&["side-arrival"]);
    assert_eq!(Box::pin(foreign(4_560, Side::Patient)).await, 3, "everybody else takes it in");
}

/// A document that the hospital opens for the patient's side, with words in it. Answers on how many devices it is open.
async fn opened_for_the_other(seed: u64) -> usize {
    let mut clinic = begun(seed).await;
    let space = clinic.space;
    let document = clinic.hospital.session.open_care_for_tests(space, Side::Patient);
    clinic.hospital.session.act_in_care_for_tests(document, [3; 16], LIE);
    clinic.settle().await;
    let is_open = |device: &Device| {
        device.session.documents_of_side_for_tests(space, Side::Patient).contains(&document)
    };
    let open =
        [&clinic.phone, &clinic.laptop, &clinic.desk].into_iter().filter(|device| is_open(device)).count();
    for device in [&mut clinic.phone, &mut clinic.laptop, &mut clinic.desk] {
        assert!(!says(device, space, LIE), "what is written there is nobody's");
    }
    clinic.phone.session.keep_in_care_for_tests(space, [5; 16], b"the patient goes on").expect("kept");
    clinic.settle().await;
    for device in [&mut clinic.laptop, &mut clinic.hospital, &mut clinic.desk] {
        assert!(says(device, space, b"the patient goes on"), "whichever document it is written in");
    }
    open
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_opened_for_the_other_side_opens_nowhere() {
    assert_eq!(Box::pin(opened_for_the_other(4_600)).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_without_the_guard_a_document_opens_for_the_other_side() {
    let _out = controls::take_out(&["side-opening"]);
    assert_eq!(Box::pin(opened_for_the_other(4_620)).await, 3, "on every other device");
}

/// Stores a snapshot and fetches what the server holds of it.
pub(crate) async fn stored(device: &mut Device, snapshot: &mecum_sync::SpaceSnapshot) -> StoredSnapshot {
    let cursor = device.session.request().expect("a request").cursor;
    let pruning = Some(Pruning { show: Some(snapshot.space()), ..Pruning::default() });
    let ask =
        SyncRequest { snapshots: vec![snapshot.clone()], pruning, ..SyncRequest::pull(cursor, 1 << 20) };
    let response = device.remote.sync(&device.signed_in, &ask).await.expect("a relay answers");
    assert_eq!(response.snapshot_outcomes, [Outcome::Stored], "a relay cannot see what is inside");
    response.pruned.and_then(|pruned| pruned.shown).expect("it is shown")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_with_the_other_sides_words_in_a_document_is_neither_taken_nor_found_right() {
    let mut clinic = begun(4_700).await;
    let space = clinic.space;
    let document = document(&clinic.hospital, &clinic, Side::Patient);
    {
        // Its statement counts them, as that of a program that knows no sides would.
        let _liar = controls::take_out(&["side-own"]);
        clinic.hospital.session.keep_in_document_for_tests(document, [3; 16], LIE).expect("kept");
    }
    clinic.settle().await;
    let snapshot = clinic.hospital.session.lying_snapshot_of_for_tests(document, Clone::clone);
    let stored = stored(&mut clinic.hospital, &snapshot).await;
    assert!(
        !clinic.hospital.session.finds_right_for_tests(&stored),
        "an honest device would not say that it is right"
    );
    {
        let _out = controls::take_out(&["side-snapshot"]);
        assert!(
            clinic.hospital.session.finds_right_for_tests(&stored),
            "the control: but for the sides it is"
        );
    }
    let mut later = Vec::new();
    for name in ["tablet", "watch"] {
        let seed = if name == "tablet" { 4_750 } else { 4_760 };
        let paired = clinic.phone.session.pair_for_tests(name, &Location::Memory, surroundings(seed));
        exchange(&mut clinic.phone).await;
        later.push(clinic.line.device(paired).await);
    }
    let (mut watch, mut tablet) = (later.pop().expect("two"), later.pop().expect("two"));
    let brought = exchange(&mut tablet).await;
    assert!(brought.refused.contains("other side"), "who begins refuses it, and says why: {brought:?}");
    assert!(!says(&mut tablet, space, LIE) && says(&mut tablet, space, b"an answer"), "and reads envelopes");
    let _out = controls::take_out(&["side-snapshot"]);
    let brought = exchange(&mut watch).await;
    assert_eq!(brought.refused, "", "the control: but for the sides it is taken");
    assert!(says(&mut watch, space, LIE), "with what is in it");
}
