//! The folder of the hospital's program: who has it, what opens its vault, and how an account comes into it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use mecum_api::{
    Command, PairJoinArgs, PairPhase, PassphraseArgs, ServerConnectArgs, SettingsView, VaultCreateArgs,
    VaultPhase, command,
};
use mecum_client::App;

use crate::error::HospitalError;

/// The file whose words open the vault. Whoever has it and the vault has the hospital's keys.
const KEY: &str = "hospital.key";

/// There once the account is here and at its server: from then on nobody has to say whose it is.
const CONNECTED: &str = "hospital.connected";

const LOCK: &str = "hospital.lock";

/// Words that a device makes for a passphrase, in how many parts: 12 words of a list of 7,776.
const PARTS: usize = 2;

/// How this program calls itself among the devices of the account.
const DEVICE: &str = "Answering program";

/// How often a pairing is asked about.
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// Whose account is answered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// That of a desk, as one more device of it: the code that the desk shows, and the server's address where it is words alone.
    Join {
        /// Words, or the text of the picture.
        code: String,
        /// The server.
        server: Option<String>,
    },
    /// A new one, without a desk and without a kit: for tests, and for a machine that has no screen yet.
    Found {
        /// The hospital's name.
        name: String,
        /// The server.
        server: String,
        /// One-time enrolment code of the server.
        code: String,
    },
    /// The one that is here already.
    Again,
}

/// The folder, for as long as it is held: nobody else answers from it.
#[derive(Debug)]
pub(crate) struct Held {
    _lock: File,
}

/// Whether a folder has an account that is at its server. Where it has none, a start has to say whose account it is to be.
pub fn has_account(data: &Path) -> bool {
    data.join(CONNECTED).exists()
}

/// Takes the folder.
pub(crate) fn take(data: &Path) -> Result<Held, HospitalError> {
    let folder = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| HospitalError::Folder { path, source }
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data).map_err(folder(data))?;
    let path = data.join(LOCK);
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let lock = lock.map_err(folder(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(Held { _lock: lock }),
        Err(TryLockError::WouldBlock) => Err(HospitalError::InUse { path }),
        Err(TryLockError::Error(source)) => Err(HospitalError::Folder { path, source }),
    }
}

/// Opens the vault, or brings an account into the folder.
pub(crate) async fn open(app: &App, data: &Path, start: Start) -> Result<(), HospitalError> {
    let status = call::<command::VaultStatus>(app, ()).await?;
    let is_there = status.phase != VaultPhase::Missing;
    let passphrase = match (is_there, &start) {
        (true, _) => read_key(data)?,
        (false, Start::Again) => return Err(HospitalError::NoAccount),
        (false, _) => key_of(app, data).await?,
    };
    match start {
        _ if is_there => {
            call::<command::VaultUnlock>(app, PassphraseArgs { passphrase }).await?;
            let is_connected = call::<command::SyncStatus>(app, ()).await?.server.is_some();
            match start {
                // The first start was cut short after the vault was made.
                Start::Found { server, code, .. } if !is_connected => {
                    call::<command::ServerConnect>(app, ServerConnectArgs { url: server, code }).await?;
                }
                _ if !is_connected => return Err(HospitalError::NotConnected),
                _ => {}
            }
        }
        Start::Found { name, server, code } => {
            let device_name = DEVICE.to_owned();
            let create = VaultCreateArgs { passphrase, name, born: None, device_name };
            call::<command::VaultCreate>(app, create).await?;
            call::<command::ServerConnect>(app, ServerConnectArgs { url: server, code }).await?;
        }
        Start::Join { code, server } => {
            let device_name = DEVICE.to_owned();
            let mut pairing =
                call::<command::PairJoin>(app, PairJoinArgs { code, server, passphrase, device_name })
                    .await?;
            while matches!(pairing.phase, PairPhase::Waiting | PairPhase::Asking | PairPhase::Working) {
                tokio::time::sleep(ASKED_EVERY).await;
                pairing = call::<command::PairStatus>(app, ()).await?;
            }
            if pairing.phase != PairPhase::Done {
                return Err(HospitalError::NotPaired);
            }
        }
        Start::Again => return Err(HospitalError::NoAccount),
    }
    // Nobody touches a program: its vault would lock itself.
    let settings = call::<command::SettingsGet>(app, ()).await?;
    call::<command::SettingsSet>(app, SettingsView { auto_lock_min: 0, ..settings }).await?;
    let path = data.join(CONNECTED);
    let marked = || File::create(&path)?.sync_all().and_then(|()| File::open(data)?.sync_all());
    if has_account(data) {
        Ok(())
    } else {
        marked().map_err(|source| HospitalError::Folder { path: path.clone(), source })
    }
}

/// Calls a command of the app.
pub(crate) async fn call<C: Command>(app: &App, args: C::Args) -> Result<C::Output, HospitalError> {
    let args = serde_json::to_value(args).expect("arguments are plain");
    let answer = app.call(C::NAME, args).await?;
    Ok(serde_json::from_value(answer).expect("a command answers its own view"))
}

fn read_key(data: &Path) -> Result<String, HospitalError> {
    let path = data.join(KEY);
    let words = fs::read_to_string(&path).map(|words| words.trim().to_owned());
    words.ok().filter(|words| !words.is_empty()).ok_or(HospitalError::Key { path })
}

/// The words of the key file, which is made if it is not there: a first start may have been cut short behind it.
async fn key_of(app: &App, data: &Path) -> Result<String, HospitalError> {
    let path = data.join(KEY);
    if path.exists() {
        return read_key(data);
    }
    let mut words = Vec::new();
    for _ in 0..PARTS {
        words.extend(call::<command::PassphraseSuggest>(app, ()).await?.words);
    }
    let words = words.join(" ");
    let write = || -> io::Result<()> {
        let new = data.join("hospital.key.new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(words.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(data)?.sync_all()
    };
    write().map_err(|source| HospitalError::Folder { path: path.clone(), source })?;
    Ok(words)
}
