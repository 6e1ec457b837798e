//! Every key by which something in a profile opens, from its vault and its passphrase: what no memory may hold after a lock.

use std::path::Path;

use mecum_client::Session;
use mecum_client::testing::surroundings;
use mecum_faults::memory::Needle;
use mecum_seal::{KdfParams, PassphraseSlot, derive_key};
use mecum_vault::{Location, Vault, VaultOptions};

/// The keys of a vault, as it is on the disk, and what derives them. Nobody may have the vault open.
pub(crate) fn keys(profile: &Path, words: &str, kdf: KdfParams, now_ms: i64) -> Vec<Needle> {
    let file = profile.join("vault.sqlite");
    let c = rusqlite::Connection::open(&file).unwrap();
    let slot: Vec<u8> = c.query_row("SELECT body FROM slot WHERE kind = 1", [], |row| row.get(0)).unwrap();
    drop(c);
    let slot = PassphraseSlot::decode(&slot, kdf.floor()).unwrap();
    let vault_key = slot.open(words).unwrap();
    let around = surroundings(5);
    let options = VaultOptions { kdf, ..VaultOptions::new(around.entropy.clone()) };
    let vault = Vault::unlock(&Location::File(file), words, now_ms, &options).unwrap();
    let session = Session::open(vault, around).unwrap();
    let mut needles = vec![
        Needle::key("the vault key", vault_key.expose()),
        Needle::key("the rows' key", derive_key(&vault_key, "mecum/vault/1/row").expose()),
        Needle::key("the head's key", derive_key(&vault_key, "mecum/vault/1/head").expose()),
    ];
    let names = ["the signing key", "the device's key", "the account's key"].map(str::to_owned).into_iter();
    let spaces = (1..=session.folds_for_tests().1).map(|n| format!("the key of space {n}"));
    let documents = (1..).map(|n| format!("the key of document {n}"));
    for (key, name) in session.keys_for_tests().iter().zip(names.chain(spaces).chain(documents)) {
        needles.push(Needle::key(&name, key));
    }
    needles
}

/// Pieces of a long text: what is left of it need not be whole.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Needle> {
    const LETTERS: usize = 20;
    text.as_bytes()
        .chunks_exact(LETTERS)
        .step_by(8)
        .map(|piece| Needle::piece("a piece of a long note", piece))
}
