//! What is cut of a removed device where this device had not seen it yet: by the moment that somebody chose, or, where nobody did, by
//! what the server had.

use mecum_client::testing::NOW_MS;
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind};
use mecum_vault::Location;

use super::world::{DAY_MS, Family, medicine, names};

/// A family with a tablet, and everybody has read the notes to their end.
fn with_tablet(seed: u64) -> (Family, Session) {
    let mut family = Family::new(seed);
    note(&mut family.phone, family.chart, "There from the beginning");
    let mut tablet =
        family.phone.pair_for_tests("tablet", &Location::Memory, family.server.around(seed ^ 0x7777));
    family.server.exchange(&mut family.phone).expect("exchanges");
    family.server.exchange(&mut tablet).expect("exchanges");
    family.settle().expect("exchanges");
    (family, tablet)
}

fn note(who: &mut Session, chart: ChartId, text: &str) -> ItemKey {
    who.add(chart, Kind::Note, vec![(Field::Text, text.to_owned())]).expect("a note is written")
}

fn says(who: &mut Session, text: &str) -> bool {
    who.fingerprint().expect("reads").values().any(|shown| shown.contains(text))
}

/// Everybody shows the honest words and none of the thief's, also somebody who comes later.
fn nothing_of_the_thief_is_left(mut family: Family, honest: &[&str]) {
    family.settle().expect("exchanges");
    family.same();
    let mut later = family.phone.pair_for_tests("later", &Location::Memory, family.server.around(90));
    family.settle().expect("exchanges");
    family.server.exchange(&mut later).expect("exchanges");
    for (session, which) in
        [(&mut family.phone, "phone"), (&mut family.laptop, "laptop"), (&mut later, "device that came later")]
    {
        assert!(!says(session, "By the thief"), "on the {which} the moment holds");
        for text in honest {
            assert!(says(session, text), "and {text:?} is on the {which}");
        }
    }
    assert_eq!(family.phone.cut_notice_for_tests(), None, "it was made as it was chosen");
}

#[test]
fn a_moment_chosen_for_a_stolen_device_holds_where_its_words_came_later() {
    let (mut family, mut tablet) = with_tablet(50);
    let chart = family.chart;
    family.server.clock.advance(2 * DAY_MS);
    // The tablet had never written a note before, and the phone does not know of this one.
    note(&mut tablet, chart, "By the thief");
    family.server.exchange(&mut tablet).expect("exchanges");
    family.server.exchange(&mut family.laptop).expect("exchanges");
    note(&mut family.laptop, chart, "Honest, by the laptop");
    family.phone.remove_device_for_tests(tablet.installation().0, Some(NOW_MS + DAY_MS)).expect("removed");
    family.server.exchange(&mut family.phone).expect("exchanges");
    nothing_of_the_thief_is_left(family, &["There from the beginning", "Honest, by the laptop"]);
}

#[test]
fn a_moment_chosen_for_a_stolen_device_holds_where_another_device_began_the_epoch_and_knew_of_none() {
    let (mut family, mut tablet) = with_tablet(51);
    let chart = family.chart;
    family.server.clock.advance(2 * DAY_MS);
    note(&mut tablet, chart, "By the thief");
    family.server.exchange(&mut tablet).expect("exchanges");
    family.server.exchange(&mut family.laptop).expect("exchanges");
    family.phone.remove_device_for_tests(tablet.installation().0, Some(NOW_MS + DAY_MS)).expect("removed");
    // The server has the removal; the phone gets no answer, and has seen nothing of the thief's.
    let token = family.server.sign_in(&family.phone).expect("signs in");
    let request = family.phone.request().expect("a request");
    family.server.answer(&token, &request).expect("an answer that is lost");
    family.server.exchange(&mut family.laptop).expect("exchanges");
    note(&mut family.laptop, chart, "Honest, under the laptop's epoch");
    family.server.exchange(&mut family.laptop).expect("exchanges");
    assert!(says(&mut family.laptop, "By the thief"), "the laptop cut it at everything that it had seen");
    family.server.exchange(&mut family.phone).expect("exchanges");
    nothing_of_the_thief_is_left(family, &["There from the beginning", "Honest, under the laptop's epoch"]);
}

#[test]
fn a_moment_that_cannot_be_read_is_not_taken_for_none() {
    let (mut family, mut tablet) = with_tablet(53);
    let chart = family.chart;
    family.server.clock.advance(2 * DAY_MS);
    note(&mut tablet, chart, "By the thief");
    family.server.exchange(&mut tablet).expect("exchanges");
    family.server.exchange(&mut family.laptop).expect("exchanges");
    note(&mut family.laptop, chart, "Honest, by the laptop");
    let device = tablet.installation().0;
    family.phone.remove_device_for_tests(device, Some(NOW_MS + DAY_MS)).expect("removed");
    let was = family.phone.moment_for_tests(device, b"no moment");
    let stopped = family.server.exchange(&mut family.phone);
    assert!(stopped.is_err_and(|why| why.contains("Stored")), "the exchange stops and says what it is");
    family.phone.moment_for_tests(device, &was);
    family.server.exchange(&mut family.phone).expect("goes on once it can be read");
    nothing_of_the_thief_is_left(family, &["There from the beginning", "Honest, by the laptop"]);
}

#[test]
fn a_device_that_is_removed_without_a_moment_keeps_what_the_server_had_by_then() {
    let (mut family, mut tablet) = with_tablet(52);
    let chart = family.chart;
    medicine(&mut tablet, chart, "Seen by the phone", None);
    family.server.exchange(&mut tablet).expect("exchanges");
    family.settle().expect("exchanges");
    medicine(&mut tablet, chart, "In time", None);
    family.server.exchange(&mut tablet).expect("exchanges");
    // The phone does not know of it, and writes under the epoch that cuts the tablet.
    family.phone.begin_exchange_for_tests();
    family.phone.remove_device_for_tests(tablet.installation().0, None).expect("removed");
    medicine(&mut family.phone, chart, "Afterwards", None);
    family.server.exchange(&mut family.phone).expect("exchanges");
    medicine(&mut tablet, chart, "Too late", None);
    assert!(family.server.exchange(&mut tablet).is_err(), "the tablet is out");
    family.settle().expect("exchanges");
    family.same();
    let all = ["Afterwards", "Amlodipine", "In time", "Seen by the phone"];
    assert_eq!(names(&family.laptop, chart), all, "what was in order counts on every device");
    let (_, key) = family.phone.epochs_for_tests()
        [&family.phone.space_for_tests(chart, mecum_domain::Section::Medications).expect("a space")];
    assert!(!tablet.keys_for_tests().contains(&key), "and what is written now the tablet cannot read");
}
