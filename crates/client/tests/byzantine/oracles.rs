//! What the server learns from how a client takes envelopes that do not open (the oracles of a padding, a tag, a key): nothing. A member's
//! device that helps the server seals what it likes, in every way in which it does not open, and signs for it; the relay hands it on;
//! and everything that the tablet says next is written down. It says the same after each, also after one that does open, and notes
//! the same reason. What the server alone changes is refused before anybody tries to open it, with one typed error.
//!
//! How long opening takes is not looked at: the commitment is compared in constant time, and so does the AEAD its tag (ring).

use std::sync::{Arc, Mutex};

use mecum_client::remote::Remote;
use mecum_client::testing::surroundings;
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation};
use mecum_faults::Proof;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{DocumentKey, Envelope, SpaceId, seal_envelope, sha256};
use mecum_sync::limits::MAX_RESPONSE_BYTES;
use mecum_sync::{Item, Push, Signed, Statement, SyncRequest, SyncResponse, decode, encode};
use mecum_vault::Location;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};

use crate::ALONE;
use crate::attack::{KEY, request_of};
use crate::cbor;
use crate::judged::typed;
use crate::mitm::{Call, Liar, Mitm, Reply};
use crate::world::{Device, Server, enrolled};

/// What the server makes of a push on its way.
type OnItsWay = fn(&mut Push);

/// Exchanges that are listened to after each envelope.
const EXCHANGES: usize = 3;
const TAG_BYTES: usize = 16;

/// An envelope's parts.
struct Parts {
    header: Vec<u8>,
    commitment: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Parts {
    fn of(bytes: &[u8]) -> Parts {
        let mut d = minicbor::Decoder::new(bytes);
        d.array().expect("three parts");
        let begins = d.position();
        d.skip().expect("a header");
        let header = bytes[begins..d.position()].to_vec();
        let commitment = d.bytes().expect("a commitment").to_vec();
        Parts { header, commitment, ciphertext: d.bytes().expect("a ciphertext").to_vec() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut e = minicbor::Encoder::new([&[0x83][..], &self.header].concat());
        e.bytes(&self.commitment).and_then(|e| e.bytes(&self.ciphertext)).expect("memory takes it");
        e.into_writer()
    }

    /// Sealed by somebody who has the key, over a padded plaintext that may be none.
    fn seal(&mut self, key: &DocumentKey, salt: &[u8], mut padded: Vec<u8>) {
        struct Both;
        impl KeyType for Both {
            fn len(&self) -> usize {
                64
            }
        }
        let info = [b"mecum/envelope/1".as_slice(), &self.header];
        let mut both = [0; 64];
        let pseudorandom = Salt::new(HKDF_SHA256, salt).extract(key.expose());
        pseudorandom.expand(&info, Both).and_then(|okm| okm.fill(&mut both)).expect("64 bytes");
        self.commitment = both[32..].to_vec();
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &both[..32]).expect("a key"));
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        key.seal_in_place_append_tag(nonce, Aad::from(&self.header), &mut padded).expect("sealed");
        self.ciphertext = padded;
    }
}

/// In which way an envelope is other than an honest one. All are of one length.
const WAYS: [&str; 12] = [
    "as it is",
    "another document's key",
    "the tag's last bit",
    "the tag's first bit",
    "the ciphertext's first bit",
    "a bit in the ciphertext's middle",
    "the commitment",
    "padding that is not zero",
    "a length beyond the padding",
    "a plaintext of nothing",
    "a plaintext of noise",
    "a plaintext that says it is pressed",
];

fn changed(way: &str, honest: &[u8], key: &DocumentKey, plain: &[u8]) -> Vec<u8> {
    let envelope = Envelope::parse(honest).expect("an envelope");
    let mut parts = Parts::of(honest);
    let salt = parts.header[parts.header.len() - 32..].to_vec();
    let (len, middle) = (parts.ciphertext.len(), parts.ciphertext.len() / 2);
    let padded = |plain: &[u8]| {
        let mut padded = [&u32::try_from(plain.len()).expect("short").to_be_bytes(), plain].concat();
        padded.resize(len - TAG_BYTES, 0);
        padded
    };
    match way {
        "as it is" => {
            parts.seal(key, &salt, padded(plain));
            assert_eq!(parts.bytes(), honest, "sealed here as the product seals");
        }
        "another document's key" => {
            let other = DocumentKey::from_bytes([7; 32]);
            return seal_envelope(&other, envelope.place(), plain, &SeededEntropy::new(5))
                .expect("short")
                .bytes;
        }
        "the tag's last bit" => parts.ciphertext[len - 1] ^= 1,
        "the tag's first bit" => parts.ciphertext[len - TAG_BYTES] ^= 0x80,
        "the ciphertext's first bit" => parts.ciphertext[0] ^= 0x80,
        "a bit in the ciphertext's middle" => parts.ciphertext[middle] ^= 1,
        "the commitment" => parts.commitment[0] ^= 1,
        "padding that is not zero" => {
            let mut padded = padded(plain);
            *padded.last_mut().expect("padding") = 1;
            parts.seal(key, &salt, padded);
        }
        "a length beyond the padding" => {
            let mut padded = padded(plain);
            padded[..4].fill(0xff);
            parts.seal(key, &salt, padded);
        }
        "a plaintext of nothing" => parts.seal(key, &salt, padded(&[])),
        "a plaintext of noise" => parts.seal(key, &salt, padded(&vec![0x5a; plain.len()])),
        _ => {
            // The form byte of what is deflated, and then nothing that is.
            let mut plain = plain.to_vec();
            plain[0] ^= 1;
            parts.seal(key, &salt, padded(&plain));
        }
    }
    parts.bytes()
}

/// Writes down what is asked, in shape: where to, the length of its head, and its body as CBOR without what the bytes are.
#[derive(Default)]
struct Listening {
    heard: Mutex<Vec<String>>,
    change: Option<OnItsWay>,
}

impl Liar for Listening {
    fn ask(&self, call: &mut Call) {
        let shape = cbor::parse(&call.body).map_or_else(|| "no CBOR".to_owned(), |body| body.shape());
        let names: Vec<String> = String::from_utf8_lossy(&call.head)
            .lines()
            .filter_map(|line| line.split_once(':').map(|(name, _)| name.to_owned()))
            .collect();
        let heard = format!("{} {} {names:?} {} {shape}", call.path, call.head.len(), call.body.len());
        self.heard.lock().expect("nobody panics").push(heard);
    }

    fn answer(&self, call: &Call, reply: &mut Reply) {
        let Some(change) = self.change.filter(|_| request_of(call).is_some()) else { return };
        let Ok(mut response) = decode::<SyncResponse>(&reply.body, MAX_RESPONSE_BYTES) else { return };
        for item in &mut response.items {
            if let Item::Batch { push, .. } = item
                && !push.envelopes.is_empty()
            {
                change(push);
            }
        }
        reply.body = encode(&response);
    }
}

/// A phone that helps the server, a tablet that has not heard its last words, and those words.
struct Scene {
    folder: tempfile::TempDir,
    phone: Session,
    chart: ChartId,
    medicine: ItemKey,
    push: Push,
    key: DocumentKey,
    plain: Vec<u8>,
}

/// What came of one envelope.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    asked: Vec<String>,
    outcomes: Vec<String>,
    aside: Vec<String>,
}

impl Scene {
    async fn new(seed: u64) -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("server");
        let server = Server::start(&data).await;
        let mut phone = enrolled(&server, seed).await;
        let chart = phone.session.create_chart("Laras", None, Relation::Own, None).expect("a chart");
        let name = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        let medicine = phone.session.add(chart, Kind::MedicationStatement, name).expect("a medicine");
        let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(seed + 1));
        let mut tablet = Device::new(tablet, &phone.url, server.relay.key());
        for _ in 0..3 {
            phone.settle().await;
            tablet.settle().await;
        }
        tablet.session.copy_for_tests(&folder.path().join("tablet"));
        phone.session.set(chart, medicine, vec![(Field::Dose, Some("7.5".to_owned()))]).expect("a dose");
        let space: SpaceId = phone.session.space_of_for_tests(chart, medicine);
        let push = crate::before::push_in(&phone.session.request().expect("a request"), space);
        let [bytes] = push.envelopes.as_slice() else { panic!("one envelope") };
        let envelope = Envelope::parse(bytes).expect("its own");
        let keys = phone.session.document_keys_for_tests();
        let opened = keys.iter().find_map(|key| Some((key.clone(), envelope.open(key).ok()?)));
        let (key, plain) = opened.expect("its own key");
        server.stop().await;
        Scene { folder, phone: phone.session, chart, medicine, push, key, plain }
    }

    /// The phone's words, sealed in another way and signed for.
    fn signed(&self, way: &str) -> Push {
        let bytes = changed(way, &self.push.envelopes[0], &self.key, &self.plain);
        assert_eq!(bytes.len(), self.push.envelopes[0].len(), "{way}: as long as an honest one");
        let statement = Statement { last: sha256(&bytes), ..self.push.statement.unverified().clone() };
        let (signing, ..) = self.phone.sign_in_for_tests();
        Push { envelopes: vec![bytes], statement: Signed::sign(statement, &signing) }
    }

    /// What a copy of the tablet says after the server has got these words; `change` is what the server makes of them on the way.
    /// A tablet that `tells` asks again at once for what it could not open.
    async fn listen(&self, number: usize, push: Push, change: Option<OnItsWay>, tells: bool) -> Heard {
        let data = self.folder.path().join(format!("server-{number}"));
        crate::before::copy_files(&self.folder.path().join("server"), &data);
        let server = Server::start(&data).await;
        let (key, account, device, life) = self.phone.sign_in_for_tests();
        let remote =
            Remote::new(&format!("http://{}", server.address), server.relay.key()).expect("an address");
        let signed_in = remote.sign_in(&key, account, device, life).await.expect("the phone signs in");
        let request = SyncRequest { pushes: vec![push], ..SyncRequest::pull(0, 1) };
        let stored = remote.sync(&signed_in, &request).await.expect("an answer");
        assert!(stored.push_outcomes[0].refusal().is_none(), "the relay stores what it cannot read");
        let mitm = Mitm::start(server.address).await;
        let to = self.folder.path().join(format!("tablet-{number}"));
        std::fs::copy(self.folder.path().join("tablet"), &to).expect("copied");
        let session = Session::of_copy_for_tests(&to, surroundings(9_000));
        let mut tablet = Device::new(session, &mitm.url, server.relay.key());
        tablet.short = change.is_none();
        let listening = Arc::new(Listening { change, ..Listening::default() });
        mitm.arm(Some(listening.clone()));
        let before = tablet.session.digest_for_tests(KEY).expect("reads");
        let mut outcomes = Vec::new();
        for exchange in 0..EXCHANGES {
            if exchange == 1 && change.is_none() {
                // What it writes next, over what did or did not open, tells nothing either.
                let dose = vec![(Field::Dose, Some("10".to_owned()))];
                tablet.session.set(self.chart, self.medicine, dose).expect("a dose is written");
            }
            outcomes.push(typed(&tablet.exchange(|_, _| {}).await));
            if tells && tablet.session.quarantined() > 0 {
                outcomes.push(typed(&tablet.exchange(|_, _| {}).await));
            }
        }
        if change.is_some() {
            assert_eq!(tablet.session.digest_for_tests(KEY).expect("reads"), before, "nothing is taken");
            mitm.arm(None);
            tablet.settle().await;
        }
        let mut aside = tablet.session.put_aside_for_tests();
        aside.dedup();
        server.stop().await;
        let asked = listening.heard.lock().expect("nobody panics").clone();
        Heard { asked, outcomes, aside }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_open_is_answered_like_what_does_whyever_it_does_not() {
    let _alone = ALONE.lock().await;
    let proof = Proof::new(30, "envelopes that do not open: what a server hears after each", 99_999);
    let scene = Box::pin(Scene::new(proof.seed() % 10_000)).await;
    let honest = scene.listen(0, scene.signed(WAYS[0]), None, false).await;
    assert!(honest.asked.len() > EXCHANGES && honest.aside.is_empty(), "it opens: {honest:?}");
    let mut failures = Vec::new();
    for (number, way) in WAYS.iter().enumerate().skip(1) {
        let heard = scene.listen(number, scene.signed(way), None, false).await;
        println!("{way}: {:?}, put aside as {:?}", heard.outcomes, heard.aside);
        if heard.aside != ["envelope"] {
            failures.push(format!("{way}: put aside as {:?}", heard.aside));
        }
        if (&heard.asked, &heard.outcomes) != (&honest.asked, &honest.outcomes) {
            failures.push(format!("{way}: {heard:#?} and not {honest:#?}"));
        }
    }
    // What the server changes by itself.
    let spoil: [(&str, OnItsWay); 6] = [
        ("the tag's last bit", |push| flip(push, |parts| last(&mut parts.ciphertext))),
        ("the ciphertext's first bit", |push| flip(push, |parts| parts.ciphertext[0] ^= 1)),
        ("the commitment", |push| flip(push, |parts| parts.commitment[0] ^= 1)),
        ("the salt", |push| flip(push, |parts| last(&mut parts.header))),
        ("the document", |push| flip(push, |parts| parts.header[30] ^= 1)),
        ("all of the ciphertext", |push| flip(push, |parts| parts.ciphertext.fill(0x41))),
    ];
    let mut first: Option<Heard> = None;
    for (number, (way, change)) in spoil.into_iter().enumerate() {
        let heard = scene.listen(100 + number, scene.push.clone(), Some(change), false).await;
        println!("the server changes {way}: {:?}", heard.outcomes);
        let first = first.get_or_insert_with(|| Heard {
            asked: heard.asked.clone(),
            outcomes: heard.outcomes.clone(),
            aside: Vec::new(),
        });
        if heard != *first
            || !heard.outcomes.iter().all(|outcome| outcome.starts_with("Exchange(Follow(Push("))
        {
            failures.push(format!("the server changes {way}: {heard:#?} and not {first:#?}"));
        }
    }
    proof.end((WAYS.len() - 1 + spoil.len()) as u64, failures.len() as u64);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn last(bytes: &mut [u8]) {
    *bytes.last_mut().expect("bytes") ^= 1;
}

fn flip(push: &mut Push, change: impl FnOnce(&mut Parts)) {
    let mut parts = Parts::of(&push.envelopes[0]);
    change(&mut parts);
    push.envelopes[0] = parts.bytes();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_client_that_asks_again_for_what_does_not_open_is_heard() {
    let _alone = ALONE.lock().await;
    let scene = Box::pin(Scene::new(11)).await;
    let honest = scene.listen(0, scene.signed(WAYS[0]), None, true).await;
    let heard = scene.listen(1, scene.signed(WAYS[1]), None, true).await;
    assert_ne!(heard.asked, honest.asked, "what it says tells that it did not open");
}
