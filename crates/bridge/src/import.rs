//! A file into a vault, by the commands that a screen uses.

use std::path::Path;
use std::time::Duration;

use mecum_api::command::{
    ChartList, ImportBegin, ImportChunk, ImportLook, ImportRun, ImportStatus, PassphraseSuggest,
    ServerConnect, SyncStatus, VaultCreate,
};
use mecum_api::domain::ChartId;
use mecum_api::{
    ImportArgs, ImportBeginArgs, ImportChunkArgs, ImportInto, ImportPhase, ImportRunArgs, ImportView,
    ServerConnectArgs, SyncPhase, VaultCreateArgs,
};
use mecum_client::{App, person_of_file};

use crate::{BridgeError, base64, call};

/// A piece. Source: the contract's limit of 1 MiB.
const PIECE_BYTES: usize = 1 << 20;

/// How often progress is asked for.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// How long the first exchange with the server may take.
const EXCHANGE_WAIT: Duration = Duration::from_secs(30);

/// The device's name in a vault that the bridge makes.
pub(crate) const DEVICE: &str = "Laptop";

/// Makes a vault of the file's person and brings the file in.
pub(crate) async fn into_new_vault(
    app: &App,
    path: &Path,
    server: Option<(String, String)>,
) -> Result<(), BridgeError> {
    let bytes = tokio::fs::read(path).await.map_err(|source| BridgeError::Io { what: "file", source })?;
    let person = person_of_file(&bytes)
        .map_err(|error| BridgeError::Refused("import_look", error))?
        .unwrap_or_default();
    let passphrase = call::<PassphraseSuggest>(app, ()).await?.words.join(" ");
    let args = VaultCreateArgs {
        passphrase: passphrase.clone(),
        name: person.name.unwrap_or_else(|| "Me".into()),
        born: person.born,
        device_name: DEVICE.into(),
    };
    call::<VaultCreate>(app, args).await?;
    let own =
        call::<ChartList>(app, ()).await?.into_iter().next().map(|chart| chart.chart).unwrap_or_default();
    keep(app, &bytes, own).await?;
    if let Some((url, code)) = server {
        connect(app, url, code).await?;
    }
    app.vault_lock(()).await.map_err(|error| BridgeError::Refused("vault_lock", error))?;
    println!("{}", serde_json::json!({ "passphrase": passphrase }));
    Ok(())
}

/// Gives a server the account, and waits a while until it has everything.
pub(crate) async fn connect(app: &App, url: String, code: String) -> Result<(), BridgeError> {
    call::<ServerConnect>(app, ServerConnectArgs { url, code }).await?;
    let exchanged = async {
        while call::<SyncStatus>(app, ()).await?.phase != SyncPhase::UpToDate {
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(())
    };
    // A slow server is no reason to lose what was made: the app goes on where this stops.
    tokio::time::timeout(EXCHANGE_WAIT, exchanged).await.unwrap_or(Ok(()))
}

/// Brings a file into a chart.
pub(crate) async fn keep(app: &App, bytes: &[u8], chart: ChartId) -> Result<ImportView, BridgeError> {
    let begin = ImportBeginArgs { name: "file".into(), bytes: bytes.len() as u64 };
    let ImportArgs { import } = call::<ImportBegin>(app, begin).await?;
    let mut offset = 0;
    for piece in bytes.chunks(PIECE_BYTES) {
        call::<ImportChunk>(app, ImportChunkArgs { import, offset, base64: base64::encode(piece) }).await?;
        offset += piece.len() as u64;
    }
    call::<ImportLook>(app, ImportArgs { import }).await?;
    call::<ImportRun>(app, ImportRunArgs { import, into: ImportInto::Chart { chart } }).await?;
    loop {
        let view = call::<ImportStatus>(app, ImportArgs { import }).await?;
        match view.phase {
            ImportPhase::Keeping => tokio::time::sleep(ASK_EVERY).await,
            ImportPhase::Done => return Ok(view),
            _ => return Err(BridgeError::NotKept),
        }
    }
}
