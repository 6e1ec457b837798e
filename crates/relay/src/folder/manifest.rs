//! What a backup says of itself: a short text beside its files, with their sizes and hashes, so that a cut or damaged backup
//! is known before anything is restored from it. It guards against damage, not against somebody who can write it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use mecum_seal::{Hash32, VerifyingKey, sha256};

use super::{FolderError, during};
use crate::{DATABASE, key};

/// Its name in the backup's folder.
pub(super) const FILE: &str = "backup.txt";
const TITLE: &str = "mecum-server backup 1";
/// Longest manifest that is read, in bytes.
const MAX_BYTES: u64 = 4_096;
/// Bytes of a file that are hashed at a time: the file's hash is SHA-256 of the blocks' SHA-256.
const BLOCK_BYTES: usize = 1024 * 1024;

/// What a backup holds and when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// When, by the clock of the machine that made it, in ms since the epoch.
    pub made_at_ms: i64,
    /// The database's schema.
    pub schema: u64,
    /// The server's public key: what clients have pinned.
    pub pin: VerifyingKey,
    /// Accounts.
    pub accounts: u64,
    /// Spaces.
    pub spaces: u64,
    /// Envelopes.
    pub envelopes: u64,
    /// When the last push in it was stored, in ms since the epoch; none if there is no push.
    pub last_stored_at_ms: Option<i64>,
    /// Size of the database in bytes.
    pub database_bytes: u64,
    /// Hash of the database, by blocks of 1 MiB.
    pub database_hash: Hash32,
}

impl Manifest {
    /// Reads a backup's manifest.
    ///
    /// # Errors
    /// [`FolderError::BadBackup`] if it is not there, not whole, or of another form.
    pub fn read(dir: &Path) -> Result<Self, FolderError> {
        let file =
            File::open(dir.join(FILE)).map_err(|_| FolderError::BadBackup("backup.txt is not there"))?;
        let mut text = String::new();
        file.take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(|_| FolderError::BadBackup("backup.txt cannot be read"))?;
        Self::parse(&text).ok_or(FolderError::BadBackup("backup.txt is damaged or of another version"))
    }

    /// Whether the key and the database in `dir` are the ones that the manifest names, to the byte.
    ///
    /// # Errors
    /// [`FolderError::BadBackup`] if one is missing, cut or changed.
    pub fn verify(&self, dir: &Path) -> Result<(), FolderError> {
        let key = key::read(&dir.join(key::FILE))
            .map_err(|_| FolderError::BadBackup("relay.key is missing or damaged"))?;
        if key.verifying_key() != self.pin {
            return Err(FolderError::BadBackup("relay.key is not the key that backup.txt names"));
        }
        let mut file = File::open(dir.join(DATABASE))
            .map_err(|_| FolderError::BadBackup("relay.sqlite is not there"))?;
        let found = hash(&mut file, |_| Ok(())).map_err(during("cannot read the backup"))?;
        self.expect(found)
    }

    /// Whether a file of this size and hash is the backup's database.
    pub(super) fn expect(&self, found: (u64, Hash32)) -> Result<(), FolderError> {
        if found == (self.database_bytes, self.database_hash) {
            Ok(())
        } else if found.0 == self.database_bytes {
            Err(FolderError::BadBackup("relay.sqlite has other bytes than it was made with"))
        } else {
            Err(FolderError::BadBackup("relay.sqlite has another size than it was made with"))
        }
    }

    /// The text: lines of a word and its value; the last line is the hash of those before.
    pub(super) fn to_text(&self) -> String {
        let made = jiff::Timestamp::from_millisecond(self.made_at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let last = self.last_stored_at_ms.map_or_else(|| "none".to_owned(), |ms| ms.to_string());
        let mut text = format!("{TITLE}\n");
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "made {}\nmade_at_ms {}\nschema {}\npin {}\naccounts {}\nspaces {}\nenvelopes {}\n\
             last_stored_at_ms {last}\ndatabase_bytes {}\ndatabase_hash {}\n",
            made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            self.made_at_ms,
            self.schema,
            self.pin,
            self.accounts,
            self.spaces,
            self.envelopes,
            self.database_bytes,
            self.database_hash,
        );
        let end = sha256(text.as_bytes());
        let _ = writeln!(text, "end {end}");
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next() != Some(TITLE) {
            return None;
        }
        let mut value = |word: &str| lines.next()?.strip_prefix(word)?.strip_prefix(' ');
        value("made")?;
        let manifest = Self {
            made_at_ms: value("made_at_ms")?.parse().ok()?,
            schema: value("schema")?.parse().ok()?,
            pin: value("pin")?.parse().ok()?,
            accounts: value("accounts")?.parse().ok()?,
            spaces: value("spaces")?.parse().ok()?,
            envelopes: value("envelopes")?.parse().ok()?,
            last_stored_at_ms: match value("last_stored_at_ms")? {
                "none" => None,
                ms => Some(ms.parse().ok()?),
            },
            database_bytes: value("database_bytes")?.parse().ok()?,
            database_hash: value("database_hash")?.parse().ok()?,
        };
        // One manifest has one text: what was changed in any way reads as another.
        (manifest.to_text() == text).then_some(manifest)
    }
}

/// Reads a file to its end, hands each block on, and returns its size and hash.
pub(super) fn hash(
    file: &mut File,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<(u64, Hash32)> {
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let (mut bytes, mut hashes) = (0u64, Vec::new());
    loop {
        block.clear();
        file.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok((bytes, sha256(&hashes)));
        }
        each(&block)?;
        bytes += block.len() as u64;
        hashes.extend_from_slice(sha256(&block).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use mecum_seal::SigningKey;
    use mecum_seal::testing::SeededEntropy;

    use super::*;

    #[test]
    fn a_manifest_reads_back_and_any_changed_byte_is_noticed() {
        let manifest = Manifest {
            made_at_ms: 1_790_000_000_000,
            schema: 1,
            pin: SigningKey::make(&SeededEntropy::new(1)).verifying_key(),
            accounts: 2,
            spaces: 3,
            envelopes: 4,
            last_stored_at_ms: None,
            database_bytes: 5,
            database_hash: Hash32::from_bytes([6; 32]),
        };
        let text = manifest.to_text();
        assert_eq!(Manifest::parse(&text), Some(manifest), "it reads back");
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).expect("one bit of ASCII is ASCII");
            assert_eq!(Manifest::parse(&changed), None, "byte {at} changed");
            assert_eq!(Manifest::parse(&text[..at]), None, "cut at {at}");
        }
    }
}
