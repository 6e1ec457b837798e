//! Conversations with a hospital: a patient's phone and laptop and two devices of the hospital at one server, each of which folds what the
//! server has after every exchange.

#[path = "care/acts.rs"]
mod acts;
#[path = "care/ends.rs"]
mod ends;
#[path = "support/line.rs"]
mod line;
#[path = "care/openings.rs"]
mod openings;
#[path = "care/said.rs"]
mod said;
#[path = "care/sides.rs"]
mod sides;
#[path = "care/world.rs"]
mod world;

use line::{Line, exchange, exchange_once};
use mecum_seal::Envelope;
use mecum_sync::RefusalCode;
use world::Clinic;

/// What is asked of logs is asked of folded ones.
pub(crate) const FOLDS: bool = true;

/// The envelopes that a device has, those of a space apart from the rest.
fn envelopes(clinic: &Clinic) -> (Vec<Envelope>, Vec<Envelope>) {
    let all = clinic.phone.session.all_envelopes_for_tests().expect("every envelope is there");
    let parsed = all.values().map(|bytes| Envelope::parse(bytes).expect("an own envelope"));
    parsed.partition(|envelope| envelope.place().space == clinic.space)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_is_let_into_one_space_of_its_own_and_reads_nothing_of_the_record() {
    let mut clinic = Box::pin(Clinic::start(4_100)).await;
    clinic.phone.session.keep_in_care_for_tests(clinic.space, [1; 16], b"a question").expect("kept");
    clinic.settle().await;
    let (of_care, of_record) = envelopes(&clinic);
    assert!(of_care.len() > 1 && of_record.len() > 3, "there is a record, and a conversation");
    for (name, device) in [("the hospital", &mut clinic.hospital), ("its desk", &mut clinic.desk)] {
        let session = &mut device.session;
        assert!(of_care.iter().all(|envelope| session.opens_for_tests(envelope)), "{name} reads the one");
        assert!(!of_record.iter().any(|envelope| session.opens_for_tests(envelope)), "{name}, not the other");
        let shown = session.fingerprint().expect("shown");
        assert!(!shown.values().any(|text| text.contains("Amlodipine")), "{name}: nothing of it is shown");
        let sections = session.members(clinic.chart).expect("a chart that is shared with it").sections;
        assert_eq!(sections, Vec::<String>::new(), "{name}: no section of the record is");
    }
    let members = clinic.phone.session.members(clinic.chart).expect("an own chart");
    let hospital = members.members.iter().find(|member| !member.own).expect("the hospital is a member");
    let sections: Vec<&str> = hospital.sections.iter().map(|view| view.section.as_str()).collect();
    assert_eq!((hospital.name.as_str(), sections), ("RS Tirta Asih", vec!["care"]), "of one section");
    assert!(!members.sections.contains(&"care".to_owned()), "which is offered to nobody");
    assert_eq!(clinic.held(), vec![clinic.held()[0].clone(); 4], "all four have the same of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hospitals_of_one_patient_have_nothing_of_each_other() {
    let mut clinic = Box::pin(Clinic::start(4_200)).await;
    let (mut other, _) = Box::pin(clinic.line.first(4_250)).await;
    let card = other.session.hospital_card("Klinik Melati").expect("it is at a server");
    let offer = clinic.phone.session.connect_hospital(clinic.chart, &card).expect("another hospital");
    other.session.expect_care(&offer).expect("it is expected");
    let again = clinic.phone.session.connect_hospital(clinic.chart, &card).expect("the same again");
    assert_eq!(again.space, offer.space, "who is connected already is connected once");
    assert_ne!(offer.space, clinic.space, "each has a space of its own");
    clinic.phone.session.keep_in_care_for_tests(clinic.space, [1; 16], b"to the first").expect("kept");
    clinic.phone.session.keep_in_care_for_tests(offer.space, [2; 16], b"to the second").expect("kept");
    for _ in 0..3 {
        clinic.settle().await;
        exchange(&mut other).await;
    }
    let (of_first, rest) = envelopes(&clinic);
    let of_second: Vec<&Envelope> = rest.iter().filter(|one| one.place().space == offer.space).collect();
    assert!(of_first.len() > 1 && of_second.len() > 1, "there are words to both");
    assert!(
        of_second.iter().all(|envelope| other.session.opens_for_tests(envelope)),
        "the second reads its own"
    );
    assert!(!of_first.iter().any(|envelope| other.session.opens_for_tests(envelope)), "and not the first's");
    let first = &clinic.hospital.session;
    assert!(!of_second.iter().any(|envelope| first.opens_for_tests(envelope)), "nor the first the second's");
    let name = |space| clinic.phone.session.hospital_of_for_tests(space);
    assert_ne!(name(clinic.space), name(offer.space), "the patient knows which is which");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_than_the_card_named_gets_no_key() {
    let line = Line::start().await;
    let (mut phone, chart) = Box::pin(line.first(4_300)).await;
    let (mut hospital, _) = Box::pin(line.first(4_301)).await;
    let (mut other, _) = Box::pin(line.first(4_302)).await;
    for device in [&mut phone, &mut hospital, &mut other] {
        exchange(device).await;
    }
    let named = hospital.session.hospital_card("RS Tirta Asih").expect("it is at a server");
    let liar = other.session.hospital_card("RS Tirta Asih").expect("it is at a server");
    let forged = named.with_keys_of_for_tests(&liar);
    let offer = phone.session.connect_hospital(chart, &forged).expect("a card is believed until it is used");
    other.session.expect_care(&offer).expect("whoever made it waits");
    hospital.session.expect_care(&offer).expect("and who is named");
    phone.session.keep_in_care_for_tests(offer.space, [1; 16], b"a question").expect("kept");
    let refused = exchange_once(&mut phone).await;
    assert_eq!(refused, Some(RefusalCode::UnknownAccount), "the server holds the name against the keys");
    for _ in 0..3 {
        for device in [&mut phone, &mut hospital, &mut other] {
            exchange(device).await;
        }
    }
    let all = phone.session.all_envelopes_for_tests().expect("every envelope is there");
    let words = all.values().map(|bytes| Envelope::parse(bytes).expect("an own envelope"));
    let words: Vec<Envelope> = words.filter(|envelope| envelope.place().space == offer.space).collect();
    assert!(words.len() > 1, "the patient wrote");
    for device in [&other, &hospital] {
        assert!(!words.iter().any(|envelope| device.session.opens_for_tests(envelope)), "nobody has a key");
        assert_eq!(device.session.hospital_of_for_tests(offer.space), None, "nor knows of a conversation");
    }
    let members = phone.session.members(chart).expect("an own chart");
    let inside = members.members.iter().filter(|member| {
        !member.own && member.sections.iter().any(|view| view.state == mecum_api::MemberState::Member)
    });
    assert_eq!(inside.count(), 0, "and nobody is let in");
    let honest = phone.session.connect_hospital(chart, &named).expect("by the true card");
    assert_eq!(honest.space, offer.space, "the space that was begun for it is used");
    for _ in 0..3 {
        exchange(&mut phone).await;
        exchange(&mut hospital).await;
    }
    assert!(words.iter().all(|envelope| hospital.session.opens_for_tests(envelope)), "then it reads");
}

/// What a hospital that has a patient already reads again when another one lets it in: before it expects the space, or after.
async fn read_again(seed: u64, expected_first: bool) -> (u64, u64) {
    let mut clinic = Box::pin(Clinic::start(seed)).await;
    let (mut other, chart) = Box::pin(clinic.line.first(seed + 50)).await;
    let card = clinic.hospital.session.hospital_card("RS Tirta Asih").expect("it is at a server");
    let offer = other.session.begin_care_space(chart, &card).expect("begun");
    let asked = other.session.act_for_tests(offer.space, None, acts::open("may I eat?"));
    asked.expect("what is asked before anybody is let in waits here");
    let again = other.session.begin_care_space(chart, &card).expect("begun already");
    assert_eq!(again.space, offer.space, "once");
    for _ in 0..2 {
        exchange(&mut other).await;
        exchange(&mut clinic.hospital).await;
    }
    assert_eq!(clinic.hospital.session.hospital_of_for_tests(offer.space), None, "nobody was let in");
    let before = clinic.hospital.session.cursor_for_tests();
    if expected_first {
        clinic.hospital.session.expect_care(&offer).expect("expected");
    }
    other.session.let_hospital_in(offer.space, &card).expect("let in");
    other.session.let_hospital_in(offer.space, &card).expect("and once");
    exchange(&mut other).await;
    exchange(&mut clinic.hospital).await;
    clinic.hospital.session.expect_care(&offer).expect("expected");
    let lowest = clinic.hospital.session.cursor_for_tests();
    for _ in 0..2 {
        exchange(&mut clinic.hospital).await;
        exchange(&mut other).await;
    }
    let acts = clinic.hospital.session.acts_for_tests(offer.space).expect("it is there");
    assert_eq!(acts.len(), 1, "with what was asked before");
    (before, lowest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_that_expects_a_new_patient_reads_nothing_again() {
    let (before, lowest) = Box::pin(read_again(4_500, true)).await;
    assert!(before > 0 && lowest >= before, "{lowest} of {before}");
}

/// The control: granted first, and expected afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn control_a_hospital_that_is_let_in_before_it_expects_it_reads_everything_again() {
    let (before, lowest) = Box::pin(read_again(4_600, false)).await;
    assert!(before > 0 && lowest < before, "{lowest} of {before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_is_let_into_no_space_that_was_begun_for_another() {
    let mut clinic = Box::pin(Clinic::start(4_700)).await;
    let (other, _) = Box::pin(clinic.line.first(4_750)).await;
    let card = other.session.hospital_card("Klinik Melati").expect("it is at a server");
    let theirs = clinic.phone.session.let_hospital_in(clinic.space, &card);
    assert!(theirs.is_err_and(|why| why.to_string().contains("error-not-found")), "begun for another one");
    let nowhere = mecum_seal::SpaceId::from_bytes([7; 16]);
    let nowhere = clinic.phone.session.let_hospital_in(nowhere, &card);
    assert!(nowhere.is_err_and(|why| why.to_string().contains("error-not-found")), "begun by nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_connects_with_themselves_without_a_server_or_for_somebody_elses_record() {
    let mut clinic = Box::pin(Clinic::start(4_400)).await;
    let own = clinic.phone.session.hospital_card("Laras").expect("it is at a server");
    let refused = |error: mecum_client::SessionError| error.to_string();
    let to_self = clinic.phone.session.connect_hospital(clinic.chart, &own).err().map(refused);
    assert!(to_self.is_some_and(|why| why.contains("error-invitation-own")));
    let (other, _) = Box::pin(clinic.line.first(4_450)).await;
    let card = other.session.hospital_card("Klinik Melati").expect("it is at a server");
    let of_another = clinic.hospital.session.connect_hospital(clinic.chart, &card).err().map(refused);
    assert!(of_another.is_some_and(|why| why.contains("error-not-your-record")), "a guest connects nobody");
    let (mut alone, chart) = mecum_client::testing::person(4_460);
    assert!(
        alone.hospital_card("Laras").err().map(refused).is_some_and(|why| why.contains("error-no-server"))
    );
    let alone = alone.connect_hospital(chart, &card).err().map(refused);
    assert!(alone.is_some_and(|why| why.contains("error-no-server")));
    let elsewhere = Box::pin(Line::start()).await;
    let (elsewhere, _) = Box::pin(elsewhere.first(4_470)).await;
    let card = elsewhere.session.hospital_card("RS Jauh").expect("it is at a server");
    let other_server = clinic.phone.session.connect_hospital(clinic.chart, &card).err().map(refused);
    assert!(other_server.is_some_and(|why| why.contains("error-invitation-other-server")));
}
