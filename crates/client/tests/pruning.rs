//! A server that prunes what two devices found folded right, after 90 days: whoever comes later or was away goes on from the
//! snapshot and loses nothing, and a snapshot that is not right lets nothing be pruned, or is said not to be believed.

#[path = "pruning/again.rs"]
mod again;
#[path = "pruning/erased.rs"]
mod erased;
#[path = "support/line.rs"]
mod line;
#[path = "pruning/older.rs"]
mod older;
#[path = "pruning/removed.rs"]
mod removed;

use line::{Device, Line, an_entry, exchange, fold, same, set, write};
use mecum_api::{EntryEraseArgs, MemberRemoveArgs};
use mecum_client::ItemKey;
use mecum_client::testing::surroundings;
use mecum_documents::{Document, Limits};
use mecum_domain::{Batch, ChartId, Edit, EntryId, Field, Kind};
use mecum_faults::Proof;
use mecum_sync::{FORMS, Outcome, Pruning, Role, Signed, StoredSnapshot, SyncRequest, Verified};
use mecum_vault::Location;

/// After each exchange every device folds what the server has: what is asked of logs later is asked of folded ones.
pub(crate) const FOLDS: bool = true;

#[tokio::test(flavor = "multi_thread")]
async fn what_two_devices_found_right_is_pruned_after_ninety_days_and_not_a_day_before() {
    let line = Line::start().await;
    let (mut phone, mut laptop, _) = *Box::pin(line.two(141, 120)).await;
    drop(fold(&line, &mut phone, &mut laptop, 143).await);
    let (before, all) = line.envelopes();
    assert_eq!(before, all, "nothing is pruned at once");
    line.later(89);
    assert_eq!(line.relay.sweep().expect("a sweep").pruned_envelopes, 0, "nor after 89 days");
    line.later(1);
    let swept = line.relay.sweep().expect("a sweep").pruned_envelopes;
    let (left, still) = line.envelopes();
    assert!(swept > 100 && left + i64::try_from(swept).expect("few") == all, "{swept} of {all}, {left} left");
    assert_eq!(still, all, "number and hash of each stay");
    line.is_sound("pruned");

    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(144));
    exchange(&mut phone).await;
    let mut tablet = line.device(tablet).await;
    exchange(&mut tablet).await;
    exchange(&mut laptop).await;
    exchange(&mut phone).await;
    same(&mut [&mut phone, &mut laptop, &mut tablet], "a device that comes later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_away_goes_on_from_the_snapshot_and_loses_nothing_of_its_own() {
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(151, 60)).await;
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(153));
    exchange(&mut phone).await;
    let mut tablet = line.device(tablet).await;
    exchange(&mut tablet).await;
    let key = an_entry(&mut tablet.session, chart);
    set(&mut tablet, chart, key, "120");
    exchange(&mut tablet).await;
    // What was folded for it is pruned: it has that.
    exchange(&mut phone).await;
    exchange(&mut laptop).await;
    line.later(91);
    assert!(line.relay.sweep().expect("a sweep").pruned_envelopes > 0, "it is pruned");
    // Away from here on: it writes, also into documents that nobody else knows.
    write(&mut [&mut phone, &mut laptop], chart, 154, 80).await;
    for number in 0..30 {
        set(&mut tablet, chart, key, &format!("{}", 130 + number));
    }
    let edit = Edit::Add {
        entry: EntryId::from_bytes([7; 16]),
        kind: Kind::Note,
        fields: vec![(Field::Text, "written on the island".into())],
    };
    tablet.session.write_for_tests(chart, vec![(Kind::Note, edit)], false).expect("an honest edit");
    drop(fold(&line, &mut phone, &mut laptop, 155).await);
    line.later(91);
    assert!(line.relay.sweep().expect("a sweep").pruned_envelopes > 0, "it is pruned");
    write(&mut [&mut phone, &mut laptop], chart, 156, 20).await;

    let mut tablet = line.again(tablet).await;
    let brought = exchange(&mut tablet).await;
    assert_eq!(brought.begun_again, 1, "410 once, and it goes on by itself: {brought:?}");
    assert!(brought.snapshots > 0, "{brought:?}");
    for _ in 0..2 {
        exchange(&mut phone).await;
        exchange(&mut laptop).await;
        exchange(&mut tablet).await;
    }
    same(&mut [&mut phone, &mut laptop, &mut tablet], "after coming back");
    let text = format!("{:?}", phone.session.fingerprint().expect("shown"));
    assert!(text.contains("written on the island"), "what only it had is everywhere");
    line.is_sound("after coming back");
    let mut reopened = tablet.session.restart().expect("its vault opens again");
    assert_eq!(
        reopened.fingerprint().expect("shown"),
        phone.session.fingerprint().expect("shown"),
        "from its own vault"
    );
}

/// Stores a snapshot and has the devices say that it is right, as colluding ones would.
async fn impose(device: &mut Device, snapshot: &mecum_sync::SpaceSnapshot, said: Vec<Signed<Verified>>) {
    let cursor = device.session.request().expect("a request").cursor;
    let pruning = Some(Pruning { verified: said, ..Pruning::default() });
    let lie =
        SyncRequest { snapshots: vec![snapshot.clone()], pruning, ..SyncRequest::pull(cursor, 1 << 20) };
    let response = device.remote.sync(&device.signed_in, &lie).await.expect("a relay answers");
    assert_eq!(response.snapshot_outcomes, [Outcome::Stored], "a relay cannot see what is inside");
    assert_eq!(response.verified_outcomes(), [Outcome::Stored], "nor who lies");
}

/// The document with one entry more than was ever stated.
fn more(document: &Document) -> Document {
    let entry = EntryId::from_bytes([3; 16]);
    let edit = Edit::Add { entry, kind: Kind::Note, fields: vec![(Field::Text, "never said".into())] };
    document.author(&Batch { at_ms: 1, edits: vec![edit] }).expect("an edit").next
}

#[tokio::test(flavor = "multi_thread")]
async fn no_honest_device_says_of_a_wrong_snapshot_that_it_is_right() {
    type Lie = fn(&Document) -> Document;
    let lies: [(&str, Lie); 3] = [
        ("an empty document", |document| Document::new(document.actor())),
        ("a change more", more),
        ("a change in another's name", |document| {
            let other = mecum_documents::Actor::from_bytes([9; 16]);
            more(&Document::load(&document.save(), other, Limits::default()).expect("it loads"))
        }),
    ];
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(161, 60)).await;
    let key = an_entry(&mut phone.session, chart);
    for (number, (what, lie)) in lies.into_iter().enumerate() {
        let snapshot = phone.session.lying_snapshot_for_tests(chart, key, lie);
        let stored = stored(&mut phone, &snapshot).await;
        assert!(!laptop.session.finds_right_for_tests(&stored), "{what}");
        assert!(!phone.session.finds_right_for_tests(&stored), "{what}: nor its maker");
        // The next lie is another state of the space.
        set(&mut laptop, chart, key, &format!("{}", 101 + number));
        exchange(&mut laptop).await;
        exchange(&mut phone).await;
        exchange(&mut laptop).await;
        exchange(&mut phone).await;
    }
    let space = phone.session.space_of_for_tests(chart, key);
    let honest = phone.session.snapshot_for_tests(space);
    let honest = stored(&mut phone, &honest).await;
    assert!(laptop.session.finds_right_for_tests(&honest), "the control: an honest one is right");
    let mut padded = honest.clone();
    padded.snapshot.parts.push(padded.snapshot.parts[0].clone());
    assert!(!laptop.session.finds_right_for_tests(&padded), "a part more");
    let mut swapped = honest.clone();
    swapped.snapshot.parts.reverse();
    assert!(!laptop.session.finds_right_for_tests(&swapped), "parts in another order");
    let mut partial = honest;
    partial.snapshot.parts.pop();
    assert!(!laptop.session.finds_right_for_tests(&partial), "a part less");
}

/// Stores a snapshot and fetches what the server holds of it.
async fn stored(device: &mut Device, snapshot: &mecum_sync::SpaceSnapshot) -> StoredSnapshot {
    let cursor = device.session.request().expect("a request").cursor;
    let pruning = Some(Pruning { show: Some(snapshot.space()), ..Pruning::default() });
    let ask =
        SyncRequest { snapshots: vec![snapshot.clone()], pruning, ..SyncRequest::pull(cursor, 1 << 20) };
    let response = device.remote.sync(&device.signed_in, &ask).await.expect("a relay answers");
    assert_eq!(response.snapshot_outcomes, [Outcome::Stored]);
    let shown = response.pruned.and_then(|pruned| pruned.shown).expect("it is shown");
    assert_eq!(shown.snapshot, *snapshot, "as it was given");
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_snapshot_in_the_place_of_what_is_gone_is_refused_said_and_stops_nothing_else() {
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(171, 60)).await;
    // Who is in stands behind envelopes that will be gone.
    let (mut sari, _) = Box::pin(line.first(175)).await;
    phone.session.let_in_for_tests(chart, Kind::VitalSign.section(), Role::Reader, &mut sari.session);
    for _ in 0..2 {
        for device in [&mut phone, &mut laptop, &mut sari] {
            exchange(device).await;
        }
    }
    let key = an_entry(&mut phone.session, chart);
    // What was folded for her is right, and is pruned. The lie is about what came since.
    line.later(91);
    line.relay.sweep().expect("a sweep");
    set(&mut laptop, chart, key, "119");
    for _ in 0..2 {
        exchange(&mut laptop).await;
        exchange(&mut phone).await;
    }
    let lie = phone.session.lying_snapshot_for_tests(chart, key, more);
    let said = stored(&mut phone, &lie).await;
    let by_phone = phone.session.verified_for_tests(&said);
    let by_laptop = laptop.session.verified_for_tests(&said);
    impose(&mut phone, &lie, vec![by_phone]).await;
    impose_only(&mut laptop, by_laptop).await;
    line.later(91);
    assert!(line.relay.sweep().expect("a sweep").pruned_envelopes > 0, "two of them lied: it is pruned");

    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(173));
    exchange(&mut phone).await;
    let mut tablet = line.device(tablet).await;
    exchange(&mut tablet).await;
    let (aside, said) = tablet.session.aside_for_tests();
    assert_eq!(
        (aside, said),
        (1, Some("error-section-not-believed")),
        "one space is not believed, and said so"
    );
    let whole = phone.session.fingerprint().expect("shown");
    let has = tablet.session.fingerprint().expect("shown");
    assert!(
        !has.is_empty() && has.len() < whole.len(),
        "everything else is there: {} of {}",
        has.len(),
        whole.len()
    );
    assert!(!format!("{has:?}").contains("never said"), "nothing of the lie was taken in");

    // Everything else goes on, whatever is decided in that space meanwhile.
    let account = sari.session.account_for_tests();
    let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
    phone.session.member_remove(&args).expect("she is removed");
    note(&mut phone, chart, "written elsewhere since");
    exchange(&mut phone).await;
    exchange(&mut tablet).await;
    let has = format!("{:?}", tablet.session.fingerprint().expect("shown"));
    assert!(has.contains("written elsewhere since"), "and other sections are read on");

    // Whoever holds the space gives an honest snapshot of it: the new device takes that.
    for value in 0..320 {
        set(&mut laptop, chart, key, &value.to_string());
    }
    for _ in 0..3 {
        exchange(&mut laptop).await;
        exchange(&mut phone).await;
    }
    let brought = exchange(&mut tablet).await;
    assert_eq!(tablet.session.aside_for_tests(), (0, None), "it is believed now: {brought:?}");
    exchange(&mut phone).await;
    exchange(&mut laptop).await;
    let whole = phone.session.fingerprint().expect("shown");
    assert_eq!(tablet.session.fingerprint().expect("shown"), whole, "and everything is there");
}

fn note(device: &mut Device, chart: ChartId, text: &str) -> ItemKey {
    device.session.add(chart, Kind::Note, vec![(Field::Text, text.to_owned())]).expect("a note is written")
}

fn erase(device: &mut Device, chart: ChartId, key: ItemKey) {
    let args = EntryEraseArgs { chart, entry: key.name(), reason: String::new() };
    device.session.entry_erase(&args).expect("it is decided");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_snapshot_stays_right_when_something_is_erased_after_it() {
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(181, 40)).await;
    let lost = phone.session.pair_for_tests("lost", &Location::Memory, surroundings(183));
    exchange(&mut phone).await;
    let mut lost = line.device(lost).await;
    exchange(&mut lost).await;
    // Somebody whose last statement is about a document that ends, and who never makes another.
    note(&mut lost, chart, "by who is gone");
    let goes = note(&mut phone, chart, "goes");
    let later = note(&mut phone, chart, "goes later");
    for _ in 0..2 {
        for device in [&mut lost, &mut phone, &mut laptop] {
            exchange(device).await;
        }
    }
    let gone = lost.session.installation().0;
    phone.session.remove_device_for_tests(gone, None).expect("it is removed");
    drop(lost);
    together(&mut phone, &mut laptop).await;
    erase(&mut phone, chart, goes);
    together(&mut phone, &mut laptop).await;
    let tablet = fold(&line, &mut phone, &mut laptop, 185).await;
    line.later(91);
    assert!(line.relay.sweep().expect("a sweep").pruned_envelopes > 0, "it is pruned");
    erase(&mut phone, chart, later);
    together(&mut phone, &mut laptop).await;
    // One that begins, and one that has the log with both erasures and reads again.
    let mut tablet = line.device(tablet).await;
    let brought = exchange(&mut tablet).await;
    assert_eq!(tablet.session.aside_for_tests(), (0, None), "a device that begins believes it: {brought:?}");
    assert!(laptop.session.begin_again().expect("a vault takes it"), "it reads again");
    let brought = exchange(&mut laptop).await;
    assert_eq!(laptop.session.aside_for_tests(), (0, None), "so does one that reads again: {brought:?}");
    for _ in 0..2 {
        together(&mut phone, &mut laptop).await;
        exchange(&mut tablet).await;
    }
    same(&mut [&mut phone, &mut laptop, &mut tablet], "after both");
}

async fn together(phone: &mut Device, laptop: &mut Device) {
    for _ in 0..4 {
        exchange(phone).await;
        exchange(laptop).await;
    }
}

async fn impose_only(device: &mut Device, said: Signed<Verified>) {
    let cursor = device.session.request().expect("a request").cursor;
    let pruning = Some(Pruning { verified: vec![said], ..Pruning::default() });
    let lie = SyncRequest { pruning, ..SyncRequest::pull(cursor, 1 << 20) };
    let response = device.remote.sync(&device.signed_in, &lie).await.expect("a relay answers");
    assert_eq!(response.verified_outcomes(), [Outcome::Stored]);
}

/// A server that prunes, before or after the backup that it is put back from, between one and hundreds of pushes behind. The holders
/// come back; in one of three histories one of them only after a new device began. Whether every word is on every device, unless
/// nothing is handed over.
async fn put_back(seed: u64, hands_over: bool) -> Result<(), String> {
    let mut line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(seed * 10 + 1, 24)).await;
    drop(fold(&line, &mut phone, &mut laptop, seed * 10 + 3).await);
    let to = tempfile::tempdir().expect("a folder");
    line.later(91);
    let prune_first = seed.is_multiple_of(2);
    if prune_first {
        assert!(line.relay.sweep().expect("a sweep").pruned_envelopes > 0);
    }
    let backup = line.backup(&to.path().join("backup"));
    if !prune_first {
        assert!(line.relay.sweep().expect("a sweep").pruned_envelopes > 0);
    }
    let (phone_again, laptop_again) = (line.again(phone).await, line.again(laptop).await);
    (phone, laptop) = (phone_again, laptop_again);
    let most = if seed % 20 == 7 { 500 } else { 23 };
    let behind = 1 + usize::try_from(seed * 7 % most).expect("few");
    for number in 0..behind {
        let writer = if number % 3 == 0 { &mut phone } else { &mut laptop };
        let fields = vec![(Field::Text, format!("since the backup {number}"))];
        writer.session.add(chart, Kind::Note, fields).expect("a note");
        exchange(writer).await;
    }
    exchange(&mut phone).await;
    exchange(&mut laptop).await;
    let whole = phone.session.fingerprint().expect("shown");
    line.restore(&backup).await;
    line.relay.sweep().expect("a sweep");
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(seed * 10 + 5));
    let (mut phone, mut laptop) = (line.again(phone).await, line.again(laptop).await);
    let all_return = hands_over && !seed.is_multiple_of(3);
    for device in [&mut phone, &mut laptop] {
        // What a server is handed over only if it takes it.
        device.signed_in.forms = if hands_over { device.signed_in.forms } else { FORMS };
    }
    for _ in 0..3 {
        exchange(&mut phone).await;
        if all_return {
            exchange(&mut laptop).await;
        }
    }
    let mut tablet = line.device(tablet).await;
    exchange(&mut tablet).await;
    exchange(&mut phone).await;
    if hands_over {
        exchange(&mut laptop).await;
        exchange(&mut tablet).await;
    }
    line.is_sound("after the restore");
    if phone.session.fingerprint().expect("shown") != whole {
        return Err("a holder lost something".into());
    }
    if laptop.session.fingerprint().expect("shown") != whole {
        return Err("the other holder lost something".into());
    }
    if tablet.session.fingerprint().expect("shown") != whole {
        return Err("who comes later lacks something".into());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_server_that_is_put_back_from_a_backup_is_no_dead_end() {
    let proof = Proof::new(19, "a pruned server is put back from a backup", 200);
    let (mut cases, mut failures) = (0, Vec::new());
    for number in proof.numbers() {
        cases += 1;
        let seed = proof.seed() % (1 << 56) + number;
        if let Err(what) = Box::pin(put_back(seed, true)).await {
            failures.push(format!("seed {seed}: {what}"));
        }
    }
    proof.end(cases, failures.len() as u64);
    assert!(failures.is_empty(), "{failures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_what_no_holder_brings_back_is_missed() {
    let outcome = Box::pin(put_back(2, false)).await;
    assert_eq!(outcome, Err("who comes later lacks something".into()), "what is compared is really compared");
}
