//! `mecum-server`: runs the relay over one data folder, and backs that folder up, checks and restores it; runs a hospital's program; and
//! runs both as two processes. It parses arguments, prints, and stops gracefully. Everything else is the relay's and the hospital's.

mod arguments;
mod hospital;
mod parent;
mod report;
mod supervising;
mod together;

use std::path::Path;
use std::process::ExitCode;

use arguments::{Asked, NotUnderstood, RelayAsked, USAGE, parse};
use mecum_hospital::HospitalError;
use mecum_relay::folder::{self, FolderError, Manifest};
use mecum_relay::{OpenRelayError, Relay, RelayOptions};
use tokio::net::TcpListener;

/// Something is wrong in what was checked.
const EXIT_UNSOUND: u8 = 3;

/// Why the server did not start or did not go on.
#[derive(Debug, thiserror::Error)]
enum ServerError {
    #[error("{0}")]
    Usage(#[from] NotUnderstood),
    #[error("{0}")]
    Open(#[from] OpenRelayError),
    #[error("{0}")]
    Folder(#[from] FolderError),
    #[error("no enrolment code: {0}")]
    Enrol(#[from] mecum_relay::store::StoreError),
    #[error("cannot listen: {0}")]
    Listen(std::io::Error),
    #[error("{0}")]
    Serve(std::io::Error),
    #[error("hospital: {0}")]
    Hospital(#[from] HospitalError),
    #[error("no code on standard input: {0}")]
    NoCode(std::io::Error),
    #[error("cannot find this program to start it again: {0}")]
    NoProgram(std::io::Error),
    #[error("the relay ended before it listened: its own line says why")]
    NoRelay,
    /// Said already, line by line.
    #[error("not sound")]
    Unsound,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).map_err(ServerError::from).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mecum-server: {error}");
            ExitCode::from(match error {
                ServerError::Usage(_) => 2,
                ServerError::Unsound => EXIT_UNSOUND,
                _ => 1,
            })
        }
    }
}

fn run(asked: Asked) -> Result<(), ServerError> {
    let now_ms = (RelayOptions::default().clock)();
    match asked {
        Asked::Help => println!("{USAGE}"),
        Asked::Enrol { data, host } => println!("{}", enrol(&data, host)?),
        Asked::Backup { data, to } => println!("{}", report::made(&folder::backup(&data, &to, now_ms)?)),
        Asked::Check { data } => check(&data)?,
        Asked::Restore { from, data, replace } => {
            println!("{}", report::offered(&Manifest::read(&from)?, now_ms));
            println!("{}", report::restored(&folder::restore(&from, &data, replace, now_ms)?));
        }
        Asked::Serve { relay, hospital: None, supervised } => serve(relay, supervised)?,
        Asked::Serve { relay, hospital: Some(hospital), .. } => together::serve(&relay, hospital)?,
        Asked::Hospital { hospital, server, code, supervised } => {
            hospital::answer(hospital, server, code, supervised)?;
        }
    }
    Ok(())
}

fn enrol(data: &Path, host: bool) -> Result<String, ServerError> {
    if !folder::is_data(data) {
        // A code of a server that was made up by a slip of the pen would admit nobody.
        return Err(FolderError::NoData.into());
    }
    let relay = Relay::open(data, RelayOptions::default())?;
    Ok(if host { relay.make_host_code()? } else { relay.make_enrolment_code()? })
}

fn check(data: &Path) -> Result<(), ServerError> {
    let checked = folder::check(data)?;
    println!("{}", report::checked(&checked));
    if checked.is_sound() { Ok(()) } else { Err(ServerError::Unsound) }
}

#[tokio::main]
async fn serve(asked: RelayAsked, supervised: bool) -> Result<(), ServerError> {
    let RelayAsked { data, listen, name, proxies } = asked;
    let mut options = RelayOptions::default();
    options.name = name.unwrap_or(options.name);
    options.proxies = proxies;
    std::fs::create_dir_all(&data).map_err(OpenRelayError::from)?;
    let _lock = folder::lock(&data)?;
    let relay = Relay::open(&data, options)?;
    let listener = TcpListener::bind(listen).await.map_err(ServerError::Listen)?;
    let address = listener.local_addr().map_err(ServerError::Listen)?;
    println!("listening on http://{address}");
    println!("pin {}", relay.key());
    relay.serve(listener, parent::asked_to_stop(supervised)).await.map_err(ServerError::Serve)
}
