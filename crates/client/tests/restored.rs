//! Histories that part: the server asks to begin again, the server goes back to an older backup, a vault goes back to an older
//! copy or runs twice. Nothing that anybody saved is lost, nobody's fork is taken for the truth, and the person is told.

#[path = "restored/apps.rs"]
mod apps;
#[path = "restored/erased.rs"]
mod erased;
#[path = "cuts/world.rs"]
mod family;
#[path = "restored/parted.rs"]
mod parted;
#[path = "restored/removals.rs"]
mod removals;
#[path = "restored/upheld.rs"]
mod upheld;
#[path = "support/world.rs"]
mod world;

use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ExchangeError, ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_sync::{FORMS, FollowError, Item, Outcome, Refusal, RefusalCode, SyncRequest, SyncResponse};
use mecum_testkit::{Cheat, FakeRelay};
use mecum_vault::Location;

use parted::{Parted, cases, first_seed, marks, settle};

/// Histories with each change. Source: the programme's rows 12 and 19.
const PER_CHANGE: u64 = 200;

/// A phone with a chart and a tablet that has seen it.
fn two_devices(seed: u64) -> (FakeRelay, Session, Session, ChartId) {
    println!("seed {seed}");
    let mut relay = FakeRelay::new([7; 32]);
    let mut phone = first_device(&Location::Memory, surroundings(seed));
    phone.pin_for_tests(relay.key());
    let chart = phone.create_chart("Ibu Ratna", Some("1958-03-04"), Relation::Mother, None).expect("a chart");
    let mut tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(seed ^ 0x2222));
    for _ in 0..2 {
        settle(&mut relay, &mut phone).expect("an honest relay");
        settle(&mut relay, &mut tablet).expect("an honest relay");
    }
    (relay, phone, tablet, chart)
}

fn note(session: &mut Session, chart: ChartId, text: &str) -> ItemKey {
    session.add(chart, Kind::Note, vec![(Field::Text, text.to_owned())]).expect("a note")
}

fn ask(relay: &mut FakeRelay, session: &mut Session) -> (SyncRequest, SyncResponse) {
    let request = session.request().expect("a request");
    let response = relay.answer(session.installation(), session.said(&request, FORMS), 50);
    (request, response)
}

#[test]
fn a_cursor_that_is_refused_loses_nothing_and_says_nothing_twice() {
    let (mut relay, mut phone, mut tablet, chart) = two_devices(1);
    for n in 0..5 {
        note(&mut phone, chart, &format!("phone {n}"));
        note(&mut tablet, chart, &format!("tablet {n}"));
        settle(&mut relay, &mut phone).expect("followed");
        settle(&mut relay, &mut tablet).expect("followed");
    }
    settle(&mut relay, &mut phone).expect("followed");
    let (before, held) = (phone.fingerprint().expect("reads"), relay.len());
    relay.refuse_cursors();
    note(&mut phone, chart, "written while the server had begun again");
    assert_eq!(settle(&mut relay, &mut phone).expect("followed").again, 1, "it begins again by itself, once");
    settle(&mut relay, &mut tablet).expect("followed");
    settle(&mut relay, &mut phone).expect("followed");
    let after = phone.fingerprint().expect("reads");
    let gone: Vec<_> = before.keys().filter(|key| !after.contains_key(*key)).collect();
    assert!(gone.is_empty(), "everything is there: {gone:?}");
    assert_eq!(after, tablet.fingerprint().expect("reads"), "and the same on both");
    // The new note and its acknowledgements, and no envelope that was there before.
    assert!(relay.len() <= held + 4, "what was stored was not stored again: {} of {held}", relay.len());
    assert!(!phone.has_something_to_say() && phone.quarantined() == 0, "and it came to rest");
    assert_eq!(
        phone.honesty().expect("counts").device,
        0,
        "what the server showed again counts as sent again"
    );
}

#[test]
fn a_server_that_always_begins_again_is_not_asked_for_ever() {
    let (mut relay, mut phone, _, chart) = two_devices(2);
    note(&mut phone, chart, "kept");
    let before = marks(&mut phone, chart);
    relay.refuse_cursors();
    assert!(phone.begin_again().expect("a vault takes it"), "the first time it is a way on");
    assert!(!phone.begin_again().expect("a vault takes it"), "at once again it is none");
    let mut phone = phone.restart().expect("opens");
    assert!(!phone.begin_again().expect("a vault takes it"), "nor after a restart");
    assert_eq!(marks(&mut phone, chart), before, "and everything is there");
}

#[test]
fn log_entries_that_the_server_lost_are_offered_again_before_anything_else() {
    let (mut relay, mut phone, _, chart) = two_devices(3);
    note(&mut phone, chart, "written before");
    settle(&mut relay, &mut phone).expect("followed");
    // Back to the first entry alone: the second device, and every space, was never heard of.
    relay.back_to(1);
    let request = phone.request().expect("a request");
    assert_eq!(
        relay.try_answer(phone.installation(), &request, 50).err(),
        Some(RefusalCode::Resync),
        "refused"
    );
    assert!(phone.begin_again().expect("a vault takes it"), "it begins again");
    let first = phone.request().expect("a request");
    assert_eq!(first.account_entries.len(), 2, "the whole account log goes first");
    assert!(!first.space_entries.is_empty(), "with every space's log");
    assert!(first.pushes.is_empty(), "and nothing else until the server has shown what it has");
    settle(&mut relay, &mut phone).expect("followed");
    let mut fresh = phone.pair_for_tests("new", &Location::Memory, surroundings(0x3333));
    settle(&mut relay, &mut phone).expect("followed");
    settle(&mut relay, &mut fresh).expect("followed");
    assert_eq!(marks(&mut fresh, chart), marks(&mut phone, chart), "a new device gets everything");
    assert_eq!(fresh.devices().len(), 3, "and every device of the account");
}

#[test]
fn a_relay_that_only_pretends_to_have_lost_something_makes_nobody_forget() {
    let (mut relay, mut phone, mut tablet, chart) = two_devices(4);
    note(&mut tablet, chart, "seen by the phone");
    settle(&mut relay, &mut tablet).expect("followed");
    settle(&mut relay, &mut phone).expect("followed");
    let (before, devices) = (phone.fingerprint().expect("reads"), phone.devices().len());
    let kept = relay.len();
    // It shows only its beginning, for as long as it likes.
    relay.back_to(2);
    settle(&mut relay, &mut phone).expect("followed");
    let mut phone = phone.restart().expect("opens");
    settle(&mut relay, &mut phone).expect("followed");
    assert_eq!(phone.fingerprint().expect("reads"), before, "every document and row stays");
    assert_eq!(phone.devices().len(), devices, "so does every device");
    note(&mut phone, chart, "written on top");
    settle(&mut relay, &mut phone).expect("what it says acknowledges nothing that the relay lacks");
    settle(&mut relay, &mut tablet).expect("the writer brings its own again");
    settle(&mut relay, &mut phone).expect("followed");
    settle(&mut relay, &mut tablet).expect("followed");
    assert_eq!(phone.fingerprint().expect("reads"), tablet.fingerprint().expect("reads"), "both have all");
    assert!(relay.len() >= kept, "and so has the relay");
}

#[test]
fn another_link_under_a_number_that_is_held_stays_a_fork_with_everything_kept() {
    for deep in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut relay, mut phone, tablet, chart) = two_devices(5);
        drop(tablet);
        let at = Location::File(folder.path().join("laptop.sqlite"));
        let mut laptop = phone.pair_for_tests("laptop", &at, surroundings(0x1234));
        settle(&mut relay, &mut phone).expect("followed");
        settle(&mut relay, &mut laptop).expect("followed");
        note(&mut laptop, chart, "the chain begins");
        settle(&mut relay, &mut laptop).expect("followed");
        let copy = folder.path().join("copy.sqlite");
        laptop.copy_for_tests(&copy);
        let backup = relay.len();
        note(&mut laptop, chart, "held by the phone");
        if deep {
            note(&mut laptop, chart, "and one more");
        }
        settle(&mut relay, &mut laptop).expect("followed");
        settle(&mut relay, &mut phone).expect("followed");
        relay.back_to(backup);
        let mut twin = Session::of_copy_for_tests(&copy, surroundings(0x4321));
        note(&mut twin, chart, "another link under the same number");
        settle(&mut relay, &mut twin).expect("the relay has nothing against it");
        let before = phone.fingerprint().expect("reads");
        let refused = settle(&mut relay, &mut phone).expect_err("another history");
        assert!(matches!(refused, ExchangeError::Follow(FollowError::Fork)), "said as what it is: {refused}");
        assert_eq!(
            phone.fingerprint().expect("reads"),
            before,
            "deep {deep}: nothing was taken, nothing lost"
        );
        let mut phone = phone.restart().expect("opens");
        assert!(settle(&mut relay, &mut phone).is_err(), "nor the next time");
    }
}

#[test]
fn a_fork_that_a_relay_only_claims_changes_nothing() {
    let (mut relay, mut phone, mut tablet, chart) = two_devices(6);
    note(&mut phone, chart, "refused for a lie");
    let life = phone.installation();
    let request = phone.request().expect("a request");
    assert!(!request.pushes.is_empty(), "the note is on its way");
    let refused = Outcome::Refused(Refusal { code: RefusalCode::ChainFork, last: None });
    let response = SyncResponse {
        server_time_ms: 0,
        account_outcomes: vec![Outcome::Stored; request.account_entries.len()],
        space_outcomes: vec![Outcome::Stored; request.space_entries.len()],
        push_outcomes: vec![refused; request.pushes.len()],
        receipts: None,
        items: Vec::new(),
        cursor: request.cursor,
        more: false,
        snapshot_outcomes: Vec::new(),
        pruned: None,
        helpers_notice: None,
        handed: None,
    };
    let error = phone.accept(&request, &response).expect_err("refused");
    assert!(matches!(error, ExchangeError::RolledBack), "it looks into it: {error}");
    let asked = phone.request().expect("a request");
    assert!(asked.pushes.is_empty() && asked.account_entries.is_empty(), "and says nothing meanwhile");
    let (request, response) = ask(&mut relay, &mut phone);
    let error = phone.accept(&request, &response).expect_err("the claim was empty");
    assert!(matches!(error, ExchangeError::Refused(RefusalCode::ChainFork)), "said: {error}");
    assert_eq!(phone.installation(), life, "the incarnation is what it was");
    settle(&mut relay, &mut phone).expect("an honest relay is followed again");
    settle(&mut relay, &mut tablet).expect("followed");
    assert_eq!(marks(&mut tablet, chart), marks(&mut phone, chart), "and the note gets there");
}

#[test]
fn an_older_copy_fetches_what_it_lost_and_writes_again_what_only_it_held() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut relay = FakeRelay::new([8; 32]);
    let at = Location::File(folder.path().join("phone.sqlite"));
    let mut phone = first_device(&at, surroundings(11));
    phone.pin_for_tests(relay.key());
    let chart = phone.create_chart("Ibu Ratna", None, Relation::Mother, None).expect("a chart");
    let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
    let medicine = phone.add(chart, Kind::MedicationStatement, fields).expect("a medicine");
    let mut tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(12));
    for _ in 0..2 {
        settle(&mut relay, &mut phone).expect("followed");
        settle(&mut relay, &mut tablet).expect("followed");
    }
    let copy = folder.path().join("copy.sqlite");
    phone.copy_for_tests(&copy);
    let dose = |session: &mut Session, value: &str| {
        session.set(chart, medicine, vec![(Field::Dose, Some(value.to_owned()))]).expect("a dose");
    };
    dose(&mut phone, "10");
    note(&mut phone, chart, "sent by the phone");
    settle(&mut relay, &mut phone).expect("followed");
    settle(&mut relay, &mut tablet).expect("followed");
    drop(phone);
    let mut phone = Session::of_copy_for_tests(&copy, surroundings(13));
    let before = phone.installation();
    dose(&mut phone, "2.5");
    for n in 0..3 {
        note(&mut phone, chart, &format!("only in the copy {n}"));
    }
    let settled = settle(&mut relay, &mut phone).expect("followed");
    assert_eq!(settled.warned, 1, "it is known for what it is");
    assert_ne!(phone.installation(), before, "and lives anew");
    assert_eq!(phone.installation().0, before.0, "as the same device");
    settle(&mut relay, &mut tablet).expect("followed");
    settle(&mut relay, &mut phone).expect("followed");
    let doses =
        format!("{:?}", tablet.entry(chart, medicine).expect("reads").expect("there").field(Field::Dose));
    assert!(doses.contains("\"10\"") && doses.contains("\"2.5\""), "both doses stand, and a person is asked");
    assert_eq!(phone.fingerprint().expect("reads"), tablet.fingerprint().expect("reads"), "the same on both");
    let all = marks(&mut tablet, chart);
    for text in ["sent by the phone", "only in the copy 0", "only in the copy 1", "only in the copy 2"] {
        assert!(all.contains(text), "{text} is there: {all:?}");
    }
    assert_eq!((phone.quarantined(), tablet.quarantined()), (0, 0), "no number was used twice");
    dose(&mut phone, "7.5");
    settle(&mut relay, &mut phone).expect("followed");
    let mut fresh = phone.pair_for_tests("new", &Location::Memory, surroundings(14));
    settle(&mut relay, &mut phone).expect("followed");
    settle(&mut relay, &mut fresh).expect("followed");
    assert_eq!(
        fresh.fingerprint().expect("reads"),
        phone.fingerprint().expect("reads"),
        "a new device follows"
    );
    let mut phone = phone.restart().expect("opens");
    assert_eq!(
        fresh.fingerprint().expect("reads"),
        phone.fingerprint().expect("reads"),
        "also after a restart"
    );
    let (folded, spaces) = fresh.folds_for_tests();
    assert_eq!(
        folded, spaces,
        "and every space still folds into a snapshot that its writers' statements cover"
    );
}

#[test]
fn an_older_copy_that_is_interrupted_goes_on_where_it_was_and_writes_nothing_under_a_used_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut relay = FakeRelay::new([18; 32]);
    let at = Location::File(folder.path().join("phone.sqlite"));
    let mut phone = first_device(&at, surroundings(31));
    phone.pin_for_tests(relay.key());
    let chart = phone.create_chart("Laras", None, Relation::Own, None).expect("a chart");
    note(&mut phone, chart, "before");
    settle(&mut relay, &mut phone).expect("followed");
    let copy = folder.path().join("copy.sqlite");
    phone.copy_for_tests(&copy);
    for n in 0..12 {
        note(&mut phone, chart, &format!("lost {n}"));
        settle(&mut relay, &mut phone).expect("followed");
    }
    drop(phone);
    let mut phone = Session::of_copy_for_tests(&copy, surroundings(33));
    note(&mut phone, chart, "only in the copy");
    let mut warned = false;
    for n in 0..60 {
        let request = phone.request().expect("a request");
        if phone.is_fetching_for_tests() {
            assert!(
                request.pushes.is_empty() && request.account_entries.is_empty(),
                "nothing is said meanwhile"
            );
        }
        let response = relay.answer(phone.installation(), &request, 2);
        match phone.accept(&request, &response) {
            Ok(exchanged) if !exchanged.more => break,
            Ok(_) => {}
            Err(ExchangeError::RolledBack) => warned = true,
            Err(error) => panic!("{error}"),
        }
        if warned && n < 6 {
            note(&mut phone, chart, &format!("written in between {n}"));
            assert!(phone.honesty().expect("counts").device > 0, "and not shown as sent");
        }
        phone = phone.restart().expect("opens");
    }
    assert!(warned, "it is known for what it is");
    settle(&mut relay, &mut phone).expect("followed");
    let mut fresh = phone.pair_for_tests("new", &Location::Memory, surroundings(34));
    settle(&mut relay, &mut phone).expect("followed");
    settle(&mut relay, &mut fresh).expect("followed");
    let all = marks(&mut fresh, chart);
    for text in (0..12).map(|n| format!("lost {n}")).chain(["before".into(), "only in the copy".into()]) {
        assert!(all.contains(&text), "{text} is there: {all:?}");
    }
    assert!(all.iter().any(|text| text.starts_with("written in between")), "with what was written meanwhile");
    assert_eq!(all.len(), marks(&mut phone, chart).len(), "once each");
    assert_eq!(fresh.fingerprint().expect("reads"), phone.fingerprint().expect("reads"), "the same on both");
    assert_eq!((phone.quarantined(), fresh.quarantined()), (0, 0), "no number was used twice");
}

#[test]
fn both_of_two_copies_of_one_vault_go_on_and_nobodys_edit_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut relay = FakeRelay::new([9; 32]);
    let at = Location::File(folder.path().join("one.sqlite"));
    let mut one = first_device(&at, surroundings(21));
    one.pin_for_tests(relay.key());
    let chart = one.create_chart("Laras", None, Relation::Own, None).expect("a chart");
    note(&mut one, chart, "before");
    settle(&mut relay, &mut one).expect("followed");
    let copy = folder.path().join("two.sqlite");
    one.copy_for_tests(&copy);
    let mut two = Session::of_copy_for_tests(&copy, surroundings(22));
    let mut warned = 0;
    for n in 0..4 {
        note(&mut one, chart, &format!("one {n}"));
        note(&mut two, chart, &format!("two {n}"));
        warned += settle(&mut relay, &mut one).expect("followed").warned;
        warned += settle(&mut relay, &mut two).expect("followed").warned;
    }
    settle(&mut relay, &mut one).expect("followed");
    assert_eq!(warned, 1, "the second to reach the server is told, once");
    assert_ne!(one.installation(), two.installation(), "and they are two installations from there on");
    assert_eq!(one.fingerprint().expect("reads"), two.fingerprint().expect("reads"), "the same on both");
    let all = marks(&mut one, chart);
    for text in (0..4).flat_map(|n| [format!("one {n}"), format!("two {n}")]) {
        assert!(all.contains(&text), "{text} is there: {all:?}");
    }
    assert_eq!((one.quarantined(), two.quarantined()), (0, 0), "no number was used twice");
}

#[test]
fn a_server_that_goes_back_gets_everything_again_from_whoever_has_it() {
    let (first, count) = (first_seed(), cases(PER_CHANGE));
    println!("seeds {first}..{}", first + count);
    for seed in first..first + count {
        let outcome = Parted::new(seed).server_goes_back(None);
        assert_eq!(outcome.result, Ok(()), "seed {seed}");
    }
}

#[test]
fn an_edit_that_a_restored_server_drops_is_missed() {
    let (mut cheated, mut caught) = (0, 0);
    for seed in 0..8 {
        let outcome = Parted::new(seed).server_goes_back(Some(Cheat::DropPush));
        cheated += u32::from(outcome.cheated);
        caught += u32::from(outcome.cheated && outcome.result.is_err());
    }
    assert!(cheated > 0, "the relay found an occasion to cheat");
    assert_eq!(caught, cheated, "the control fails each time");
}

#[test]
fn an_edit_that_the_server_drops_after_an_older_copy_came_back_is_missed() {
    let (mut cheated, mut caught) = (0, 0);
    for seed in 0..6 {
        let outcome = Parted::new(seed).vault_goes_back(Some(Cheat::DropPush));
        cheated += u32::from(outcome.cheated);
        caught += u32::from(outcome.cheated && outcome.result.is_err());
    }
    assert!(cheated > 0, "the relay found an occasion to cheat");
    assert_eq!(caught, cheated, "the control fails each time");
}

#[test]
fn an_older_copy_converges_with_its_lost_life_and_loses_nothing() {
    let (first, count) = (first_seed(), cases(PER_CHANGE));
    println!("seeds {first}..{}", first + count);
    let mut warned = 0;
    for seed in first..first + count {
        let outcome = Parted::new(seed).vault_goes_back(None);
        assert_eq!(outcome.result, Ok(()), "seed {seed}");
        warned += u64::from(outcome.warned);
    }
    assert_eq!(warned, count, "whoever's copy was older is told, each time");
}

#[test]
fn a_forged_or_foreign_link_is_never_taken_for_what_was_lost() {
    let (mut relay, mut phone, mut tablet, chart) = two_devices(7);
    note(&mut tablet, chart, "by the tablet");
    settle(&mut relay, &mut tablet).expect("followed");
    relay.refuse_cursors();
    assert!(phone.begin_again().expect("a vault takes it"), "it begins again");
    let request = phone.request().expect("a request");
    let mut response = relay.answer(phone.installation(), &request, 50);
    let batches = response.items.iter_mut().filter_map(|item| match item {
        Item::Batch { push, .. } if !push.envelopes.is_empty() => Some(push),
        _ => None,
    });
    for push in batches {
        if let Some(last) = push.envelopes.last_mut().and_then(|envelope| envelope.last_mut()) {
            *last ^= 1;
        }
    }
    let error = phone.accept(&request, &response).expect_err("not what was held");
    assert!(matches!(error, ExchangeError::Follow(_)), "refused by name: {error}");
    settle(&mut relay, &mut phone).expect("the honest answer is still taken");
    assert!(marks(&mut phone, chart).contains("by the tablet"), "and nothing is missing");
}
