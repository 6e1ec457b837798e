//! A device that begins from snapshots, against a real relay over TCP: it has the same as one that took every envelope, and what
//! a dishonest member folds is refused, and fetched the long way.

use mecum_api::EntryEraseArgs;
use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ItemKey, Session};
use mecum_documents::{Actor, Document, Limits};
use mecum_domain::{Batch, ChartId, Edit, EntryId, Field, FinishedKey, Kind, Relation};
use mecum_relay::{Relay, RelayOptions};
use mecum_seal::SpaceId;
use mecum_sync::{Item, Outcome, Pruning, SpaceSnapshot, StoredSnapshot, SyncRequest};
use mecum_testkit::generate_mixed;
use mecum_vault::Location;

/// An installation at a relay.
struct Device {
    session: Session,
    remote: Remote,
    signed_in: SignedIn,
}

/// A phone, a laptop and the chart they write.
type Two = Box<(Device, Device, ChartId)>;

/// What a whole exchange brought, by kind of item.
#[derive(Debug, Default, PartialEq, Eq)]
struct Brought {
    batches: usize,
    snapshots: usize,
}

struct Line {
    relay: Relay,
    url: String,
    _folder: tempfile::TempDir,
}

impl Line {
    async fn start() -> Line {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let options = RelayOptions { log: std::sync::Arc::new(|_| {}), ..RelayOptions::default() };
        let relay = Relay::open(folder.path(), options).expect("a folder takes a relay");
        let serving = relay.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        Line { relay, url, _folder: folder }
    }

    async fn device(&self, session: Session) -> Device {
        let remote = Remote::new(&self.url, self.relay.key()).expect("an address");
        let (signing, account, device, incarnation) = session.sign_in_for_tests();
        let signed_in = remote.sign_in(&signing, account, device, incarnation).await.expect("a known device");
        Device { session, remote, signed_in }
    }

    /// Two devices of one account that both wrote and know everything of each other, and the chart.
    async fn two(&self, seed: u64, entries: usize) -> Two {
        let mut phone = first_device(&Location::Memory, surroundings(seed));
        phone.pin_for_tests(self.relay.key());
        let chart = phone
            .create_chart("Laras", Some("1988-02-11"), Relation::Own, None)
            .expect("a fresh account takes a chart");
        let code = self.relay.make_enrolment_code().expect("a relay makes codes");
        let remote = Remote::new(&self.url, self.relay.key()).expect("an address");
        remote.enrol(&code, phone.genesis_for_tests().expect("a genesis")).await.expect("a fresh code");
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(seed + 1));
        let mut phone = self.device(phone).await;
        exchange(&mut phone).await;
        let mut laptop = self.device(laptop).await;
        exchange(&mut laptop).await;
        for (number, entry) in generate_mixed(seed, entries).into_iter().enumerate() {
            let writer = if entry.author == 0 { &mut phone } else { &mut laptop };
            if !matches!(entry.edit, Edit::Set { .. }) {
                let edit = vec![(entry.kind, entry.edit)];
                writer.session.write_for_tests(chart, edit, false).expect("an honest edit");
            }
            if number % 40 == 0 {
                exchange(&mut phone).await;
                exchange(&mut laptop).await;
            }
        }
        for _ in 0..3 {
            exchange(&mut phone).await;
            exchange(&mut laptop).await;
        }
        Box::new((phone, laptop, chart))
    }
}

/// The space that an item belongs to, as far as it is content.
fn space_of(item: &Item) -> Option<SpaceId> {
    match item {
        Item::Batch { push, .. } => Some(push.space()),
        Item::Snapshot { snapshot, .. } => Some(snapshot.space()),
        _ => None,
    }
}

/// Exchanges until nothing is left to say or fetch.
async fn exchange(device: &mut Device) -> Brought {
    let mut brought = Brought::default();
    for _ in 0..200 {
        let request = device.session.request().expect("an open session says what it has");
        let said = device.session.said(&request, device.signed_in.forms);
        let response = device.remote.sync_as_said(&device.signed_in, &said).await.expect("a relay answers");
        for item in &response.items {
            match item {
                Item::Batch { push, .. } => brought.batches += usize::from(!push.envelopes.is_empty()),
                Item::Snapshot { .. } => brought.snapshots += 1,
                _ => {}
            }
        }
        if !device.session.accept(&request, &response).expect("an honest relay is followed").more {
            return brought;
        }
    }
    panic!("the exchange comes to no end: {brought:?}")
}

fn an_entry(session: &mut Session, chart: ChartId) -> ItemKey {
    let rows = session.rows(chart).expect("rows load");
    let row =
        rows.newest().into_iter().find(|row| row.kind == Kind::VitalSign.code()).expect("somebody measured");
    row.key
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_begins_from_snapshots_and_has_what_the_others_have() {
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(41, 300)).await;
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(43));
    exchange(&mut phone).await;
    let mut tablet = line.device(tablet).await;
    let brought = exchange(&mut tablet).await;
    assert_eq!(brought.batches, 0, "no envelope that a snapshot covers is fetched: {brought:?}");
    assert!(brought.snapshots > 2, "a snapshot for each space: {brought:?}");
    let whole = phone.session.fingerprint().expect("a session shows what it has");
    assert_eq!(tablet.session.fingerprint().expect("a session shows what it has"), whole, "the same record");
    assert_eq!(tablet.session.quarantined(), 0, "and nothing put aside");

    let key = an_entry(&mut tablet.session, chart);
    let before = phone.session.history(chart, key).expect("history").len();
    tablet.session.set(chart, key, vec![(Field::Value, Some("131".into()))]).expect("an entry takes a value");
    phone.session.set(chart, key, vec![(Field::Value, Some("132".into()))]).expect("an entry takes a value");
    for _ in 0..2 {
        for device in [&mut tablet, &mut phone, &mut laptop] {
            exchange(device).await;
        }
    }
    let whole = phone.session.fingerprint().expect("a session shows what it has");
    for other in [&mut tablet, &mut laptop] {
        assert_eq!(
            other.session.fingerprint().expect("shown"),
            whole,
            "it goes on from there, and clashes are seen"
        );
    }
    let past = tablet.session.history(chart, key).expect("history");
    assert_eq!(past.len(), before + 2, "what was written before it began is in its history too");
    let told: Vec<_> = past.iter().map(|past| (past.at_ms, past.device, past.change)).collect();
    let others = phone.session.history(chart, key).expect("history");
    let others: Vec<_> = others.iter().map(|past| (past.at_ms, past.device, past.change)).collect();
    assert_eq!(told, others, "when and by whom, as everywhere");
    let mut tablet = tablet.session.restart().expect("its vault opens again");
    assert_eq!(tablet.fingerprint().expect("shown"), whole, "from its own vault");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_a_new_device_of_which_a_section_is_withheld_is_seen_to_lack_it() {
    let line = Line::start().await;
    let (mut phone, _laptop, chart) = *Box::pin(line.two(41, 300)).await;
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(43));
    exchange(&mut phone).await;
    let mut tablet = line.device(tablet).await;
    let withheld =
        phone.session.space_for_tests(chart, Kind::VitalSign.section()).expect("somebody measured");
    let mut dropped = 0;
    for _ in 0..20 {
        let request = tablet.session.request().expect("an open session says what it has");
        let said = tablet.session.said(&request, tablet.signed_in.forms);
        let mut response = tablet.remote.sync_as_said(&tablet.signed_in, &said).await.expect("answered");
        let whole = response.items.len();
        response.items.retain(|item| space_of(item) != Some(withheld));
        dropped += whole - response.items.len();
        // Whether the device sees by itself that something is missing is asked elsewhere: here, whether the comparison does.
        if !tablet.session.accept(&request, &response).is_ok_and(|exchanged| exchanged.more) {
            break;
        }
    }
    assert!(dropped > 0, "something was withheld");
    let whole = phone.session.fingerprint().expect("a session shows what it has");
    let shown = tablet.session.fingerprint().expect("a session shows what it has");
    assert_ne!(shown, whole, "a device that lacks a section has not what the others have");
    assert!(!shown.is_empty(), "and has the rest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_made_again_only_when_there_is_enough_new() {
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(51, 60)).await;
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(53));
    exchange(&mut phone).await;
    drop(tablet);
    let key = an_entry(&mut phone.session, chart);
    for value in 100..110 {
        phone.session.set(chart, key, vec![(Field::Value, Some(value.to_string()))]).expect("set");
        let request = phone.session.request().expect("a request");
        assert!(request.snapshots.is_empty(), "nobody needs one after each edit");
        exchange(&mut phone).await;
    }
    for value in 200..520 {
        laptop.session.set(chart, key, vec![(Field::Value, Some(value.to_string()))]).expect("set");
    }
    exchange(&mut laptop).await;
    let request = laptop.session.request().expect("a request");
    assert!(
        request.snapshots.is_empty() && request.pushes.is_empty(),
        "it was made and stored within the exchange"
    );
    let tablet = phone.session.pair_for_tests("tablet again", &Location::Memory, surroundings(54));
    exchange(&mut phone).await;
    let mut tablet = line.device(tablet).await;
    assert_eq!(exchange(&mut tablet).await.batches, 0, "and whoever comes begins from it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_too_large_for_a_snapshot_stops_no_exchange_and_is_fetched_by_its_envelopes() {
    let line = Line::start().await;
    let (mut phone, _, chart) = *Box::pin(line.two(81, 20)).await;
    let noise = mecum_seal::testing::SeededEntropy::new(82);
    for number in 0..3 {
        // As attachments inside resources: what does not press.
        let mut bytes = vec![0; 3 << 20];
        mecum_seal::Entropy::fill(&noise, &mut bytes);
        let edit = Edit::Keep { key: FinishedKey::from_bytes([number; 16]), bytes };
        phone.session.write_for_tests(chart, vec![(Kind::Observation, edit)], false).expect("an import");
    }
    exchange(&mut phone).await;
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(83));
    exchange(&mut phone).await;
    let mut tablet = line.device(tablet).await;
    let brought = exchange(&mut tablet).await;
    assert!(brought.batches > 0 && brought.snapshots > 0, "the rest is folded all the same: {brought:?}");
    let whole = phone.session.fingerprint().expect("shown");
    assert_eq!(tablet.session.fingerprint().expect("shown"), whole, "and everything is there");
}

/// Puts a lie in the place of the snapshot of a space, and lets a new device begin.
async fn begin_from(line: &Line, phone: &mut Device, snapshot: SpaceSnapshot) -> (Brought, Session) {
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(73));
    let request = phone.session.request().expect("a request");
    let response = phone.remote.sync(&phone.signed_in, &request).await.expect("a relay answers");
    phone.session.accept(&request, &response).expect("followed");
    let lie = SyncRequest {
        snapshots: vec![snapshot],
        ..SyncRequest::pull(phone.session.request().expect("a request").cursor, 1 << 20)
    };
    let response = phone.remote.sync(&phone.signed_in, &lie).await.expect("a relay answers");
    assert_eq!(response.snapshot_outcomes, [Outcome::Stored], "a relay cannot see what is inside");
    let mut tablet = line.device(tablet).await;
    (exchange(&mut tablet).await, tablet.session)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dishonest_member_folds_is_refused_and_the_envelopes_are_fetched() {
    type Lie = fn(&Document, Actor) -> Document;
    let lies: [(&str, Lie); 3] = [
        ("the document is empty", |document, _| Document::new(document.actor())),
        ("a change in the name of another device", |document, other| {
            let forged = Document::load(&document.save(), other, Limits::default()).expect("it loads");
            written(&forged, other)
        }),
        ("a change more than it stated", |document, _| written(document, document.actor())),
    ];
    for (number, (what, lie)) in (0_u64..).zip(lies) {
        let line = Line::start().await;
        let (mut phone, mut laptop, chart) = *Box::pin(line.two(60 + number, 60)).await;
        let key = an_entry(&mut phone.session, chart);
        let other = laptop.session.actor_for_tests();
        let snapshot = phone.session.lying_snapshot_for_tests(chart, key, |document| lie(document, other));
        let (brought, mut tablet) = begin_from(&line, &mut phone, snapshot).await;
        assert!(
            brought.snapshots > 0 && brought.batches > 0,
            "{what}: refused, and fetched anew: {brought:?}"
        );
        let whole = laptop.session.fingerprint().expect("shown");
        let has = tablet.fingerprint().expect("shown");
        assert_eq!(has, whole, "{what}: the new device has what honest devices have");
    }
}

/// The document with one entry more.
fn written(document: &Document, actor: Actor) -> Document {
    assert_eq!(document.actor(), actor);
    let entry = EntryId::from_bytes([3; 16]);
    let edit = Edit::Add { entry, kind: Kind::Note, fields: vec![(Field::Text, "never said".into())] };
    document.author(&Batch { at_ms: 1, edits: vec![edit] }).expect("an edit").next
}

fn note(device: &mut Device, chart: ChartId, text: &str, day: Option<&str>) -> ItemKey {
    let mut fields = vec![(Field::Text, text.to_owned())];
    fields.extend(day.map(|day| (Field::Effective, day.to_owned())));
    device.session.add(chart, Kind::Note, fields).expect("a note is written")
}

fn erase(device: &mut Device, chart: ChartId, key: ItemKey) {
    let args = EntryEraseArgs { chart, entry: key.name(), reason: String::new() };
    device.session.entry_erase(&args).expect("it is decided");
}

async fn settle(devices: &mut [&mut Device]) {
    for _ in 0..4 {
        for device in devices.iter_mut() {
            exchange(device).await;
        }
    }
}

/// What the server holds as the snapshot of a space.
async fn shown(device: &mut Device, space: SpaceId) -> StoredSnapshot {
    let cursor = device.session.request().expect("a request").cursor;
    let pruning = Some(Pruning { show: Some(space), ..Pruning::default() });
    let ask = SyncRequest { pruning, ..SyncRequest::pull(cursor, 1 << 20) };
    let response = device.remote.sync(&device.signed_in, &ask).await.expect("a relay answers");
    response.pruned.and_then(|pruned| pruned.shown).expect("it is shown")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_without_what_took_an_erased_documents_place_is_neither_taken_nor_found_right() {
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(91, 20)).await;
    let stays = note(&mut phone, chart, "stays", None);
    let goes = note(&mut phone, chart, "goes", None);
    note(&mut phone, chart, "years ago", Some("2016-05-04"));
    settle(&mut [&mut phone, &mut laptop]).await;
    let before = phone.session.key_of_entry_for_tests(chart, stays);
    erase(&mut phone, chart, goes);
    settle(&mut [&mut phone, &mut laptop]).await;
    assert_ne!(
        before,
        phone.session.key_of_entry_for_tests(chart, stays),
        "another document holds what stays"
    );
    let space = phone.session.space_of_for_tests(chart, stays);
    let honest = phone.session.snapshot_for_tests(space);
    let lie = phone.session.snapshot_without_for_tests(chart, stays);
    let (brought, mut tablet) = begin_from(&line, &mut phone, lie).await;
    let lied = shown(&mut phone, space).await;
    assert!(!laptop.session.finds_right_for_tests(&lied), "nobody says that it is right");
    let honest = StoredSnapshot { snapshot: honest, ..lied };
    assert!(laptop.session.finds_right_for_tests(&honest), "the control: the whole one is right");
    assert!(brought.snapshots > 0 && brought.batches > 0, "refused, and fetched anew: {brought:?}");
    let whole = laptop.session.fingerprint().expect("shown");
    assert_eq!(tablet.fingerprint().expect("shown"), whole, "the new device has what honest devices have");
}
