//! The command line: what is asked, or why it is not understood. It does nothing.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// How the program is called.
pub(crate) const USAGE: &str = "usage: mecum-server --data DIR --listen ADDRESS:PORT [--name NAME] [--proxy ADDRESS]
       mecum-server --data DIR --listen ADDRESS:PORT --hospital DIR --directory FILE [--language TAG]
                    [--join CODE | --found NAME] [--name NAME] [--proxy ADDRESS]
       mecum-server relay --data DIR --listen ADDRESS:PORT [--name NAME] [--proxy ADDRESS] [--supervised]
       mecum-server hospital --data DIR --directory FILE [--language TAG] [--server URL]
                    [--join CODE | --found NAME --code CODE] [--supervised]
       mecum-server enrol --data DIR [--hospital]
       mecum-server backup --data DIR --to DIR
       mecum-server check --data DIR
       mecum-server restore --from DIR --data DIR [--replace]

  --data DIR       folder for the key and the database; made if it is not there
  --listen ADDR    address to answer on, such as 127.0.0.1:7400; port 0 takes any free port
  --name NAME      what the server calls itself
  --proxy ADDRESS  a proxy in front of this server, such as 127.0.0.1: whom it names in X-Forwarded-For is who asks;
                   may be given more than once
  --hospital DIR   also answers for a hospital, whose folder that is: relay and hospital run as two processes, which end
                   with this one and are started again when they end
  relay            the server alone
  hospital         a hospital's program alone: it receives what patients say, books, and says what is gone
  --directory FILE what the hospital publishes, as JSON: read again when it changes
  --language TAG   in which of the directory's languages the program writes, such as id; en if it is not given
  --server URL     the server that the program speaks with; it is kept with the account
  --join CODE      the first time: the code that a desk of the hospital shows; - reads it from standard input
  --found NAME     the first time, where there is no desk: founds the account, which has no recovery kit then
  --code CODE      the enrolment code to found it with; - reads it from standard input
  --supervised     ends when standard input is closed, with whoever started it
  enrol            prints a one-time code that admits one account; works while the server runs. With --hospital the
                   account may also publish what everybody can read
  backup           copies key and database, also while the server runs; made in DIR under a name with the time if DIR
                   is there, as DIR if it is not
  check            reads everything in a data folder or a backup and says what is wrong; changes nothing
  restore          verifies a backup and puts it into the data folder of a server that does not run
  --replace        restores over what is there, which is put aside

exit codes: 0 done, 1 not done, 2 not understood, 3 something is wrong in what was checked";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To serve.
    Serve {
        relay: RelayAsked,
        /// The hospital beside it, as a process of its own.
        hospital: Option<HospitalAsked>,
        supervised: bool,
    },
    /// To answer for a hospital.
    Hospital { hospital: HospitalAsked, server: Option<String>, code: Option<String>, supervised: bool },
    /// For an enrolment code.
    Enrol { data: PathBuf, host: bool },
    /// For a backup.
    Backup { data: PathBuf, to: PathBuf },
    /// To check a data folder or a backup.
    Check { data: PathBuf },
    /// To restore a backup.
    Restore { from: PathBuf, data: PathBuf, replace: bool },
    /// For help.
    Help,
}

/// How to serve.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RelayAsked {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) name: Option<String>,
    pub(crate) proxies: Vec<IpAddr>,
}

/// For which hospital to answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HospitalAsked {
    pub(crate) data: PathBuf,
    pub(crate) directory: PathBuf,
    pub(crate) language: Option<String>,
    pub(crate) account: Account,
}

/// Whose account it answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The one that is in its folder.
    Here,
    /// That of a desk, by the code that it shows.
    Join(String),
    /// A new one, by the hospital's name.
    Found(String),
}

/// A command line that is not understood; the text says why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}\n{USAGE}")]
pub(crate) struct NotUnderstood(String);

/// The options that each command takes: those with a value, and those without.
const COMMANDS: &[(&str, &[&str], &[&str])] = &[
    (
        "serve",
        &[
            "--data",
            "--listen",
            "--name",
            "--proxy",
            "--hospital",
            "--directory",
            "--language",
            "--join",
            "--found",
        ],
        &[],
    ),
    ("relay", &["--data", "--listen", "--name", "--proxy"], &["--supervised"]),
    (
        "hospital",
        &["--data", "--directory", "--language", "--server", "--join", "--found", "--code"],
        &["--supervised"],
    ),
    ("enrol", &["--data"], &["--hospital"]),
    ("backup", &["--data", "--to"], &[]),
    ("check", &["--data"], &[]),
    ("restore", &["--from", "--data"], &["--replace"]),
];

/// The options of one command line.
struct Given {
    values: Vec<(String, String)>,
    flags: Vec<String>,
}

/// Reads a command line, without the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Asked, NotUnderstood> {
    let mut arguments = arguments.peekable();
    let command = arguments.next_if(|first| !first.starts_with('-'));
    let command = command.as_deref().unwrap_or("serve");
    let Some((_, with_value, without)) = COMMANDS.iter().find(|(name, ..)| *name == command) else {
        return Err(NotUnderstood(format!("unknown command: {command}")));
    };
    let mut given = Given { values: Vec::new(), flags: Vec::new() };
    while let Some(argument) = arguments.next() {
        let name = argument.as_str();
        if name == "--help" || name == "-h" {
            return Ok(Asked::Help);
        }
        let again = given.values.iter().any(|(known, _)| known == name)
            || given.flags.iter().any(|known| known == name);
        if again && name != "--proxy" {
            return Err(NotUnderstood(format!("{name} is given twice")));
        }
        if without.contains(&name) {
            given.flags.push(argument);
        } else if with_value.contains(&name) {
            let value = arguments.next().ok_or_else(|| NotUnderstood(format!("{name} needs a value")))?;
            given.values.push((argument, value));
        } else {
            return Err(NotUnderstood(format!("unknown argument: {name}")));
        }
    }
    given.asked(command)
}

impl Given {
    fn asked(&self, command: &str) -> Result<Asked, NotUnderstood> {
        let data = PathBuf::from(self.needed("--data")?);
        Ok(match command {
            "enrol" => Asked::Enrol { data, host: self.is_flagged("--hospital") },
            "backup" => Asked::Backup { data, to: self.needed("--to")?.into() },
            "check" => Asked::Check { data },
            "restore" => {
                let replace = self.is_flagged("--replace");
                Asked::Restore { from: self.needed("--from")?.into(), data, replace }
            }
            "hospital" => self.hospital_alone(data)?,
            _ => {
                let relay = self.relay(data)?;
                let hospital = self.hospital_beside(relay.listen)?;
                Asked::Serve { relay, hospital, supervised: self.is_flagged("--supervised") }
            }
        })
    }

    fn relay(&self, data: PathBuf) -> Result<RelayAsked, NotUnderstood> {
        let listen = self.needed("--listen")?.parse().map_err(|_| {
            NotUnderstood("--listen takes an address and a port, such as 127.0.0.1:7400".to_owned())
        })?;
        let proxies = self.all("--proxy").map(str::parse).collect::<Result<_, _>>();
        let proxies = proxies.map_err(|_| {
            NotUnderstood("--proxy takes an address without a port, such as 127.0.0.1".to_owned())
        })?;
        Ok(RelayAsked { data, listen, name: self.one("--name"), proxies })
    }

    fn hospital_beside(&self, listen: SocketAddr) -> Result<Option<HospitalAsked>, NotUnderstood> {
        let Some(data) = self.one("--hospital") else {
            let without = ["--directory", "--language", "--join", "--found"];
            return match without.into_iter().find(|name| self.one(name).is_some()) {
                Some(name) => Err(NotUnderstood(format!("{name} is for a server with --hospital"))),
                None => Ok(None),
            };
        };
        // The two speak in clear, so they do it on this machine alone.
        if !listen.ip().is_loopback() && !listen.ip().is_unspecified() {
            let why = "--hospital needs a --listen that this machine reaches, such as 127.0.0.1:7400";
            return Err(NotUnderstood(why.to_owned()));
        }
        self.hospital(data.into()).map(Some)
    }

    fn hospital_alone(&self, data: PathBuf) -> Result<Asked, NotUnderstood> {
        let hospital = self.hospital(data)?;
        let (server, code) = (self.one("--server"), self.one("--code"));
        match hospital.account {
            Account::Found(_) if server.is_none() || code.is_none() => {
                return Err(NotUnderstood("--found needs --server and --code".to_owned()));
            }
            Account::Here | Account::Join(_) if code.is_some() => {
                return Err(NotUnderstood("--code is for --found".to_owned()));
            }
            Account::Here if server.is_some() => {
                return Err(NotUnderstood("--server is for --found and --join".to_owned()));
            }
            _ => {}
        }
        Ok(Asked::Hospital { hospital, server, code, supervised: self.is_flagged("--supervised") })
    }

    fn hospital(&self, data: PathBuf) -> Result<HospitalAsked, NotUnderstood> {
        let account = match (self.one("--join"), self.one("--found")) {
            (None, None) => Account::Here,
            (Some(code), None) => Account::Join(code),
            (None, Some(name)) => Account::Found(name),
            (Some(_), Some(_)) => {
                return Err(NotUnderstood("an account is joined or founded: give one of the two".to_owned()));
            }
        };
        let directory = self.needed("--directory")?.into();
        Ok(HospitalAsked { data, directory, language: self.one("--language"), account })
    }

    fn is_flagged(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag == name)
    }

    fn one(&self, name: &str) -> Option<String> {
        self.all(name).next().map(str::to_owned)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn needed(&self, name: &str) -> Result<&str, NotUnderstood> {
        self.all(name).next().ok_or_else(|| NotUnderstood(format!("{name} is missing")))
    }
}

#[cfg(test)]
mod tests;
