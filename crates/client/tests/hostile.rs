//! What a relay, or a device of the account that lies, can send to a client: each ends in a typed answer, what cannot be
//! trusted is put aside by envelope and counted, and everything else stays as it was and goes on.

use std::collections::BTreeMap;

use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ExchangeError, ItemKey, Session};
use mecum_documents::{Actor, Document, Payload};
use mecum_domain::{Batch, ChartId, Edit, EntryId, Field, Kind, Relation};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Entropy, SigningKey};
use mecum_sync::limits::MAX_RESPONSE_BYTES;
use mecum_sync::testing::Actor as Stranger;
use mecum_sync::{FollowError, Item, Push, Signed, SyncRequest, SyncResponse, decode, encode};
use mecum_testkit::{Dice, FakeRelay};
use mecum_vault::Location;

/// The form byte of a body that is not deflated is written by the client; a lie is the body alone.
type Lie = fn(&Document, EntryId) -> Vec<u8>;

struct World {
    relay: FakeRelay,
    /// Writes honestly.
    phone: Session,
    /// Reads what the others, and the relay, send.
    tablet: Session,
    /// A device of the account that lies when told to.
    laptop: Session,
    chart: ChartId,
    medicine: ItemKey,
}

impl World {
    /// Three devices that show the same medicine.
    fn new(seed: u64) -> World {
        println!("seed {seed}");
        let relay = FakeRelay::new([9; 32]);
        let mut phone = first_device(&Location::Memory, surroundings(seed));
        phone.pin_for_tests(relay.key());
        let chart =
            phone.create_chart("Ibu Ratna", Some("1958-03-04"), Relation::Mother, None).expect("a chart");
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(seed ^ 0x2222));
        let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        let medicine = phone.add(chart, Kind::MedicationStatement, fields).expect("a medicine");
        let mut world = World { relay, phone, tablet, laptop, chart, medicine };
        world.settle();
        world
    }

    fn settle(&mut self) {
        for _ in 0..4 {
            for session in [&mut self.phone, &mut self.laptop, &mut self.tablet] {
                settle_one(&mut self.relay, session);
            }
        }
    }

    fn dose(&mut self, value: &str) {
        let set = vec![(Field::Dose, Some(value.to_owned()))];
        self.phone.set(self.chart, self.medicine, set).expect("a dose changes");
    }

    /// What the relay would honestly say to the tablet now, with the question.
    fn answer_for_tablet(&mut self) -> (SyncRequest, SyncResponse) {
        let request = self.tablet.request().expect("a request");
        let response = self.relay.answer(self.tablet.installation(), &request, 100);
        (request, response)
    }

    fn doses_on_tablet(&mut self) -> Vec<String> {
        let entry =
            self.tablet.entry(self.chart, self.medicine).expect("reads").expect("the medicine is there");
        format!("{entry:?}").split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }
}

fn settle_one(relay: &mut FakeRelay, session: &mut Session) {
    for _ in 0..100 {
        let request = session.request().expect("a request");
        let response = relay.answer(session.installation(), &request, 50);
        if !session.accept(&request, &response).expect("an honest relay is followed").more {
            return;
        }
    }
    panic!("never came to rest");
}

fn shown(session: &mut Session) -> BTreeMap<String, String> {
    session.fingerprint().expect("reads")
}

/// The first push of another device in an answer.
fn batch_of(response: &mut SyncResponse) -> &mut Push {
    let found = response.items.iter_mut().find_map(|item| match item {
        Item::Batch { push, .. } if !push.envelopes.is_empty() => Some(push),
        _ => None,
    });
    found.expect("somebody wrote something")
}

/// Gives the tablet an answer that must be refused as a whole; then the honest one must still be taken.
fn refused(what: &str, spoil: impl FnOnce(&mut World, &SyncRequest, &mut SyncResponse)) -> ExchangeError {
    let mut world = World::new(41);
    world.dose("2.5");
    world.dose("7.5");
    let (medicine, chart) = (world.medicine, world.chart);
    let note = vec![(Field::Text, "slept badly".to_owned())];
    world.phone.add(chart, Kind::Note, note).expect("a note");
    settle_one(&mut world.relay, &mut world.phone);
    world.dose("10");
    settle_one(&mut world.relay, &mut world.phone);
    let (before, aside) = (shown(&mut world.tablet), world.tablet.quarantined());
    let (request, honest) = world.answer_for_tablet();
    let mut spoilt = honest.clone();
    spoil(&mut world, &request, &mut spoilt);
    assert_ne!(spoilt, honest, "{what}: the control is not a control");
    let error = world.tablet.accept(&request, &spoilt).expect_err(what);
    println!("{what}: {error}");
    assert_eq!(shown(&mut world.tablet), before, "{what}: nothing changed");
    assert_eq!(world.tablet.quarantined(), aside, "{what}: and nothing was put aside");
    assert_eq!(
        world.tablet.request().expect("a request").cursor,
        request.cursor,
        "{what}: it asks from where it was"
    );
    world.settle();
    assert!(world.tablet.entry(chart, medicine).expect("reads").is_some(), "{what}: still readable");
    assert_eq!(shown(&mut world.tablet), shown(&mut world.phone), "{what}: the honest answer is still taken");
    error
}

#[test]
fn an_answer_that_breaks_a_rule_is_refused_by_name_and_changes_nothing() {
    let is_push = |error: ExchangeError| matches!(error, ExchangeError::Follow(FollowError::Push(_)));
    assert!(is_push(refused("a flipped bit in an envelope", |_, _, response| {
        let envelope = &mut batch_of(response).envelopes[0];
        let middle = envelope.len() / 2;
        envelope[middle] ^= 1;
    })));
    assert!(is_push(refused("two envelopes swapped", |_, _, response| batch_of(response)
        .envelopes
        .swap(0, 1))));
    assert!(is_push(refused("an envelope left out", |_, _, response| drop(
        batch_of(response).envelopes.remove(0)
    ))));
    assert!(is_push(refused("an envelope twice", |_, _, response| {
        let push = batch_of(response);
        push.envelopes.insert(1, push.envelopes[0].clone());
    })));
    assert!(is_push(refused("an envelope cut short", |_, _, response| {
        let envelope = &mut batch_of(response).envelopes[0];
        envelope.truncate(envelope.len() - 7);
    })));
    assert!(is_push(refused("a statement signed by another key", |_, _, response| {
        let push = batch_of(response);
        let statement = push.statement.unverified().clone();
        push.statement = Signed::sign(statement, &SigningKey::make(&SeededEntropy::new(5)));
    })));
    assert!(is_push(refused("a push above its size", |_, _, response| {
        batch_of(response).envelopes.push(vec![0; mecum_sync::limits::MAX_PUSH_BYTES]);
    })));
}

#[test]
fn a_relay_that_withholds_or_answers_another_question_is_refused() {
    let gap = refused("the first item withheld", |_, _, response| {
        // The first of a space in which more follows: the last one of a space gives nothing away until there is a next.
        let space = |item: &Item| match item {
            Item::Batch { push, .. } if !push.envelopes.is_empty() => Some(push.space()),
            _ => None,
        };
        let spaces: Vec<_> = response.items.iter().map(space).collect();
        let followed = |at: usize| spaces[at].is_some() && spaces[at + 1..].contains(&spaces[at]);
        let at = (0..spaces.len()).find(|at| followed(*at));
        response.items.remove(at.expect("two pushes in one space"));
    });
    assert!(matches!(gap, ExchangeError::Follow(_)), "the next push of that chain gives it away: {gap}");
    let moved = refused("another place in the order", |_, _, response| {
        for item in &mut response.items {
            if let Item::Batch { first_space_seq, .. } = item {
                *first_space_seq += 1;
            }
        }
    });
    assert!(matches!(moved, ExchangeError::Follow(FollowError::Gap)), "a gap: {moved}");
    let back =
        refused("a cursor that goes back", |_, request, response| response.cursor = request.cursor - 1);
    assert!(matches!(back, ExchangeError::Follow(FollowError::BadAnswer)), "back: {back}");
    let more = refused("an outcome too many", |_, _, response| {
        response.push_outcomes.push(mecum_sync::Outcome::Stored);
    });
    assert!(matches!(more, ExchangeError::Follow(FollowError::BadAnswer)), "too many: {more}");
    let foreign = refused("a stranger's statement", |_, _, response| {
        let space = batch_of(response).space();
        let mut stranger = Stranger::new(77);
        stranger.join_space(space, mecum_seal::Hash32::ZERO);
        *batch_of(response) = stranger.push(space, &["I am one of you"], Vec::new());
    });
    assert!(matches!(foreign, ExchangeError::Follow(FollowError::UnknownDevice)), "foreign: {foreign}");
    let elsewhere = refused("a space that nobody founded", |_, _, response| {
        let mut stranger = Stranger::new(78);
        let (space, _) = stranger.found_space(None);
        let push = stranger.push(space, &["elsewhere"], Vec::new());
        let first_space_seq = 1;
        response.items.insert(0, Item::Batch { first_space_seq, push });
    });
    assert!(matches!(elsewhere, ExchangeError::Follow(_)), "elsewhere: {elsewhere}");
}

#[test]
fn a_page_that_comes_twice_adds_nothing() {
    let mut world = World::new(42);
    world.dose("2.5");
    settle_one(&mut world.relay, &mut world.phone);
    let (request, page) = world.answer_for_tablet();
    world.tablet.accept(&request, &page).expect("taken once");
    let before = shown(&mut world.tablet);
    let late = world.tablet.accept(&request, &page).expect_err("the answer to a question of before");
    assert!(matches!(late, ExchangeError::Follow(FollowError::BadAnswer)), "said so: {late}");
    let request = world.tablet.request().expect("a request");
    let mut again = world.relay.answer(world.tablet.installation(), &request, 100);
    again.items = page.items.into_iter().chain(again.items).collect();
    let taken = world.tablet.accept(&request, &again).expect("the same items under a new cursor are known");
    assert_eq!(taken.envelopes, 0, "nothing new");
    assert_eq!(shown(&mut world.tablet), before, "nothing doubles");
    assert_eq!(world.tablet.quarantined(), 0, "and nothing is suspected");
}

#[test]
fn a_cut_or_changed_frame_is_refused_before_it_is_looked_at_or_changes_nothing() {
    let mut world = World::new(43);
    world.dose("2.5");
    settle_one(&mut world.relay, &mut world.phone);
    let (request, honest) = world.answer_for_tablet();
    let bytes = encode(&honest);
    for at in 0..bytes.len() {
        assert!(decode::<SyncResponse>(&bytes[..at], MAX_RESPONSE_BYTES).is_err(), "cut at {at}");
    }
    assert!(
        decode::<SyncResponse>(&bytes, bytes.len() - 1).is_err(),
        "above the limit it is not read at all"
    );
    // A list that says it has four thousand million items must not take their memory.
    let bomb = [&[0x88, 0x00, 0x9a, 0xff, 0xff, 0xff, 0xff][..], &bytes].concat();
    assert!(decode::<SyncResponse>(&bomb, MAX_RESPONSE_BYTES).is_err(), "a list above its limit");
    let before = shown(&mut world.tablet);
    let seed = 20_261_122;
    println!("seed {seed}");
    let (dice, mut read, mut handed, mut taken) = (Dice::new(seed), 0, 0, 0);
    for round in 0..2_000 {
        let mut spoilt = bytes.clone();
        let at = usize::try_from(dice.below(spoilt.len() as u64)).expect("an index");
        spoilt[at] ^= 1 << dice.below(8);
        let Ok(response) = decode::<SyncResponse>(&spoilt, MAX_RESPONSE_BYTES) else { continue };
        read += 1;
        if response.items == honest.items {
            // The clock of the relay, its cursor or the word that there is more: nothing of the record.
            continue;
        }
        // The place of an acknowledgement says nothing: it takes none in the order.
        let moved = |(changed, honest): (&Item, &Item)| match (changed, honest) {
            (Item::Batch { push: a, .. }, Item::Batch { push: b, .. }) => a == b && a.envelopes.is_empty(),
            _ => false,
        };
        let same = |pair: (&Item, &Item)| pair.0 == pair.1 || moved(pair);
        let says_the_same =
            response.items.len() == honest.items.len() && response.items.iter().zip(&honest.items).all(same);
        if says_the_same {
            continue;
        }
        handed += 1;
        taken += usize::from(world.tablet.accept(&request, &response).is_ok());
        assert_eq!(shown(&mut world.tablet), before, "round {round}, byte {at}: nothing changed");
    }
    println!("{read} of 2000 changed frames were read, {handed} looked at, {taken} taken");
    assert!(handed > 1_000, "most got as far as the checks: {handed}");
    assert_eq!(taken, 0, "none with changed items was taken");
    world.tablet.accept(&request, &honest).expect("the honest one is");
    assert_ne!(shown(&mut world.tablet), before, "and it is what was new");
}

fn batch(edits: Vec<Edit>) -> Batch {
    Batch { at_ms: 1_788_854_400_000, edits }
}

fn dose_edit(entry: EntryId, value: &str) -> Edit {
    Edit::Set { entry, field: Field::Dose, value: Some(value.to_owned()) }
}

fn payload(document: &Document, edits: Vec<Edit>) -> Payload {
    document.author(&batch(edits)).expect("an edit is written").payload.expect("it changes something")
}

/// A payload in the documented layout whose one edit says that `field` of `entry` was set.
fn forge(change: &[u8], entry: EntryId, field: Field) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut bytes);
    let mut written = || -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        encoder.array(5)?.u8(1)?.bytes(change)?.i64(1_788_854_400_000)?.array(1)?.bytes(entry.as_bytes())?;
        encoder.array(1)?.array(3)?.u8(2)?.u64(0)?.u8(field.code())?;
        Ok(())
    };
    written().expect("memory takes everything");
    bytes
}

#[test]
fn an_envelope_that_opens_and_lies_is_put_aside_alone_and_the_rest_goes_on() {
    let lies: [(&str, Lie); 5] = [
        ("no payload at all", |_, _| b"these are no edits".to_vec()),
        ("a payload cut short", |document, entry| {
            let whole = payload(document, vec![dose_edit(entry, "99")]).encode();
            whole[..whole.len() - 3].to_vec()
        }),
        ("a change that does another thing than its edits say", |document, entry| {
            let honest = payload(document, vec![dose_edit(entry, "99")]);
            forge(honest.change(), entry, Field::Reason)
        }),
        ("a change in another device's name", |document, entry| {
            let other = Document::load(
                &document.save(),
                Actor::from_bytes([6; 16]),
                mecum_documents::Limits::default(),
            );
            payload(&other.expect("loads"), vec![dose_edit(entry, "99")]).encode()
        }),
        ("an edit of an entry that is not there", |document, _| {
            let mut id = [0; 16];
            SeededEntropy::new(3).fill(&mut id);
            let entry = EntryId::from_bytes(id);
            let add = Edit::Add {
                entry,
                kind: Kind::MedicationStatement,
                fields: vec![(Field::Name, "Ghost".to_owned())],
            };
            let with = document.author(&batch(vec![add])).expect("an entry is added").next;
            let set = payload(&with, vec![dose_edit(entry, "99")]);
            // Its change follows one that nobody has; said to follow nothing it would be refused for its numbers.
            set.encode()[..40].to_vec()
        }),
    ];
    for (what, lie) in lies {
        let mut world = World::new(44);
        let ItemKey::Entry(id) = world.medicine else { panic!("an editable entry") };
        let before = shown(&mut world.tablet);
        world
            .laptop
            .lie_for_tests(world.chart, world.medicine, |document| lie(document, EntryId::from_bytes(id)));
        settle_one(&mut world.relay, &mut world.laptop);
        settle_one(&mut world.relay, &mut world.tablet);
        assert_eq!(world.tablet.quarantined(), 1, "{what}: put aside, once, and counted");
        assert_eq!(shown(&mut world.tablet), before, "{what}: nothing of it is shown");
        world.dose("2.5");
        settle_one(&mut world.relay, &mut world.phone);
        settle_one(&mut world.relay, &mut world.tablet);
        assert!(world.doses_on_tablet().iter().any(|text| text == "2.5"), "{what}: the other chains go on");
        // The liar's own chain goes on too: only the one envelope was put aside.
        let note = vec![(Field::Text, "an honest word".to_owned())];
        let key = world.laptop.add(world.chart, Kind::Note, note).expect("a note");
        settle_one(&mut world.relay, &mut world.laptop);
        settle_one(&mut world.relay, &mut world.tablet);
        assert!(
            world.tablet.entry(world.chart, key).expect("reads").is_some(),
            "{what}: and so does its own"
        );
        assert_eq!(world.tablet.quarantined(), 1, "{what}: still only one");
    }
}

#[test]
fn a_change_that_follows_one_not_here_waits_and_comes_in_when_it_may() {
    let mut world = World::new(45);
    let ItemKey::Entry(id) = world.medicine else { panic!("an editable entry") };
    let entry = EntryId::from_bytes(id);
    let before = shown(&mut world.tablet);
    let mut first = Vec::new();
    world.laptop.lie_for_tests(world.chart, world.medicine, |document| {
        let one = document.author(&batch(vec![dose_edit(entry, "3")])).expect("written");
        first = one.payload.expect("it changes something").encode();
        payload(&one.next, vec![dose_edit(entry, "4")]).encode()
    });
    settle_one(&mut world.relay, &mut world.laptop);
    settle_one(&mut world.relay, &mut world.tablet);
    assert_eq!(world.tablet.quarantined(), 0, "not suspected");
    assert_eq!(shown(&mut world.tablet), before, "and not shown");
    world.laptop.lie_for_tests(world.chart, world.medicine, |_| first);
    settle_one(&mut world.relay, &mut world.laptop);
    settle_one(&mut world.relay, &mut world.tablet);
    assert!(world.doses_on_tablet().iter().any(|text| text == "4"), "both came in, in their order");
    assert_eq!(world.tablet.quarantined(), 0, "nothing was put aside");
}
