//! Answers that are changed at each of their fields (PROOF 24, the client's half): a recorded answer is taken apart as CBOR, one
//! field is left out, emptied, made too large, of another type, doubled or written another way, and the client gets it. It
//! takes nothing of it, keeps what it has, needs no more memory, and takes the honest answer afterwards. Here are the answers to
//! exchanges; those of the other routes are in `malformed/routes.rs`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[allow(dead_code, reason = "another test looks at shapes")]
#[path = "malformed/cbor.rs"]
mod cbor;
#[path = "malformed/mailboxes.rs"]
mod mailboxes;
#[allow(dead_code, reason = "other tests lie in more ways")]
#[path = "byzantine/mitm.rs"]
mod mitm;
#[path = "malformed/replayed.rs"]
mod replayed;
#[path = "malformed/routes.rs"]
mod routes;
#[path = "malformed/wakes.rs"]
mod wakes;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeMap;

use mecum_client::Session;
use mecum_client::testing::{first_device, surroundings};
use mecum_domain::{Field, Kind, Relation};
use mecum_faults::Proof;
use mecum_seal::{Hash32, SpaceId};
use mecum_sync::limits::MAX_RESPONSE_BYTES;
use mecum_sync::{
    FORMS, HelpersNotice, Item, PruningAnswer, SyncRequest, SyncResponse, controls, decode, encode,
};
use mecum_testkit::{Dice, FakeRelay};
use mecum_vault::Location;

use cbor::Node;

const KEY: &[u8; 32] = b"a key for the digests of vaults.";
/// How much more memory the client may need after all of them.
const MAX_GROWTH_BYTES: u64 = 20 << 20;
/// How many changes of one field are tried before the next field, and of all: most are no answer.
const TRIES_OF_A_FIELD: usize = 6;
const MAX_TRIES: usize = 2_000;
/// After so many cases the honest answer must still be taken.
const HONEST_EVERY: usize = 50;

struct Scene {
    relay: FakeRelay,
    tablet: Session,
    request: SyncRequest,
    honest: SyncResponse,
    folder: tempfile::TempDir,
}

fn settle(relay: &mut FakeRelay, session: &mut Session) {
    loop {
        let request = session.request().unwrap();
        let response = relay.answer(session.installation(), &request, 50);
        if !session.accept(&request, &response).unwrap().more {
            return;
        }
    }
}

impl Scene {
    /// A tablet with a record, and an answer with every kind of item that it does not have yet.
    fn new(seed: u64) -> Scene {
        let mut relay = FakeRelay::new([9; 32]);
        let mut phone = first_device(&Location::Memory, surroundings(seed));
        phone.pin_for_tests(relay.key());
        let chart = phone.create_chart("Ratna", Some("1958-03-04"), Relation::Mother, None).unwrap();
        let mut tablet = phone.pair_for_tests("tablet", &Location::Memory, surroundings(seed + 1));
        let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        let medicine = phone.add(chart, Kind::MedicationStatement, fields).unwrap();
        for _ in 0..3 {
            settle(&mut relay, &mut phone);
            settle(&mut relay, &mut tablet);
        }
        drop(phone.pair_for_tests("spare", &Location::Memory, surroundings(seed + 2)));
        for dose in ["2.5", "7.5"] {
            phone.set(chart, medicine, vec![(Field::Dose, Some(dose.to_owned()))]).unwrap();
        }
        phone.add(chart, Kind::Note, vec![(Field::Text, "slept badly".to_owned())]).unwrap();
        settle(&mut relay, &mut phone);
        // Something of its own, so that the answer has outcomes and receipts too.
        tablet.add(chart, Kind::Note, vec![(Field::Text, "on the tablet".to_owned())]).unwrap();
        // And the first entry of a space, which the answer confirms without its body.
        let weight = vec![(Field::Code, "29463-7".to_owned()), (Field::Value, "60".to_owned())];
        tablet.add(chart, Kind::VitalSign, weight).unwrap();
        let request = tablet.request().unwrap();
        let mut honest = relay.answer(tablet.installation(), tablet.said(&request, FORMS), 100);
        let confirmed = honest.items.iter().any(|item| matches!(item, Item::Confirmed(_)));
        assert!(confirmed, "every kind of item is among them");
        // Said only now and then: fields like the others.
        honest.pruned =
            Some(PruningAnswer { to_verify: vec![SpaceId::from_bytes([5; 16])], ..PruningAnswer::default() });
        honest.helpers_notice = Some(HelpersNotice {
            request: Hash32::from_bytes([3; 32]),
            asked_at_ms: 1_788_854_400_000,
            released_at_ms: 1_789_459_200_000,
            others: Some(2),
        });
        let folder = tempfile::tempdir().unwrap();
        tablet.copy_for_tests(&folder.path().join("tablet"));
        Scene { relay, tablet, request, honest, folder }
    }

    fn again(&mut self, number: u64) {
        let to = self.folder.path().join(format!("tablet-{number}"));
        std::fs::copy(self.folder.path().join("tablet"), &to).unwrap();
        self.tablet = Session::of_copy_for_tests(&to, surroundings(99));
    }
}

fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) << 10
}

/// An answer's items without what says nothing: repetitions, and the place of an acknowledgement, which takes none.
fn meaning(response: &SyncResponse) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for item in &response.items {
        let mut item = item.clone();
        match &mut item {
            Item::Batch { first_space_seq, push } if push.envelopes.is_empty() => *first_space_seq = 0,
            Item::Own { first_space_seq, count: 0, .. } => *first_space_seq = 0,
            _ => {}
        }
        if !items.contains(&item) {
            items.push(item);
        }
    }
    items
}

/// What a changed answer says, beside the honest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// The same, or less of it: things may be missing, which nobody can tell from a server that has no more.
    Less,
    /// The same of the record, with a repetition in it or another word around it: clock, cursor, outcomes, notices.
    Around,
    /// Something that the honest one does not say.
    Other,
}

/// The answer without its items and receipts.
fn around(response: &SyncResponse) -> SyncResponse {
    SyncResponse { items: Vec::new(), receipts: None, ..response.clone() }
}

/// Whether an entry is of a log that nobody here asked for: it is passed over, as if it had been kept back.
fn is_elsewhere(item: &Item, whole: &[Item]) -> bool {
    let log = |item: &Item| match item {
        Item::AccountEntry(entry) => Some(entry.unverified().account.to_string()),
        Item::SpaceEntry { entry, .. } => Some(entry.unverified().space.to_string()),
        _ => None,
    };
    log(item).is_some_and(|own| !whole.iter().any(|other| log(other).as_ref() == Some(&own)))
}

fn says(response: &SyncResponse, honest: &SyncResponse) -> Says {
    let (mut said, whole) = (meaning(response), meaning(honest));
    said.retain(|item| !is_elsewhere(item, &whole));
    let mut left = whole.iter();
    let receipts = response.receipts.is_none() || response.receipts == honest.receipts;
    if !receipts || !said.iter().all(|item| left.any(|other| other == item)) {
        return Says::Other;
    }
    let as_many = said.len() == whole.len() && response.receipts == honest.receipts;
    let repeats = response.items.len() > honest.items.len();
    let same_around = around(response) == around(honest);
    match (same_around, as_many) {
        (true, true) if repeats => Says::Around,
        (true, _) => Says::Less,
        (false, true) => Says::Around,
        (false, false) => Says::Other,
    }
}

/// How an answer was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Received {
    /// It is no answer, or none that counts: it never got to the client.
    NotHanded,
    /// What the client has is as it was.
    Kept,
    /// Everything that the honest one says was taken, and nothing else.
    Taken,
    /// The client did with it what it must not.
    Harmed,
}

/// What a vault holds, keyed, by the name of each row.
type Digest = BTreeMap<String, String>;

/// A client, the honest answer, and what the client has before and after it.
struct Play {
    scene: Scene,
    whole: Node,
    before: Digest,
    after: Digest,
    copies: u64,
    handed: u64,
    around: u64,
    taken: u64,
}

impl Play {
    fn new() -> Play {
        let mut scene = Scene::new(7);
        let whole = cbor::parse(&encode(&scene.honest)).expect("an answer is CBOR");
        let before = scene.tablet.digest_for_tests(KEY).unwrap();
        scene.tablet.accept(&scene.request, &scene.honest).expect("the honest answer is taken");
        let after = scene.tablet.digest_for_tests(KEY).unwrap();
        assert_ne!(before, after, "it says something");
        scene.again(0);
        assert_eq!(scene.tablet.digest_for_tests(KEY).unwrap(), before, "a copy is what was copied");
        Play { scene, whole, before, after, copies: 0, handed: 0, around: 0, taken: 0 }
    }

    fn again(&mut self) {
        self.copies += 1;
        self.scene.again(self.copies);
    }

    /// The client gets one changed answer.
    fn hand(&mut self, bytes: &[u8], number: u64) -> Received {
        let Ok(response) = decode::<SyncResponse>(bytes, MAX_RESPONSE_BYTES) else {
            return Received::NotHanded;
        };
        let says = says(&response, &self.scene.honest);
        if says == Says::Less {
            return Received::NotHanded;
        }
        let taken = self.scene.tablet.accept(&self.scene.request, &response).is_ok();
        let digest = self.scene.tablet.digest_for_tests(KEY).unwrap();
        self.handed += 1;
        self.around += u64::from(says == Says::Around);
        if digest == self.before && !(taken && says == Says::Around) {
            return Received::Kept;
        }
        self.again();
        let is_honest = digest == self.after || response.more && self.is_page(&digest);
        if taken && says == Says::Around && is_honest {
            self.taken += 1;
            return Received::Taken;
        }
        let other: Vec<_> = digest.iter().filter(|(name, row)| self.after.get(*name) != Some(row)).collect();
        println!("case {number}: {says:?}, taken {taken}, and the vault changed ({other:?}): {response:?}");
        Received::Harmed
    }

    /// Whether these rows are the honest answer's so far, as after a page that says that there is more: what is done at the end of
    /// it is not done yet, nothing is another, and nothing that stays is gone.
    fn is_page(&self, digest: &Digest) -> bool {
        digest
            .iter()
            .all(|(name, row)| self.after.get(name) == Some(row) || self.before.get(name) == Some(row))
            && self.before.keys().all(|name| digest.contains_key(name) || !self.after.contains_key(name))
    }

    /// One case: changes of one field after the other until one of them is an answer that says something. Whether it harmed.
    fn case(&mut self, number: u64, seed: u64) -> bool {
        // The whole itself is no field.
        let fields = self.whole.count() - 1;
        let dice = Dice::new(seed.wrapping_add(number));
        let first = usize::try_from(number).unwrap() % fields;
        for tried in 0..MAX_TRIES {
            let mut changed = self.whole.clone();
            let bytes = cbor::change(&mut changed, (first + tried / TRIES_OF_A_FIELD) % fields, &dice);
            let received = self.hand(&bytes, number);
            if received != Received::NotHanded {
                return received == Received::Harmed;
            }
        }
        panic!("case {number}: none of {MAX_TRIES} changes got to the client");
    }

    /// After everything that it was given, the honest answer is taken, and is what it would have been at once.
    fn takes_the_honest_one(&mut self) {
        self.scene
            .tablet
            .accept(&self.scene.request, &self.scene.honest)
            .expect("the honest answer is taken");
        assert_eq!(self.scene.tablet.digest_for_tests(KEY).unwrap(), self.after, "it is taken as it is");
        assert_eq!(self.scene.tablet.quarantined(), 0, "nothing is suspected");
        self.again();
    }

    /// How many of the cases harmed.
    fn all(&mut self, cases: impl Iterator<Item = u64>, seed: u64) -> u64 {
        let mut harmed = 0;
        for (played, number) in cases.enumerate() {
            harmed += u64::from(self.case(number, seed));
            if played % HONEST_EVERY == HONEST_EVERY - 1 {
                self.takes_the_honest_one();
            }
        }
        harmed
    }
}

#[test]
fn an_answer_changed_at_any_field_changes_nothing_and_the_honest_one_is_taken_after_it() {
    let proof = Proof::new(24, "answers changed at each field, to a living client", 100_000);
    // What a first round of everything takes is not counted as growth.
    Play::new().all(0..50, proof.seed());
    let before = resident_bytes();
    let mut play = Play::new();
    let harmed = play.all(proof.numbers(), proof.seed());
    let grown = resident_bytes().saturating_sub(before);
    let Play { handed, around, taken, .. } = play;
    println!("{handed} answers, {around} with another word around, {taken} taken; {} KiB more", grown >> 10);
    proof.end(handed, harmed + u64::from(grown > MAX_GROWTH_BYTES));
    assert_eq!(harmed, 0, "none changes what the client has, but by what the honest one says");
    assert!(grown < MAX_GROWTH_BYTES, "and it needs no more memory: {grown} bytes");
    assert_eq!(handed, proof.share(), "each case got to the client");
    assert!(around > 0 && taken > 0 && taken < handed / 2, "most of them say something else: {taken}");
    play.takes_the_honest_one();
    play.scene.tablet.accept(&play.scene.request, &play.scene.honest).expect("the honest answer is taken");
    settle(&mut play.scene.relay, &mut play.scene.tablet);
    assert_eq!(play.scene.tablet.quarantined(), 0, "nothing is suspected");
}

/// Checks are taken out of a whole process: the control has one of its own.
const ALONE: &str = "MECUM_WITHOUT_CHECKS";

#[test]
fn control_a_client_without_its_checks_takes_some_of_them() {
    if std::env::var_os(ALONE).is_some() {
        let _out = controls::take_out(&[
            "mecum/statement/1",
            "mecum/receipts/1",
            "mecum/account-entry/1",
            "mecum/countersign/1",
            "statement-end",
            "chain-link",
            "space-gap",
            "answer-fits",
        ]);
        let mut play = Play::new();
        let harmed: u64 = (0..200).map(|number| u64::from(play.case(number, 1))).sum();
        assert!(harmed > 0, "without its checks the client takes some of them");
        return;
    }
    let name = "control_a_client_without_its_checks_takes_some_of_them";
    let program = std::env::current_exe().unwrap();
    let run = std::process::Command::new(program).args(["--exact", name]).env(ALONE, "1").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
