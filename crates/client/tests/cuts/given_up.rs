//! What becomes of a membership's entry that this device cannot sign again, or that the server will not have: it is not given up for a
//! vault that cannot be read, and no word goes out under a key that was to be left.

use mecum_domain::Section;
use mecum_seal::Envelope;
use mecum_sync::{RefusalCode, Role};
use mecum_vault::Location;

use super::world::{Family, medicine, names};

#[test]
fn a_removal_that_a_damaged_vault_cannot_sign_again_is_not_given_up() {
    let mut family = Family::new(60);
    let chart = family.chart;
    let goes = medicine(&mut family.phone, chart, "Erased", None);
    family.settle().expect("exchanges");
    family.erase(goes);
    family.settle().expect("exchanges");
    // Both change the membership; the laptop is faster.
    let mut budi = family.server.account(79);
    budi.create_chart("Budi", None, mecum_domain::Relation::Own, None).expect("a chart of his own");
    family.laptop.let_in_for_tests(chart, Section::Medications, Role::Reader, &mut budi);
    family.server.exchange(&mut family.laptop).expect("exchanges");
    family.remove_ani(None);
    let space = family.phone.space_for_tests(chart, Section::Medications).expect("a space");
    let was = family.phone.spoil_replacement_for_tests(space);
    assert!(family.server.exchange(&mut family.phone).is_err(), "the exchange stops, and that is said");
    let told: Vec<_> = family.phone.sync_view().notices.into_iter().map(|of| of.message_id).collect();
    assert!(!told.contains(&"notice-not-removed".to_owned()), "nobody gave it up: {told:?}");
    family.phone.mend_row_for_tests(was);
    family.settle().expect("exchanges");
    assert_eq!(family.phone.guests_for_tests(chart, Section::Medications), 1, "she is out, and he is in");
    family.same();
}

#[test]
fn no_word_goes_out_under_a_removed_devices_key_where_the_server_refuses_the_epoch() {
    let mut family = Family::new(61);
    let chart = family.chart;
    let mut tablet = family.phone.pair_for_tests("tablet", &Location::Memory, family.server.around(62));
    family.server.exchange(&mut family.phone).expect("exchanges");
    family.server.exchange(&mut tablet).expect("exchanges");
    family.settle().expect("exchanges");
    family.phone.remove_device_for_tests(tablet.installation().0, None).expect("removed");
    medicine(&mut family.phone, chart, "A secret", None);
    let space = family.phone.space_for_tests(chart, Section::Medications).expect("a space");
    for round in 0..4 {
        let request = family.phone.request().expect("a request");
        let of_space = request.pushes.iter().filter(|push| push.space() == space);
        for bytes in of_space.flat_map(|push| &push.envelopes) {
            let envelope = Envelope::parse(bytes).expect("an envelope");
            assert!(!tablet.opens_for_tests(&envelope), "round {round}: the tablet cannot read it");
        }
        family.server.refuses(&mut family.phone, RefusalCode::BadEntry);
    }
    family.settle().expect("a server that takes it");
    family.same();
    assert_eq!(names(&family.laptop, chart), ["A secret", "Amlodipine"], "then it arrives");
}
