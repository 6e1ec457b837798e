//! The command line: what is asked, or why it is not understood. It does nothing.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// How the program is called.
pub(crate) const USAGE: &str = "usage: mecum-server --data DIR --listen ADDRESS:PORT [--name NAME] [--proxy ADDRESS]
       mecum-server enrol --data DIR
       mecum-server backup --data DIR --to DIR
       mecum-server check --data DIR
       mecum-server restore --from DIR --data DIR [--replace]

  --data DIR       folder for the key and the database; made if it is not there
  --listen ADDR    address to answer on, such as 127.0.0.1:7400; port 0 takes any free port
  --name NAME      what the server calls itself
  --proxy ADDRESS  a proxy in front of this server, such as 127.0.0.1: whom it names in X-Forwarded-For is who asks;
                   may be given more than once
  enrol            prints a one-time code that admits one account; works while the server runs
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
    Serve { data: PathBuf, listen: SocketAddr, name: Option<String>, proxies: Vec<IpAddr> },
    /// For an enrolment code.
    Enrol { data: PathBuf },
    /// For a backup.
    Backup { data: PathBuf, to: PathBuf },
    /// To check a data folder or a backup.
    Check { data: PathBuf },
    /// To restore a backup.
    Restore { from: PathBuf, data: PathBuf, replace: bool },
    /// For help.
    Help,
}

/// A command line that is not understood; the text says why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}\n{USAGE}")]
pub(crate) struct NotUnderstood(String);

/// The options that each command takes: those with a value, and those without.
const COMMANDS: &[(&str, &[&str], &[&str])] = &[
    ("serve", &["--data", "--listen", "--name", "--proxy"], &[]),
    ("enrol", &["--data"], &[]),
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
    let command = arguments.next_if(|first| !first.starts_with('-') && first != "serve");
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
            "enrol" => Asked::Enrol { data },
            "backup" => Asked::Backup { data, to: self.needed("--to")?.into() },
            "check" => Asked::Check { data },
            "restore" => {
                let replace = self.flags.iter().any(|flag| flag == "--replace");
                Asked::Restore { from: self.needed("--from")?.into(), data, replace }
            }
            _ => {
                let listen = self.needed("--listen")?.parse().map_err(|_| {
                    NotUnderstood("--listen takes an address and a port, such as 127.0.0.1:7400".to_owned())
                })?;
                let proxies = self.all("--proxy").map(str::parse).collect::<Result<_, _>>();
                let proxies = proxies.map_err(|_| {
                    NotUnderstood("--proxy takes an address without a port, such as 127.0.0.1".to_owned())
                })?;
                let name = self.all("--name").next().map(str::to_owned);
                Asked::Serve { data, listen, name, proxies }
            }
        })
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn needed(&self, name: &str) -> Result<&str, NotUnderstood> {
        self.all(name).next().ok_or_else(|| NotUnderstood(format!("{name} is missing")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Asked, NotUnderstood> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_say_what_to_do() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let local = IpAddr::from([127, 0, 0, 1]);
        let serve = |proxies| Asked::Serve { data: "d".into(), listen, name: None, proxies };
        let restore = |replace| Asked::Restore { from: "b".into(), data: "d".into(), replace };
        let cases = [
            ("--data d --listen 127.0.0.1:0", serve(vec![])),
            ("--data d --listen 127.0.0.1:0 --proxy 127.0.0.1", serve(vec![local])),
            (
                "--proxy 127.0.0.1 --proxy ::1 --data d --listen 127.0.0.1:0",
                serve(vec![local, [0, 0, 0, 0, 0, 0, 0, 1u16].into()]),
            ),
            ("enrol --data d", Asked::Enrol { data: "d".into() }),
            ("backup --data d --to b", Asked::Backup { data: "d".into(), to: "b".into() }),
            ("check --data d", Asked::Check { data: "d".into() }),
            ("restore --from b --data d", restore(false)),
            ("restore --from b --replace --data d", restore(true)),
            ("backup --help", Asked::Help),
        ];
        for (line, asked) in cases {
            assert_eq!(parsed(line), Ok(asked), "{line:?}");
        }
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
            "--data d --listen 127.0.0.1:0 --proxy 127.0.0.1:80",
            "enrol --data d --listen 127.0.0.1:0",
            "backup --data d",
            "restore --from b",
            "restore --from b --data d --replace --replace",
            "check --data d --replace",
            "serve --data d",
            "start --data d",
            "--data",
        ] {
            let refused = parsed(line).expect_err("refused");
            assert!(refused.to_string().contains("usage:"), "usage is printed for {line:?}");
        }
    }
}
