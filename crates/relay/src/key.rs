//! The relay's own key: one Ed25519 seed in a file that only its user may read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use mecum_seal::{Entropy, SigningKey};

/// Name of the file in the data folder.
pub(crate) const FILE: &str = "relay.key";

/// Reads the key, or makes it on the first start.
pub(crate) fn load_or_make(data_dir: &Path, entropy: &dyn Entropy) -> io::Result<SigningKey> {
    let path = data_dir.join(FILE);
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(data_dir, &path, entropy),
        other => other,
    }
}

/// Reads the key from a file of exactly its 32 bytes.
pub(crate) fn read(path: &Path) -> io::Result<SigningKey> {
    let mut seed = [0u8; 32];
    let mut file = File::open(path)?;
    file.read_exact(&mut seed)?;
    if file.read(&mut [0u8; 1])? != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "relay key is longer than 32 bytes"));
    }
    Ok(SigningKey::from_seed(seed))
}

fn make(data_dir: &Path, path: &Path, entropy: &dyn Entropy) -> io::Result<SigningKey> {
    let key = SigningKey::make(entropy);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // Another process (the enrolment command) was first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return read(path),
        opened => {
            let mut file = opened?;
            file.write_all(key.seed())?;
            file.sync_all()?;
        }
    }
    File::open(data_dir)?.sync_all()?;
    Ok(key)
}
