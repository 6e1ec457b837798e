//! Answers that are changed at each of their fields (PROOF 24, the client's half): a recorded answer is taken apart as CBOR, one
//! field is left out, emptied, made too large, of another type, doubled or written another way, and the client gets it. It
//! takes nothing of it, keeps what it has, needs no more memory, and takes the honest answer afterwards.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "malformed/cbor.rs"]
mod cbor;

use mecum_client::Session;
use mecum_client::testing::{first_device, surroundings};
use mecum_domain::{Field, Kind, Relation};
use mecum_faults::Proof;
use mecum_sync::limits::MAX_RESPONSE_BYTES;
use mecum_sync::{FORMS, Item, SyncRequest, SyncResponse, controls, decode, encode};
use mecum_testkit::{Dice, FakeRelay};
use mecum_vault::Location;

use cbor::Node;

const KEY: &[u8; 32] = b"a key for the digests of vaults.";
/// How much more memory the client may need after all of them.
const MAX_GROWTH_BYTES: u64 = 20 << 20;

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
        let honest = relay.answer(tablet.installation(), tablet.said(&request, FORMS), 100);
        let confirmed = honest.items.iter().any(|item| matches!(item, Item::Confirmed(_)));
        assert!(confirmed, "every kind of item is among them");
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

/// Whether nothing in it is new: things may be missing at its end, which nobody can tell from a server that has no more.
fn only_says_less(response: &SyncResponse, honest: &SyncResponse) -> bool {
    let (said, whole) = (meaning(response), meaning(honest));
    let mut left = whole.iter();
    let receipts = response.receipts.is_none() || response.receipts == honest.receipts;
    receipts && said.iter().all(|item| left.any(|other| other == item))
}

/// One changed answer. Whether the client did with it what it must not.
fn harms(scene: &mut Scene, bytes: &[u8], before: &impl Fn(&Session) -> bool, number: u64) -> bool {
    let Ok(response) = decode::<SyncResponse>(bytes, MAX_RESPONSE_BYTES) else { return false };
    if only_says_less(&response, &scene.honest) {
        return false;
    }
    let taken = scene.tablet.accept(&scene.request, &response).is_ok();
    if before(&scene.tablet) {
        return false;
    }
    println!("case {number}: taken {taken}, and the vault changed: {response:?}");
    scene.again(number);
    true
}

fn play(cases: impl Iterator<Item = u64>, seed: u64) -> (u64, u64, Scene) {
    let mut scene = Scene::new(7);
    let whole = cbor::parse(&encode(&scene.honest)).expect("an answer is CBOR");
    let fields = whole.count();
    let digest = scene.tablet.digest_for_tests(KEY).unwrap();
    let unchanged = move |session: &Session| session.digest_for_tests(KEY).unwrap() == digest;
    let (mut harmed, mut looked) = (0, 0);
    for case in cases {
        let dice = Dice::new(seed + case);
        let mut changed: Node = whole.clone();
        let field = usize::try_from(case).unwrap() % fields;
        let bytes = cbor::change(&mut changed, field, &dice);
        looked += 1;
        harmed += u64::from(harms(&mut scene, &bytes, &unchanged, case));
    }
    (looked, harmed, scene)
}

#[test]
fn an_answer_changed_at_any_field_changes_nothing_and_the_honest_one_is_taken_after_it() {
    let proof = Proof::new(24, "answers changed at each field, to a living client", 2_000);
    // What a first round of everything takes is not counted as growth.
    drop(play(0..50, proof.seed()));
    let before = resident_bytes();
    let (looked, harmed, mut scene) = play(proof.numbers(), proof.seed());
    let grown = resident_bytes().saturating_sub(before);
    println!("{looked} answers, {} KiB more memory", grown >> 10);
    proof.end(looked, harmed + u64::from(grown > MAX_GROWTH_BYTES));
    assert_eq!(harmed, 0, "none changes what the client has");
    assert!(grown < MAX_GROWTH_BYTES, "and it needs no more memory: {grown} bytes");
    scene.tablet.accept(&scene.request, &scene.honest).expect("the honest answer is taken");
    settle(&mut scene.relay, &mut scene.tablet);
    assert_eq!(scene.tablet.quarantined(), 0, "nothing is suspected");
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
        let (_, harmed, _) = play(0..600, 1);
        assert!(harmed > 0, "without its checks the client takes some of them");
        return;
    }
    let name = "control_a_client_without_its_checks_takes_some_of_them";
    let program = std::env::current_exe().unwrap();
    let run = std::process::Command::new(program).args(["--exact", name]).env(ALONE, "1").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
