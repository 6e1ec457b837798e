//! `mecum-server`: runs the relay over one data folder. It parses arguments, prints where it listens and its pin, and stops
//! gracefully. Everything else is the relay's.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use mecum_relay::{OpenRelayError, Relay, RelayOptions};
use tokio::net::TcpListener;

const USAGE: &str = "usage: mecum-server --data DIR --listen ADDRESS:PORT [--name NAME]
       mecum-server enrol --data DIR

  --data DIR      folder for the key and the database; made if it is not there
  --listen ADDR   address to answer on, such as 127.0.0.1:7400; port 0 takes any free port
  --name NAME     what the server calls itself
  enrol           prints a one-time code that admits one account; works while the server runs";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Serve { data: PathBuf, listen: SocketAddr, name: Option<String> },
    Enrol { data: PathBuf },
    Help,
}

/// Why the server did not start or did not go on.
#[derive(Debug, thiserror::Error)]
enum ServerError {
    #[error("{0}\n{USAGE}")]
    Usage(String),
    #[error("{0}")]
    Open(#[from] OpenRelayError),
    #[error("no enrolment code: {0}")]
    Enrol(#[from] mecum_relay::store::StoreError),
    #[error("cannot listen: {0}")]
    Listen(std::io::Error),
    #[error("{0}")]
    Serve(std::io::Error),
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mecum-server: {error}");
            ExitCode::from(if matches!(error, ServerError::Usage(_)) { 2 } else { 1 })
        }
    }
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Asked, ServerError> {
    let mut arguments = arguments.peekable();
    let enrol = arguments.next_if(|first| first == "enrol").is_some();
    let (mut data, mut listen, mut name) = (None, None, None);
    while let Some(flag) = arguments.next() {
        if flag == "--help" || flag == "-h" {
            return Ok(Asked::Help);
        }
        let slot = match flag.as_str() {
            "--data" => &mut data,
            "--listen" if !enrol => &mut listen,
            "--name" if !enrol => &mut name,
            _ => return Err(ServerError::Usage(format!("unknown argument: {flag}"))),
        };
        let value = arguments.next().ok_or_else(|| ServerError::Usage(format!("{flag} needs a value")))?;
        if slot.replace(value).is_some() {
            return Err(ServerError::Usage(format!("{flag} is given twice")));
        }
    }
    let data = PathBuf::from(data.ok_or_else(|| ServerError::Usage("--data is missing".to_owned()))?);
    if enrol {
        return Ok(Asked::Enrol { data });
    }
    let listen = listen.ok_or_else(|| ServerError::Usage("--listen is missing".to_owned()))?;
    let listen = listen.parse().map_err(|_| {
        ServerError::Usage("--listen takes an address and a port, such as 127.0.0.1:7400".to_owned())
    })?;
    Ok(Asked::Serve { data, listen, name })
}

fn run(asked: Asked) -> Result<(), ServerError> {
    match asked {
        Asked::Help => {
            println!("{USAGE}");
            Ok(())
        }
        Asked::Enrol { data } => {
            let relay = Relay::open(&data, RelayOptions::default())?;
            println!("{}", relay.make_enrolment_code()?);
            Ok(())
        }
        Asked::Serve { data, listen, name } => serve(&data, listen, name),
    }
}

#[tokio::main]
async fn serve(data: &Path, listen: SocketAddr, name: Option<String>) -> Result<(), ServerError> {
    let mut options = RelayOptions::default();
    options.name = name.unwrap_or(options.name);
    let relay = Relay::open(data, options)?;
    let listener = TcpListener::bind(listen).await.map_err(ServerError::Listen)?;
    let address = listener.local_addr().map_err(ServerError::Listen)?;
    println!("listening on http://{address}");
    println!("pin {}", relay.key());
    relay.serve(listener, asked_to_stop()).await.map_err(ServerError::Serve)
}

/// Done on Ctrl-C or SIGTERM.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without signals the server runs until it is killed: nothing that was acknowledged is lost by that.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Asked, ServerError> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_say_what_to_do() {
        let asked = parsed("--data d --listen 127.0.0.1:0").expect("a full command line");
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        assert_eq!(asked, Asked::Serve { data: "d".into(), listen, name: None }, "serve");
        let asked = parsed("enrol --data d").expect("a full command line");
        assert_eq!(asked, Asked::Enrol { data: "d".into() }, "enrol");
    }

    #[test]
    fn what_is_not_understood_is_refused_with_usage() {
        for line in [
            "",
            "--data d",
            "--listen 127.0.0.1:0",
            "--data d --listen nowhere",
            "--data d --listen 127.0.0.1:0 --quiet",
            "--data d --data e --listen 127.0.0.1:0",
            "enrol --data d --listen 127.0.0.1:0",
            "serve --data d",
            "--data",
        ] {
            let refused = parsed(line).expect_err("refused");
            assert!(matches!(refused, ServerError::Usage(_)), "usage is printed for {line:?}");
        }
    }
}
