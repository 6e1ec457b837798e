//! A key is used once, or ChaCha20-Poly1305 with its fixed nonce gives away what it sealed.
//!
//! Shown three ways: over 10,000 sealings in all the ways in which one is repeated, no salt and no key commitment is
//! seen twice; a source of randomness that repeats itself is noticed by the same count; and no module but the two
//! that draw a fresh salt for each sealing calls the cipher at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mecum_seal::testing::{SeededEntropy, fast_kdf};
use mecum_seal::{
    DeviceId, DocumentId, DocumentKey, Entropy, EpochKey, Hash32, IncarnationId, KemSecret, Key32,
    PairingSecret, PassphraseSlot, Place, RecoveryKey, RecoverySlot, RowKey, Salt, SpaceId, SystemEntropy,
    VaultKey, seal_envelope_again, seal_envelope_seeded, seal_row, wrap_key,
};
use minicbor::Decoder;

/// What tells one sealing's key from another's, and how often it was seen before.
#[derive(Default)]
struct Seen {
    salts: BTreeSet<Vec<u8>>,
    commitments: BTreeSet<Vec<u8>>,
    seals: usize,
    repeated_salts: usize,
    repeated_keys: usize,
}

impl Seen {
    /// Key and commitment of an envelope are two halves of one HKDF: equal commitments mean equal keys.
    fn envelope(&mut self, bytes: &[u8]) {
        let (salt, commitment) = salt_and_commitment(bytes);
        self.salt(salt);
        self.repeated_keys += usize::from(!self.commitments.insert(commitment));
    }

    /// A row begins with its salt; its key follows from that and a key that stays.
    fn row(&mut self, sealed: &[u8]) {
        self.salt(sealed[..32].to_vec());
    }

    /// An encapsulation is as good as a salt: the key follows from it.
    fn wrap(&mut self, wrap: &[u8]) {
        self.salt(wrap[..1_120].to_vec());
    }

    fn salt(&mut self, salt: Vec<u8>) {
        self.seals += 1;
        self.repeated_salts += usize::from(!self.salts.insert(salt));
    }

    fn repeats(&self) -> (usize, usize) {
        (self.repeated_salts, self.repeated_keys)
    }
}

/// The salt of an envelope and its commitment.
fn salt_and_commitment(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut d = Decoder::new(bytes);
    d.array().and_then(|_| d.array()).expect("an envelope");
    (0..9).for_each(|_| d.skip().expect("a field"));
    let salt = d.bytes().expect("the salt").to_vec();
    (salt, d.bytes().expect("the commitment").to_vec())
}

fn key() -> DocumentKey {
    DocumentKey::from_bytes([5; 32])
}

/// Always the same place but for its position: whatever differs between two sealings is then the salt's doing.
fn place(envelope_seq: u64) -> Place {
    Place {
        space: SpaceId::from_bytes([1; 16]),
        document: DocumentId::from_bytes([2; 16]),
        device: DeviceId::from_bytes([3; 16]),
        incarnation: IncarnationId::from_bytes([4; 16]),
        envelope_seq,
        epoch: 1,
        membership_head: Hash32::ZERO,
        previous: Hash32::ZERO,
    }
}

fn seal(seen: &mut Seen, key: &impl Key32, place: &Place, text: &[u8], entropy: &dyn Entropy) {
    seen.envelope(&seal_envelope_seeded(key, place, text, entropy).expect("small enough").bytes);
}

/// The ways in which a sealing is repeated: `rounds` of each. Each call is a life of the program of its own.
fn live(seen: &mut Seen, rounds: u64, entropy: &dyn Entropy) {
    for n in 1..=rounds {
        let text = n.to_be_bytes();
        // Writing on, and the same batch again after a failed commit or an unanswered push.
        seal(seen, &key(), &place(n), &text, entropy);
        seal(seen, &key(), &place(n), &text, entropy);
        // A fork: a copy of the vault writes something else at the same place under the same key.
        seal(seen, &key(), &place(n), b"the other copy's edit", entropy);
        // Sealed again after a removal: the same edits in a new epoch, and a control envelope under its key.
        seal(seen, &key(), &Place { epoch: 2, ..place(n) }, &text, entropy);
        let control = Place { document: DocumentId::CONTROL, epoch: 2, ..place(n) };
        seal(seen, &EpochKey::from_bytes([6; 32]), &control, &text, entropy);
        // A row of the vault is written over and over at its one place.
        seen.row(&seal_row(&RowKey::from_bytes([7; 32]), b"head", &text, entropy));
    }
}

/// Slots, pairing messages and wraps, where a key of the same name seals again. Their sealed part is a row.
fn live_elsewhere(seen: &mut Seen, rounds: usize, entropy: &dyn Entropy) {
    let (vault_key, recovery) = (VaultKey::from_bytes([8; 32]), RecoveryKey::from_bytes([9; 32]));
    let pairing = PairingSecret::from_bytes([10; 17]);
    let public = KemSecret::from_bytes([11; 32]).public();
    for _ in 0..rounds {
        let slot = PassphraseSlot::make("the same passphrase", &vault_key, &fast_kdf(), entropy);
        let slot = slot.expect("short enough").encode();
        seen.row(&slot[slot.len() - 80..]);
        let slot = RecoverySlot::make(&recovery, &vault_key, entropy).encode();
        seen.row(&slot[slot.len() - 80..]);
        seen.row(&pairing.seal("offer", b"the same card", entropy));
        seen.wrap(&wrap_key(&public, "epoch", b"space", &[12; 32], entropy).expect("an honest key"));
    }
}

const CHILD: &str = "MECUM_SEAL_IN_A_CHILD";

/// Restarts are real ones: this test runs itself in further processes, which say what they sealed.
#[test]
fn ten_thousand_sealings_use_no_key_twice() {
    if std::env::var_os(CHILD).is_some() {
        let mut seen = Seen::default();
        live(&mut seen, 100, &SystemEntropy::new());
        assert_eq!(seen.repeats(), (0, 0), "none within one life");
        let said =
            |set: &BTreeSet<Vec<u8>>| set.iter().map(|b| format!("{b:02x?}")).collect::<Vec<_>>().join(";");
        println!("SALTS {}\nKEYS {}", said(&seen.salts), said(&seen.commitments));
        return;
    }
    let mut seen = Seen::default();
    live(&mut seen, 1_500, &SystemEntropy::new());
    live_elsewhere(&mut seen, 100, &SystemEntropy::new());
    assert_eq!(seen.repeats(), (0, 0), "no salt and no key of {} sealings was seen before", seen.seals);
    let own = seen.seals;

    let exe = std::env::current_exe().expect("this test's own program");
    let (mut salts, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..4 {
        let child = std::process::Command::new(&exe)
            .args(["--exact", "ten_thousand_sealings_use_no_key_twice", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .expect("starts itself again");
        assert!(child.status.success(), "the child passes");
        let said = String::from_utf8(child.stdout).expect("text");
        for (word, set) in [("SALTS ", &mut salts), ("KEYS ", &mut keys)] {
            let line = said.lines().find_map(|line| line.split_once(word)).expect("what it sealed").1;
            for one in line.split(';').filter(|one| !one.is_empty()) {
                assert!(set.insert(one.to_owned()), "seen before a restart");
            }
        }
    }
    assert_eq!((salts.len(), keys.len()), (4 * 600, 4 * 500), "each child said all of it");
    let known = |set: &BTreeSet<Vec<u8>>| set.iter().map(|b| format!("{b:02x?}")).collect::<BTreeSet<_>>();
    assert!(salts.is_disjoint(&known(&seen.salts)), "nor by another life of the program");
    assert!(keys.is_disjoint(&known(&seen.commitments)), "nor its keys");
    let all = own + salts.len();
    println!("proof: {{\"test\":13,\"cases\":{all},\"failures\":0}}");
    println!("{own} sealings here, {} after restarts: no key used twice", salts.len());
    assert!(own + salts.len() >= 10_000, "enough of them");
}

/// Says the same bytes for ever, as a broken random source would.
struct Stuck;

impl Entropy for Stuck {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0x99);
    }
}

/// Neither a stuck source of randomness nor one that was cloned makes one key seal two plaintexts: what seals is worked out from them.
#[test]
fn no_source_of_randomness_makes_one_key_seal_two_plaintexts() {
    let mut sealed: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut seals = 0;
    let (cloned, clone) = (SeededEntropy::new(7), SeededEntropy::new(7));
    for n in 1..=400_u64 {
        for (source, text) in [
            (&Stuck as &dyn Entropy, n.to_be_bytes().to_vec()),
            (&Stuck, b"the other copy's edit".to_vec()),
            (&Stuck, n.to_be_bytes()[..7].to_vec()),
            (&cloned, [b"the one ".as_slice(), &n.to_be_bytes()].concat()),
            (&clone, [b"the other".as_slice(), &n.to_be_bytes()].concat()),
        ] {
            let bytes =
                seal_envelope_seeded(&key(), &place(n % 20 + 1), &text, source).expect("small enough").bytes;
            let (_, commitment) = salt_and_commitment(&bytes);
            seals += 1;
            if let Some(before) = sealed.insert(commitment, text.clone()) {
                assert_eq!(before, text, "a key that was used before sealed the same words");
            }
        }
    }
    assert!(sealed.len() > 1_000, "{} keys in {seals} sealings", sealed.len());
}

#[test]
fn a_salt_that_repeats_is_noticed() {
    let mut stuck = Seen::default();
    live(&mut stuck, 50, &Stuck);
    println!("a stuck source: {:?} repeats in {} sealings", stuck.repeats(), stuck.seals);
    // A row's salt is random alone: every one but the first. An envelope's follows from its words too: the same batch again and nothing else.
    assert_eq!(stuck.repeated_salts, 49 + 50, "control: the salts of rows, and of each retry");
    assert_eq!(stuck.repeated_keys, 50, "and each retry used its key again, for the same words; no fork did");

    // A cloned machine whose random source was cloned with it: both say the same from then on.
    let mut cloned = Seen::default();
    live(&mut cloned, 50, &SeededEntropy::new(1));
    assert_eq!(cloned.repeats(), (0, 0), "one life repeats nothing");
    live(&mut cloned, 50, &SeededEntropy::new(1));
    assert_eq!(cloned.repeats(), (300, 250), "control: its clone repeats everything");
}

/// The second line of defence: the place is part of the key, so that the same random bytes alone do not repeat it.
#[test]
fn the_same_random_bytes_at_another_place_are_another_key() {
    let mut seen = Seen::default();
    let changed: [fn(&mut Place); 8] = [
        |p| p.space = SpaceId::from_bytes([9; 16]),
        |p| p.document = DocumentId::CONTROL,
        |p| p.device = DeviceId::from_bytes([9; 16]),
        |p| p.incarnation = IncarnationId::from_bytes([9; 16]),
        |p| p.envelope_seq += 1,
        |p| p.epoch += 1,
        |p| p.membership_head = Hash32::from_bytes([9; 32]),
        |p| p.previous = Hash32::from_bytes([9; 32]),
    ];
    seal(&mut seen, &key(), &place(1), b"same", &Stuck);
    for change in changed {
        let mut moved = place(1);
        change(&mut moved);
        seal(&mut seen, &key(), &moved, b"same", &Stuck);
    }
    assert_eq!(seen.repeats(), (0, 0), "nine sealings from the same random bytes, under nine salts and keys");
    // Nor does a whole salt, as a program might draw it.
    let mut keys = BTreeSet::new();
    for place in [place(1), place(2)] {
        let sealed =
            seal_envelope_again(&key(), &place, &Salt::Whole([0x99; 32]), b"same").expect("small enough");
        keys.insert(salt_and_commitment(&sealed.bytes).1);
    }
    assert_eq!(keys.len(), 2, "one salt at two places, under two keys");
}

/// Which files may name what. Everything else goes through `seal_envelope`, `seal_row` and what is built from them.
const ALLOWED: &[(&str, &[&str])] = &[
    ("ring::aead", &["hazmat/aead.rs"]),
    ("LessSafeKey", &["hazmat/aead.rs"]),
    ("assume_unique_for_key", &["hazmat/aead.rs"]),
    ("seal_in_place", &["hazmat/aead.rs"]),
    ("single_shot_seal", &["hazmat/hpke.rs"]),
    ("setup_sender", &[]),
    ("ChaCha20Poly1305", &["hazmat/hpke.rs", "hazmat/vectors.rs", "hazmat/vectors/kem.rs"]),
    ("chacha20poly1305", &[]),
    ("seal_at(", &["hazmat/aead.rs", "hazmat/vectors.rs", "hazmat/vectors/kem.rs"]),
    ("seal_once(", &["hazmat/aead.rs", "safe/envelope.rs", "safe/envelope/tests.rs"]),
    ("seal_tail_once(", &["hazmat/aead.rs", "safe/row.rs"]),
];

/// Names that a file uses and may not. Comments do not count.
fn misuses(file: &Path, text: &str) -> Vec<&'static str> {
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let seal = Path::new("crates/seal/src");
    ALLOWED
        .iter()
        .filter(|(name, files)| code.contains(name) && !files.iter().any(|f| file == seal.join(f)))
        .map(|(name, _)| *name)
        .collect()
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn only_envelopes_and_rows_call_the_cipher() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().expect("the workspace");
    let mut files = Vec::new();
    let crates = std::fs::read_dir(root.join("crates")).expect("crates");
    let sources = crates.map(|entry| entry.expect("readable").path().join("src"));
    for folder in sources.chain(["src-tauri", "ui/src", "xtask/src"].map(|name| root.join(name))) {
        rust_files(&folder, &mut files);
    }
    assert!(files.len() > 100, "the whole product was read: {} files", files.len());
    let mut callers = BTreeSet::new();
    for path in files {
        let name = path.strip_prefix(&root).expect("below the root").to_path_buf();
        let text = std::fs::read_to_string(&path).expect("readable");
        let found = misuses(&name, &text);
        assert!(found.is_empty(), "{} seals by itself: {found:?}", name.display());
        if text.contains("aead::seal_") && !name.ends_with("tests.rs") {
            callers.insert(name.display().to_string());
        }
    }
    let expected = ["crates/seal/src/safe/envelope.rs", "crates/seal/src/safe/row.rs"].map(str::to_owned);
    assert_eq!(callers, BTreeSet::from(expected), "two modules seal, each with a fresh salt every time");
}

#[test]
fn a_module_that_seals_by_itself_is_noticed() {
    let own = Path::new("crates/vault/src/write.rs");
    assert_eq!(misuses(own, "use ring::aead::LessSafeKey;"), ["ring::aead", "LessSafeKey"], "control");
    let slot = Path::new("crates/seal/src/safe/slot.rs");
    assert_eq!(
        misuses(slot, "aead::seal_once(&key, &[], &mut x);"),
        ["seal_once("],
        "control: a third caller"
    );
    assert_eq!(misuses(own, "// as ring::aead does"), [""; 0], "a comment calls nothing");
}
