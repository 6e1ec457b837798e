//! The hospital's program as a process.

use std::sync::Arc;

use mecum_hospital::{Agent, HospitalOptions, Start};

use crate::ServerError;
use crate::arguments::{Account, HospitalAsked};
use crate::parent;

/// Stands for a code that is read from standard input, so that it is in no list of processes.
pub(crate) const FROM_INPUT: &str = "-";

/// Answers until it is told to stop.
#[tokio::main]
pub(crate) async fn answer(
    asked: HospitalAsked,
    server: Option<String>,
    code: Option<String>,
    supervised: bool,
) -> Result<(), ServerError> {
    let HospitalAsked { data, directory, language, account } = asked;
    let start = match account {
        Account::Here => Start::Again,
        Account::Join(code) => Start::Join { code: said(code)?, server },
        Account::Found(name) => {
            let code = said(code.unwrap_or_default())?;
            Start::Found { name, server: server.unwrap_or_default(), code }
        }
    };
    let log = Arc::new(|line: &str| eprintln!("hospital: {line}"));
    let mut options = HospitalOptions::new(data, directory, log);
    options.language = language.unwrap_or(options.language);
    let stop = parent::asked_to_stop(supervised);
    tokio::pin!(stop);
    // A desk may take its time to let it in.
    let agent = tokio::select! {
        agent = Agent::open(options, start) => agent?,
        () = &mut stop => return Ok(()),
    };
    println!("answering");
    Ok(agent.run(stop).await?)
}

fn said(code: String) -> Result<String, ServerError> {
    if code == FROM_INPUT { parent::first_line().map_err(ServerError::NoCode) } else { Ok(code) }
}
