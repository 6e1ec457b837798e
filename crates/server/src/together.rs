//! A small hospital: the relay and the hospital's program under one command, as two processes with folders and keys of their own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ServerError;
use crate::arguments::{Account, HospitalAsked, RelayAsked};
use crate::hospital::FROM_INPUT;
use crate::parent;
use crate::supervising::{Children, Heard, Start};

/// What the relay prints first; its address follows.
const LISTENING: &str = "listening on http://";

/// What it prints once it has said all.
const PIN: &str = "pin ";

/// Runs both until it is told to stop. The hospital's program is started once the relay listens; where the relay never does, nothing is.
#[tokio::main]
pub(crate) async fn serve(relay: &RelayAsked, hospital: HospitalAsked) -> Result<(), ServerError> {
    let mut children = Children::of_this_program().map_err(ServerError::NoProgram)?;
    // Where it listened first: devices know that port, and a free one would be another each time.
    let address = Arc::new(Mutex::new(relay.listen));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (fixed, listens) = (relay_arguments(relay), address.clone());
    let start = move || Ok(relay_start(&fixed, held(&listens)));
    let heard_at = address.clone();
    children.keep("relay", start, move |heard| match heard {
        Heard::Line(line) => {
            if let Some(at) = line.strip_prefix(LISTENING).and_then(|at| at.parse().ok()) {
                *heard_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
            }
            if line.starts_with(PIN) {
                let _ = tell.send(true);
            }
        }
        Heard::Ended => {
            let _ = tell.send(false);
        }
    });
    let stop = parent::asked_to_stop(false);
    tokio::pin!(stop);
    let listens = tokio::select! {
        listens = told.recv() => listens.unwrap_or_default(),
        () = &mut stop => {
            return ended(children).await;
        }
    };
    drop(told);
    if !listens {
        ended(children).await?;
        return Err(ServerError::NoRelay);
    }
    let data = relay.data.clone();
    let start = move || hospital_start(&hospital, held(&address), &data);
    children.keep("hospital", start, |_| {});
    stop.await;
    ended(children).await
}

async fn ended(children: Children) -> Result<(), ServerError> {
    let stopped = tokio::task::spawn_blocking(|| children.stop());
    stopped.await.map_err(|error| ServerError::Serve(error.into()))
}

fn held(address: &Mutex<SocketAddr>) -> SocketAddr {
    *address.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the relay is started with, but for where it listens.
fn relay_arguments(relay: &RelayAsked) -> Vec<String> {
    let mut arguments = vec!["relay".to_owned(), "--data".to_owned(), relay.data.display().to_string()];
    for proxy in &relay.proxies {
        arguments.extend(["--proxy".to_owned(), proxy.to_string()]);
    }
    if let Some(name) = &relay.name {
        arguments.extend(["--name".to_owned(), name.clone()]);
    }
    arguments.push("--supervised".to_owned());
    arguments
}

fn relay_start(fixed: &[String], listen: SocketAddr) -> Start {
    let mut arguments = fixed.to_vec();
    arguments.extend(["--listen".to_owned(), listen.to_string()]);
    Start { arguments, first_line: None }
}

/// What the hospital's program is started with. While it has no account, a code goes with it: to found one, made anew each time, for it
/// works once.
fn hospital_start(asked: &HospitalAsked, relay: SocketAddr, relay_data: &Path) -> Result<Start, String> {
    let HospitalAsked { data, directory, language, account } = asked;
    let (data, directory) = (data.display().to_string(), directory.display().to_string());
    let mut arguments = vec!["hospital".to_owned(), "--supervised".to_owned()];
    arguments.extend(["--data".to_owned(), data, "--directory".to_owned(), directory]);
    if let Some(language) = language {
        arguments.extend(["--language".to_owned(), language.clone()]);
    }
    if mecum_hospital::has_account(&asked.data) || *account == Account::Here {
        return Ok(Start { arguments, first_line: None });
    }
    arguments.extend(["--server".to_owned(), format!("http://{}", reached(relay))]);
    let code = match account {
        Account::Join(code) => {
            arguments.extend(["--join".to_owned(), FROM_INPUT.to_owned()]);
            code.clone()
        }
        Account::Found(name) => {
            arguments.extend(["--found".to_owned(), name.clone()]);
            arguments.extend(["--code".to_owned(), FROM_INPUT.to_owned()]);
            crate::enrol(relay_data, true).map_err(|error| error.to_string())?
        }
        Account::Here => return Ok(Start { arguments, first_line: None }),
    };
    Ok(Start { arguments, first_line: Some(code) })
}

/// Where this machine reaches what listens there.
fn reached(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}
