//! What a removal closes (PROOF 31): random histories of people who are let in, removed, leave and come back, with real keys.
//! Whoever is out at the end has kept every key that they ever held, and gets the server's whole database: every entry with its
//! wraps, every earlier key sealed under a later one, every envelope. Nothing that was written after their end opens to them;
//! to everybody who is in, everything does.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;

use mecum_faults::Proof;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    DocumentId, DocumentKey, Entropy, Envelope, EpochKey, Hash32, Key32, Place, SpaceId, derive_key,
    document_key_in_epoch, open_row, seal_envelope, seal_row, unwrap_key, wrap_key,
};
use mecum_sync::testing::Actor;
use mecum_sync::{NewEpoch, Role, Signed, SpaceBody, SpaceEntry, SpaceLog, Why, Wrap};

const PEOPLE: usize = 4;
const STEPS: usize = 14;
/// As the client has them; any two would do.
const EPOCH: &str = "mecum epoch key v1";
const PREVIOUS: &str = "mecum previous epoch v1";

/// Everything that the server keeps of one space.
struct Database {
    entries: Vec<Signed<SpaceEntry>>,
    /// Control envelopes, each of which opens a document.
    openings: Vec<Vec<u8>>,
    envelopes: Vec<Vec<u8>>,
}

struct History {
    entropy: SeededEntropy,
    people: Vec<Actor>,
    log: SpaceLog,
    space: SpaceId,
    key: EpochKey,
    documents: Vec<(DocumentId, DocumentKey)>,
    database: Database,
    /// For each person, how much was written when they last went out; nothing for who never was in.
    ended: [usize; PEOPLE],
    /// The control: a removal goes on with the key that there is.
    rotates: bool,
}

fn aad(space: SpaceId, epoch: u32) -> Vec<u8> {
    [space.as_bytes().as_slice(), &epoch.to_be_bytes()].concat()
}

impl History {
    fn begin(seed: u64, rotates: bool) -> History {
        let entropy = SeededEntropy::new(seed);
        let mut people: Vec<Actor> =
            (0..PEOPLE as u64).map(|n| Actor::new(seed.wrapping_mul(100).wrapping_add(n))).collect();
        let (space, mut genesis) = people[0].found_space(None);
        let key = EpochKey::make(&entropy);
        let mut entry = genesis.unverified().clone();
        let SpaceBody::Genesis { wraps, .. } = &mut entry.body else { panic!("a genesis") };
        let bytes = wrap_key(&people[0].account_kem.public(), EPOCH, &aad(space, 1), key.expose(), &entropy);
        wraps[0].bytes = bytes.unwrap();
        genesis = Signed::sign(entry, &people[0].signing);
        let log = SpaceLog::found(&genesis, &people[0].signing.verifying_key()).unwrap();
        let database = Database { entries: vec![genesis], openings: Vec::new(), envelopes: Vec::new() };
        let documents = Vec::new();
        let ended = [0; PEOPLE];
        History { entropy, people, log, space, key, documents, database, ended, rotates }
    }

    fn below(&self, n: usize) -> usize {
        let mut bytes = [0; 4];
        self.entropy.fill(&mut bytes);
        usize::try_from(u32::from_be_bytes(bytes)).unwrap() % n
    }

    fn is_in(&self, person: usize) -> bool {
        self.log.role(self.people[person].account).is_some()
    }

    fn wrap(&self, person: usize, epoch: u32, key: &EpochKey) -> Wrap {
        let kem = self.people[person].account_kem.public();
        let bytes = wrap_key(&kem, EPOCH, &aad(self.space, epoch), key.expose(), &self.entropy).unwrap();
        Wrap { account: self.people[person].account, bytes }
    }

    fn append(&mut self, by: usize, body: SpaceBody) {
        let entry = self.people[by].space_entry(&self.log, body);
        self.log.append(&entry, &self.people[by].signing.verifying_key()).unwrap();
        self.database.entries.push(entry);
    }

    fn next_epoch(&mut self, without: Option<usize>) -> NewEpoch {
        let epoch = self.log.epoch() + 1;
        let key = if self.rotates { EpochKey::make(&self.entropy) } else { self.key.clone() };
        let sealed_previous =
            seal_row(&derive_key(&key, PREVIOUS), &aad(self.space, epoch), self.key.expose(), &self.entropy);
        let gone = without.map(|person| self.people[person].account);
        let stay = self.log.members().iter().map(|member| member.account).filter(|id| Some(*id) != gone);
        let stay: Vec<usize> =
            stay.map(|id| self.people.iter().position(|actor| actor.account == id).unwrap()).collect();
        let wraps = stay.into_iter().map(|person| self.wrap(person, epoch, &key)).collect();
        self.key = key;
        NewEpoch { epoch, wraps, sealed_previous }
    }

    fn step(&mut self) {
        let person = 1 + self.below(PEOPLE - 1);
        let was_in = self.is_in(person);
        match (self.below(6), was_in) {
            (0 | 1, false) => {
                let wraps = vec![self.wrap(person, self.log.epoch(), &self.key.clone())];
                let genesis = self.people[person].account_genesis().hash();
                let (member, sealed_terms) = (self.people[person].account, b"terms".to_vec());
                let body = SpaceBody::Grant { member, genesis, role: Role::Writer, wraps, sealed_terms };
                self.append(0, body);
            }
            (0, true) => {
                let next = self.next_epoch(Some(person));
                let (member, sealed_reason) = (self.people[person].account, b"why".to_vec());
                let body =
                    SpaceBody::Remove { member, why: Why::Removed, cuts: Vec::new(), next, sealed_reason };
                self.append(0, body);
            }
            (1, true) => {
                self.append(person, SpaceBody::Leave { cuts: Vec::new() });
                // Nobody writes before there is a new epoch.
                let next = self.next_epoch(None);
                self.append(0, SpaceBody::Epoch { next, cuts: Vec::new() });
            }
            _ => self.write(),
        }
        if was_in && !self.is_in(person) {
            self.ended[person] = self.database.envelopes.len();
        }
    }

    fn seal(&self, document: DocumentId, key: &impl Key32, text: &[u8]) -> Vec<u8> {
        let number = (self.database.envelopes.len() + self.database.openings.len()) as u64 + 1;
        let place = Place {
            space: self.space,
            document,
            device: self.people[0].device,
            incarnation: self.people[0].incarnation,
            envelope_seq: number,
            epoch: self.log.epoch(),
            membership_head: self.log.head(),
            previous: Hash32::ZERO,
        };
        seal_envelope(key, &place, text, &self.entropy).unwrap().bytes
    }

    /// A word in a document that is there, or in a new one.
    fn write(&mut self) {
        if self.documents.is_empty() || self.below(4) == 0 {
            let (document, key) = (DocumentId::random(&self.entropy), DocumentKey::make(&self.entropy));
            let opening = [document.as_bytes().as_slice(), key.expose()].concat();
            self.database.openings.push(self.seal(DocumentId::CONTROL, &self.key, &opening));
            self.documents.push((document, key));
        }
        let (document, key) = self.documents[self.below(self.documents.len())].clone();
        let key = document_key_in_epoch(&key, self.log.epoch(), &self.key);
        self.database.envelopes.push(self.seal(document, &key, b"words"));
    }

    /// Which envelopes open to somebody who has every key that was ever theirs and the whole database.
    fn opened_by(&self, person: usize) -> BTreeSet<usize> {
        let secret = &self.people[person].account_kem;
        let mut keys: BTreeSet<(u32, [u8; 32])> = BTreeSet::new();
        for entry in &self.database.entries {
            let (epochs, wraps) = match &entry.unverified().body {
                SpaceBody::Genesis { wraps, .. } => (1..=1, wraps),
                // A grant does not say of which epoch its key is.
                SpaceBody::Grant { wraps, .. } => (1..=self.log.epoch(), wraps),
                SpaceBody::Remove { next, .. } | SpaceBody::Epoch { next, .. } => {
                    (next.epoch..=next.epoch, &next.wraps)
                }
                _ => continue,
            };
            for epoch in epochs {
                // Every wrap is tried, to whomever it is.
                let opened = wraps
                    .iter()
                    .filter_map(|wrap| unwrap_key(secret, EPOCH, &aad(self.space, epoch), &wrap.bytes).ok());
                keys.extend(opened.map(|key| (epoch, *key)));
            }
        }
        for entry in self.database.entries.iter().rev() {
            let Some(next) = entry.unverified().body.next_epoch() else { continue };
            let held: Vec<[u8; 32]> = keys.iter().map(|(_, key)| *key).collect();
            for key in held {
                let key = derive_key(&EpochKey::from_bytes(key), PREVIOUS);
                if let Ok(before) = open_row(&key, &aad(self.space, next.epoch), &next.sealed_previous) {
                    keys.insert((next.epoch - 1, before.as_slice().try_into().unwrap()));
                }
            }
        }
        let keys: BTreeSet<[u8; 32]> = keys.into_iter().map(|(_, key)| key).collect();
        let mut documents: Vec<DocumentKey> = Vec::new();
        for opening in &self.database.openings {
            let envelope = Envelope::parse(opening).unwrap();
            let opened = keys.iter().find_map(|key| envelope.open(&EpochKey::from_bytes(*key)).ok());
            documents.extend(opened.map(|body| DocumentKey::from_slice(&body[16..]).unwrap()));
        }
        let opens = |bytes: &Vec<u8>| {
            let envelope = Envelope::parse(bytes).unwrap();
            documents.iter().any(|document| {
                envelope.open(document).is_ok()
                    || keys.iter().any(|key| {
                        let epoch = envelope.place().epoch;
                        let key = document_key_in_epoch(document, epoch, &EpochKey::from_bytes(*key));
                        envelope.open(&key).is_ok()
                    })
            })
        };
        let all = self.database.envelopes.iter().enumerate();
        all.filter(|(_, bytes)| opens(bytes)).map(|(at, _)| at).collect()
    }

    /// What is wrong: somebody who is out reads what came after their end, or somebody who is in does not read all.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for person in 0..PEOPLE {
            let opened = self.opened_by(person);
            if self.is_in(person) {
                if opened.len() != self.database.envelopes.len() {
                    faults.push(format!(
                        "{person} is in and reads {} of {}",
                        opened.len(),
                        self.database.envelopes.len()
                    ));
                }
                continue;
            }
            let later = opened.iter().filter(|at| **at >= self.ended[person]).count();
            if later > 0 {
                faults.push(format!("{person} is out and reads {later} later words"));
            }
        }
        faults
    }
}

fn play(seed: u64, rotates: bool) -> Vec<String> {
    let mut history = History::begin(seed, rotates);
    history.write();
    for _ in 0..STEPS {
        history.step();
    }
    history.write();
    history.faults()
}

#[test]
fn who_is_out_reads_nothing_that_came_after_and_who_is_in_reads_all() {
    let proof = Proof::new(31, "membership histories against an ex-member with every key", 2_000);
    let seed = proof.seed();
    let failures = proof.in_threads(2, |cases| {
        let mut failed = 0;
        for case in cases {
            let faults = play(seed + case, true);
            if !faults.is_empty() {
                println!("seed {}: {faults:?}", seed + case);
                failed += 1;
            }
        }
        failed
    });
    proof.end(proof.share(), failures);
    assert_eq!(
        failures, 0,
        "histories in which somebody reads what is closed to them, or not what is theirs"
    );
}

#[test]
fn control_a_removal_that_keeps_the_key_is_seen_to_close_nothing() {
    let read = (0..40).filter(|seed| play(*seed, false).iter().any(|fault| fault.contains("is out"))).count();
    assert!(read > 10, "without a new key those who are out go on reading: {read} of 40 histories");
}
