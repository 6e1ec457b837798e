//! Stored formats, frozen: what was ever written must be read for ever, and be written the same again.
//!
//! Vectors are only ever added. With `MECUM_WRITE_VECTORS=1` a missing file is written; an existing one never is.

use std::path::PathBuf;
use std::sync::Mutex;

use mecum_seal::testing::{SeededEntropy, fast_kdf, no_floor};
use mecum_seal::{
    AccountId, DeviceId, DocumentId, DocumentKey, Entropy, Envelope, Hash32, HelperPart, IncarnationId,
    KdfFloor, KdfParams, KemSecret, PairingSecret, PassphraseSlot, Place, RecoveryKey, RecoveryKit,
    RecoverySlot, RowKey, Salt, SecretKey32, SharedOut, Signature, SpaceId, VaultKey, check_vouch,
    check_words, open_row, seal_envelope_again, seal_envelope_seeded, seal_row, unwrap_key, wrap_key,
};
use serde_json::{Value, json};

/// Hands out given bytes, and nothing once they are used up.
struct Given(Mutex<Vec<u8>>);

impl Entropy for Given {
    fn fill(&self, out: &mut [u8]) {
        let mut left = self.0.lock().expect("one thread");
        let rest = left.split_off(out.len());
        out.copy_from_slice(&left);
        *left = rest;
    }
}

fn given(vector: &Value) -> Given {
    Given(Mutex::new(bytes(vector, "random")))
}

/// Remembers what it handed out.
struct Recorded(SeededEntropy, Mutex<Vec<u8>>);

impl Recorded {
    fn new(seed: u64) -> Recorded {
        Recorded(SeededEntropy::new(seed), Mutex::new(Vec::new()))
    }

    fn taken(&self) -> String {
        hex(&self.1.lock().expect("one thread"))
    }
}

impl Entropy for Recorded {
    fn fill(&self, out: &mut [u8]) {
        self.0.fill(out);
        self.1.lock().expect("one thread").extend_from_slice(out);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

fn bytes(vector: &Value, field: &str) -> Vec<u8> {
    let text = text(vector, field);
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

fn array<const N: usize>(vector: &Value, field: &str) -> [u8; N] {
    bytes(vector, field).try_into().expect("the right length")
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("{field} is a text"))
}

/// The vectors of a file. At least three, so that an emptied file does not pass.
fn vectors(name: &str, make: impl Fn() -> Vec<Value>) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    if !path.exists() && std::env::var_os("MECUM_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&make()).expect("plain JSON");
        std::fs::write(&path, text + "\n").expect("writes");
    }
    let text = std::fs::read_to_string(&path).expect("the vectors are in the repository");
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("a list");
    assert!(vectors.len() >= 3, "{name} holds its vectors");
    vectors
}

fn place_of(v: &Value) -> Place {
    Place {
        space: SpaceId::from_bytes(array(v, "space")),
        document: DocumentId::from_bytes(array(v, "document")),
        device: DeviceId::from_bytes(array(v, "device")),
        incarnation: IncarnationId::from_bytes(array(v, "incarnation")),
        envelope_seq: v["envelope_seq"].as_u64().expect("a number"),
        epoch: v["epoch"].as_u64().and_then(|n| u32::try_from(n).ok()).expect("a number"),
        membership_head: Hash32::from_bytes(array(v, "membership_head")),
        previous: Hash32::from_bytes(array(v, "previous")),
    }
}

fn make_envelopes() -> Vec<Value> {
    let made = SeededEntropy::new(1);
    [
        (1, 1, vec![]),
        (2, 1, b"one small edit".to_vec()),
        (70_000, 300, (0..=255u8).cycle().take(2_000).collect()),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, (envelope_seq, epoch, plaintext))| {
        let random = Recorded::new(100 + n as u64);
        let key = DocumentKey::make(&made);
        let fields = json!({
            "space": SpaceId::random(&made).to_string(),
            "document": if n == 0 { DocumentId::CONTROL } else { DocumentId::random(&made) }.to_string(),
            "device": DeviceId::random(&made).to_string(),
            "incarnation": IncarnationId::random(&made).to_string(),
            "envelope_seq": envelope_seq, "epoch": epoch,
            "membership_head": mecum_seal::sha256(b"membership").to_string(),
            "previous": if n == 0 { Hash32::ZERO } else { mecum_seal::sha256(b"previous") }.to_string(),
        });
        let sealed =
            seal_envelope_seeded(&key, &place_of(&fields), &plaintext, &random).expect("small enough");
        let mut vector = fields;
        vector["key"] = hex(key.expose()).into();
        vector["random"] = random.taken().into();
        vector["plaintext"] = hex(&plaintext).into();
        vector["content_id"] = sealed.content_id.to_string().into();
        vector["envelope"] = hex(&sealed.bytes).into();
        vector
    })
    .collect()
}

#[test]
fn envelopes_are_read_and_written_as_ever() {
    for v in vectors("envelope.json", make_envelopes) {
        let key = DocumentKey::from_bytes(array(&v, "key"));
        let envelope = Envelope::parse(&bytes(&v, "envelope")).expect("an old envelope is still one");
        assert_eq!(envelope.place(), &place_of(&v), "belongs where it did");
        assert_eq!(envelope.content_id().to_string(), text(&v, "content_id"), "has its id");
        assert_eq!(envelope.open(&key), Ok(bytes(&v, "plaintext")), "opens");
        // These were sealed when a salt was random as a whole.
        let salt = Salt::Whole(array(&v, "random"));
        assert_eq!(envelope.salt(&key, &bytes(&v, "plaintext")), salt, "nothing of its salt follows");
        let again =
            seal_envelope_again(&key, &place_of(&v), &salt, &bytes(&v, "plaintext")).expect("small enough");
        assert_eq!(hex(&again.bytes), text(&v, "envelope"), "and is sealed the same");
    }
}

#[test]
fn envelopes_with_a_salt_that_follows_are_written_as_ever() {
    for v in vectors("envelope_seeded.json", make_envelopes) {
        let (key, plaintext) = (DocumentKey::from_bytes(array(&v, "key")), bytes(&v, "plaintext"));
        let envelope = Envelope::parse(&bytes(&v, "envelope")).expect("an envelope like any other");
        assert_eq!(envelope.open(&key), Ok(plaintext.clone()), "opens");
        let sealed = seal_envelope_seeded(&key, &place_of(&v), &plaintext, &given(&v)).expect("small enough");
        assert_eq!(hex(&sealed.bytes), text(&v, "envelope"), "is sealed the same");
        let salt = Salt::Seed(array(&v, "random"));
        assert_eq!(envelope.salt(&key, &plaintext), salt, "four bytes of its salt are kept");
        let again = seal_envelope_again(&key, &place_of(&v), &salt, &plaintext).expect("small enough");
        assert_eq!(again, sealed, "and it is made again from them");
        let other = envelope.salt(&key, b"other words");
        assert!(matches!(other, Salt::Whole(_)), "from other words nothing follows");
    }
}

fn make_slots() -> Vec<Value> {
    let floor = KdfParams::new(19 * 1024, 2, 1, KdfFloor::default()).expect("the floor");
    let lanes = KdfParams::new(256, 2, 4, no_floor()).expect("small, with lanes");
    [
        ("correct with seven quiet kettles", fast_kdf()),
        ("kata sandi yang panjang sekali", lanes),
        ("пароль из шести слов", floor),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, (passphrase, params))| {
        let random = Recorded::new(200 + n as u64);
        let key = VaultKey::make(&SeededEntropy::new(300 + n as u64));
        let slot = PassphraseSlot::make(passphrase, &key, &params, &random).expect("short enough");
        json!({"passphrase": passphrase, "m_kib": params.m_kib(), "t": params.t(), "p": params.p(),
                   "random": random.taken(), "vault_key": hex(key.expose()), "slot": hex(&slot.encode())})
    })
    .collect()
}

#[test]
fn key_slots_are_read_and_written_as_ever() {
    for v in vectors("slot.json", make_slots) {
        let slot = PassphraseSlot::decode(&bytes(&v, "slot"), no_floor()).expect("an old slot is still one");
        let key = slot.open(text(&v, "passphrase")).expect("its passphrase opens it");
        assert_eq!(hex(key.expose()), text(&v, "vault_key"), "to the same key");
        let number = |field: &str| v[field].as_u64().and_then(|n| u32::try_from(n).ok()).expect("a number");
        let params = KdfParams::new(number("m_kib"), number("t"), number("p"), no_floor()).expect("valid");
        let again =
            PassphraseSlot::make(text(&v, "passphrase"), &key, &params, &given(&v)).expect("short enough");
        assert_eq!(hex(&again.encode()), text(&v, "slot"), "and is made the same");
    }
}

fn make_wraps() -> Vec<Value> {
    ["mecum/epoch/1", "mecum/account/1", ""]
        .into_iter()
        .enumerate()
        .map(|(n, purpose)| {
            let random = Recorded::new(400 + n as u64);
            let made = SeededEntropy::new(500 + n as u64);
            let secret = KemSecret::make(&made);
            let key = VaultKey::make(&made);
            let aad = vec![u8::try_from(n).expect("few"); n * 20];
            let wrap = wrap_key(&secret.public(), purpose, &aad, key.expose(), &random).expect("a good key");
            json!({"secret": hex(secret.expose()), "public": hex(secret.public().as_bytes()), "purpose": purpose,
                   "aad": hex(&aad), "random": random.taken(), "key": hex(key.expose()), "wrap": hex(&wrap)})
        })
        .collect()
}

#[test]
fn wraps_are_read_and_written_as_ever() {
    for v in vectors("wrap.json", make_wraps) {
        let secret = KemSecret::from_bytes(array(&v, "secret"));
        assert_eq!(hex(secret.public().as_bytes()), text(&v, "public"), "the same public key");
        let (purpose, aad) = (text(&v, "purpose"), bytes(&v, "aad"));
        let key = unwrap_key(&secret, purpose, &aad, &bytes(&v, "wrap")).expect("an old wrap opens");
        assert_eq!(hex(key.as_ref()), text(&v, "key"), "to the same key");
        let again = wrap_key(&secret.public(), purpose, &aad, &key, &given(&v)).expect("a good key");
        assert_eq!(hex(&again), text(&v, "wrap"), "and is wrapped the same");
    }
}

fn make_rows() -> Vec<Value> {
    [b"".as_slice(), b"a row", &[0xab; 500]]
        .into_iter()
        .enumerate()
        .map(|(n, plaintext)| {
            let random = Recorded::new(600 + n as u64);
            let key = RowKey::make(&SeededEntropy::new(700 + n as u64));
            let aad = vec![1; n * 7];
            let row = seal_row(&key, &aad, plaintext, &random);
            json!({"key": hex(key.expose()), "aad": hex(&aad), "random": random.taken(),
                   "plaintext": hex(plaintext), "row": hex(&row)})
        })
        .collect()
}

#[test]
fn rows_are_read_and_written_as_ever() {
    for v in vectors("row.json", make_rows) {
        let key = RowKey::from_bytes(array(&v, "key"));
        let opened = open_row(&key, &bytes(&v, "aad"), &bytes(&v, "row")).expect("an old row opens");
        assert_eq!(*opened, bytes(&v, "plaintext"), "to the same content");
        let again = seal_row(&key, &bytes(&v, "aad"), &opened, &given(&v));
        assert_eq!(hex(&again), text(&v, "row"), "and is sealed the same");
    }
}

fn make_pairings() -> Vec<Value> {
    [[0; 17], [255; 17], *PairingSecret::make(&SeededEntropy::new(800)).expose()]
        .into_iter()
        .enumerate()
        .map(|(n, secret)| {
            let random = Recorded::new(900 + n as u64);
            let secret = PairingSecret::from_bytes(secret);
            let message = secret.seal("offer", b"a card", &random);
            json!({"secret": hex(secret.expose()), "words": secret.to_words().join(" "),
                   "mailbox": hex(&secret.mailbox_id()), "key_welcome": hex(secret.key("welcome").expose()),
                   "random": random.taken(), "slot": "offer", "plaintext": hex(b"a card"), "message": hex(&message)})
        })
        .collect()
}

#[test]
fn pairing_words_and_messages_are_read_and_written_as_ever() {
    for v in vectors("pairing.json", make_pairings) {
        let secret = PairingSecret::from_words(text(&v, "words")).expect("old words are still a code");
        assert_eq!(hex(secret.expose()), text(&v, "secret"), "of the same secret");
        assert_eq!(secret.to_words().join(" "), text(&v, "words"), "spelled the same");
        assert_eq!(hex(&secret.mailbox_id()), text(&v, "mailbox"), "with the same mailbox");
        assert_eq!(hex(secret.key("welcome").expose()), text(&v, "key_welcome"), "and the same keys");
        let opened = secret.open(text(&v, "slot"), &bytes(&v, "message")).expect("an old message opens");
        assert_eq!(*opened, bytes(&v, "plaintext"), "to the same content");
        let again = secret.seal(text(&v, "slot"), &opened, &given(&v));
        assert_eq!(hex(&again), text(&v, "message"), "and is sealed the same");
    }
}

fn make_kits() -> Vec<Value> {
    (0..4)
        .map(|n| {
            let (drawn, random) = (Recorded::new(1_000 + n), Recorded::new(1_100 + n));
            let kit = RecoveryKit::make(&drawn);
            let key = kit.key();
            let vault_key = VaultKey::make(&SeededEntropy::new(1_200 + n));
            let slot = RecoverySlot::make(&key, &vault_key, &random);
            json!({"drawn": drawn.taken(), "words": kit.to_words().join(" "), "key": hex(key.expose()),
                   "signing_seed": hex(key.signing_key().seed()),
                   "signing_public": hex(key.signing_key().verifying_key().as_bytes()),
                   "kem_seed": hex(key.kem_secret().expose()),
                   "kem_public_sha256": mecum_seal::sha256(key.kem_secret().public().as_bytes()).to_string(),
                   "random": random.taken(), "vault_key": hex(vault_key.expose()), "slot": hex(&slot.encode())})
        })
        .collect()
}

#[test]
fn recovery_kits_are_read_and_written_as_ever() {
    for v in vectors("kit.json", make_kits) {
        let kit = RecoveryKit::from_words(text(&v, "words")).expect("an old paper is still a kit");
        assert_eq!(kit.to_words().join(" "), text(&v, "words"), "spelled the same");
        let drawn = RecoveryKit::make(&Given(Mutex::new(bytes(&v, "drawn"))));
        assert_eq!(drawn, kit, "and drawn the same");
        let key = kit.key();
        assert_eq!(hex(key.expose()), text(&v, "key"), "of the same key");
        assert_eq!(hex(key.signing_key().seed()), text(&v, "signing_seed"), "signing as ever");
        assert_eq!(
            hex(key.signing_key().verifying_key().as_bytes()),
            text(&v, "signing_public"),
            "known as ever"
        );
        let kem = key.kem_secret();
        assert_eq!(hex(kem.expose()), text(&v, "kem_seed"), "opening what was sealed to it");
        let public = mecum_seal::sha256(kem.public().as_bytes()).to_string();
        assert_eq!(public, text(&v, "kem_public_sha256"), "under the public key of old");
        let slot = RecoverySlot::decode(&bytes(&v, "slot")).expect("an old slot is still one");
        let vault_key = slot.open(&key).expect("its kit opens it");
        assert_eq!(hex(vault_key.expose()), text(&v, "vault_key"), "to the same key");
        let again = RecoverySlot::make(&key, &vault_key, &given(&v));
        assert_eq!(hex(&again.encode()), text(&v, "slot"), "and is made the same");
    }
}

fn make_vouches() -> Vec<Value> {
    (0..3)
        .map(|n| {
            let key = RecoveryKey::make(&SeededEntropy::new(1_300 + n));
            let account = AccountId::random(&SeededEntropy::new(1_400 + n));
            let genesis = mecum_seal::sha256(&n.to_be_bytes());
            let vouch = key.vouch_for(account, genesis);
            json!({"key": hex(key.expose()), "account": account.to_string(), "genesis": genesis.to_string(),
                   "vouch": hex(vouch.as_bytes())})
        })
        .collect()
}

#[test]
fn vouches_are_read_and_written_as_ever() {
    for v in vectors("vouch.json", make_vouches) {
        let key = RecoveryKey::from_bytes(array(&v, "key"));
        let (account, genesis) =
            (AccountId::from_bytes(array(&v, "account")), Hash32::from_bytes(array(&v, "genesis")));
        let vouch = Signature::from_bytes(array(&v, "vouch"));
        let public = key.signing_key().verifying_key();
        assert!(check_vouch(&public, account, genesis, &vouch).is_ok(), "an old vouch still counts");
        assert!(check_vouch(&public, account, Hash32::ZERO, &vouch).is_err(), "of its log alone");
        assert_eq!(hex(key.vouch_for(account, genesis).as_bytes()), text(&v, "vouch"), "said the same");
    }
}

fn make_helpers() -> Vec<Value> {
    (0..3)
        .map(|n| {
            let random = Recorded::new(1_500 + n);
            let key = RecoveryKey::make(&SeededEntropy::new(1_600 + n));
            let SharedOut { parts, server, set } = SharedOut::make(&key, &random);
            let set = minicbor::to_vec(set).expect("into memory");
            let request = mecum_seal::sha256(&n.to_be_bytes());
            json!({"key": hex(key.expose()), "random": random.taken(), "server": hex(server.expose()),
                   "part_1": hex(parts[0].value().expose()), "part_2": hex(parts[1].value().expose()),
                   "part_3": hex(parts[2].value().expose()), "set": hex(&set),
                   "set_name": mecum_seal::sha256(&set).to_string(), "request": request.to_string(),
                   "check_words": check_words(&request).join(" ")})
        })
        .collect()
}

#[test]
fn helpers_parts_their_set_and_check_words_are_read_and_written_as_ever() {
    for v in vectors("helpers.json", make_helpers) {
        let key = RecoveryKey::from_bytes(array(&v, "key"));
        let set: mecum_seal::HelperSet =
            minicbor::decode(&bytes(&v, "set")).expect("an old set is still one");
        let server = SecretKey32::from_bytes(array(&v, "server"));
        let parts = [1, 2, 3].map(|number| {
            let value = SecretKey32::from_bytes(array(&v, &format!("part_{number}")));
            HelperPart::from_bytes(number, value).expect("one of three")
        });
        for two in [[0, 1], [0, 2], [1, 2]] {
            let parts = two.map(|at: usize| parts[at].clone());
            assert_eq!(set.combine(&parts, &server).as_ref(), Ok(&key), "old parts bring the key back");
        }
        let again = SharedOut::make(&key, &given(&v));
        for (number, part) in (1..).zip(&again.parts) {
            let frozen = text(&v, &format!("part_{number}")).to_owned();
            assert_eq!((part.number(), hex(part.value().expose())), (number, frozen), "cut the same");
        }
        assert_eq!(hex(again.server.expose()), text(&v, "server"), "the server's too");
        let set = minicbor::to_vec(again.set).expect("into memory");
        assert_eq!(hex(&set), text(&v, "set"), "of the same set");
        assert_eq!(mecum_seal::sha256(&set).to_string(), text(&v, "set_name"), "under the same name");
        let words = check_words(&Hash32::from_bytes(array(&v, "request"))).join(" ");
        assert_eq!(words, text(&v, "check_words"), "compared by the same words");
    }
}
