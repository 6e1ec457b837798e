use mecum_api::HonestyView;
use mecum_domain::{ChartId, Field, Kind};
use mecum_testkit::FakeRelay;
use mecum_vault::Location;

use super::*;
use crate::row::ItemKey;
use crate::testing::{person, surroundings};

fn note(session: &mut Session, chart: ChartId, text: &str) -> ItemKey {
    session.add(chart, Kind::Note, vec![(Field::Text, text.to_owned())]).expect("a note")
}

fn write(session: &mut Session, chart: ChartId, key: ItemKey, text: &str) {
    session.set(chart, key, vec![(Field::Text, Some(text.to_owned()))]).expect("own words");
}

fn exchange(session: &mut Session, relay: &mut FakeRelay) {
    for _ in 0..50 {
        let request = session.request().expect("an open session says what it has");
        let response = relay.answer(session.installation(), &request, 100);
        if !session.accept(&request, &response).expect("an honest relay is followed").more {
            return;
        }
    }
    panic!("the device never came to rest");
}

/// The counts of the line, and the same counted from the sheet and from every list's rows.
fn told(session: &mut Session, chart: ChartId) -> HonestyView {
    let line = session.honesty().expect("the counts read");
    let mut sheet = HonestyView::default();
    for item in session.whereabouts().expect("the sheet reads") {
        match item.state {
            ReceiptState::Device => sheet.device += item.things,
            ReceiptState::Sent => sheet.sent += item.things,
            ReceiptState::Received => sheet.received += item.things,
        }
    }
    assert_eq!(line, sheet, "the line and the sheet say the same");
    let own: Vec<Row> = session.rows(chart).expect("rows").newest().into_iter().cloned().collect();
    let mut rows = HonestyView::default();
    for row in own.iter().filter(|row| row.own_seq > 0) {
        match session.receipt(row.space, row.own_seq) {
            ReceiptState::Device => rows.device += 1,
            ReceiptState::Sent => rows.sent += 1,
            ReceiptState::Received => rows.received += 1,
        }
    }
    assert_eq!(line, rows, "and so do the rows");
    line
}

fn counts(device: u32, sent: u32, received: u32) -> HonestyView {
    HonestyView { device, sent, received }
}

#[test]
fn a_first_entry_counts_as_one_thing_and_so_does_an_entry_that_was_changed() {
    let (mut session, chart) = person(81);
    assert_eq!(told(&mut session, chart), counts(1, 0, 0), "the person's own particulars are one thing");
    let key = note(&mut session, chart, "a");
    assert_eq!(told(&mut session, chart), counts(2, 0, 0), "a new document adds none of its own");
    write(&mut session, chart, key, "b");
    write(&mut session, chart, key, "c");
    assert_eq!(told(&mut session, chart), counts(2, 0, 0), "changed twice, and still one thing");
    let mut session = session.restart().expect("the vault opens again");
    assert_eq!(told(&mut session, chart), counts(2, 0, 0), "and it is so after a restart");
    for round in 0..300 {
        write(&mut session, chart, key, &format!("round {round}"));
    }
    assert_eq!(told(&mut session, chart), counts(2, 0, 0), "however often it was changed");
}

#[test]
fn a_thing_is_where_its_last_change_is() {
    let mut relay = FakeRelay::new([7; 32]);
    let (mut phone, chart) = person(82);
    phone.pin_for_tests(relay.key());
    let key = note(&mut phone, chart, "a");
    exchange(&mut phone, &mut relay);
    assert_eq!(told(&mut phone, chart), counts(0, 2, 0), "the relay has both, nobody else");
    let mut laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(83));
    for _ in 0..2 {
        exchange(&mut phone, &mut relay);
        exchange(&mut laptop, &mut relay);
    }
    exchange(&mut phone, &mut relay);
    assert_eq!(told(&mut phone, chart), counts(0, 0, 2), "the laptop signed for both");
    assert_eq!(told(&mut laptop, chart), counts(0, 0, 0), "nothing was written on the laptop");
    write(&mut phone, chart, key, "b");
    assert_eq!(told(&mut phone, chart), counts(1, 0, 1), "its last change is here alone");
    let items = phone.whereabouts().expect("the sheet reads");
    assert_eq!(items.iter().filter(|item| item.entry == Some(key.name())).count(), 1, "it is listed once");
}

#[test]
fn of_many_things_the_sheet_forgets_only_what_it_would_not_show() {
    let (mut session, chart) = person(88);
    let mut relay = FakeRelay::new([8; 32]);
    session.pin_for_tests(relay.key());
    for n in 0..30 {
        note(&mut session, chart, &format!("sent {n}"));
    }
    exchange(&mut session, &mut relay);
    let often = note(&mut session, chart, "written often");
    for n in 0..40 {
        write(&mut session, chart, often, &format!("written often {n}"));
        note(&mut session, chart, &format!("not sent {n}"));
    }
    let shown = session.whereabouts().expect("the sheet reads");
    let kept = |session: &Session| session.vault.names(Table::Outbox).expect("names").len();
    let before = kept(&session);
    session.idle().expect("rests");
    assert!(kept(&session) < before - 20, "{before} before, {} after", kept(&session));
    assert_eq!(session.whereabouts().expect("the sheet reads"), shown, "it shows what it showed");
    let after = kept(&session);
    session.idle().expect("rests");
    assert_eq!(kept(&session), after, "and nothing more goes");
}
