//! What the bridge was started for.

use std::path::PathBuf;

/// Shown when the command line does not say what to do.
pub(crate) const USAGE: &str = "\
mecum-bridge --profile DIR --port N [--server URL] [--ui DIR]
    serves the screens (default ui/dist) and POST /api/<command>; prints {\"url\", \"token\"}
mecum-bridge --profile DIR --make-demo [--seed N] [--server URL --code CODE]
    makes the demo vault in DIR; prints {\"passphrase\"}
mecum-bridge --profile DIR --import FILE [--server URL --code CODE]
    makes a new vault in DIR and brings FILE in; prints {\"passphrase\"}";

/// The seed of the demo family when none is named.
const SEED: u64 = 2026;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Serve on a loopback port; 0 takes a free one.
    Serve { port: u16, ui: PathBuf },
    /// Make the demo vault.
    Demo { seed: u64, code: Option<String> },
    /// Make a vault of one file.
    Import { file: PathBuf, code: Option<String> },
}

/// The command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The folder of the profile.
    pub(crate) profile: PathBuf,
    /// The server's address.
    pub(crate) server: Option<String>,
    /// What to do.
    pub(crate) task: Task,
}

impl Arguments {
    /// Reads a command line without the program's name.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let (mut profile, mut server, mut ui, mut code, mut file) = (None, None, None, None, None);
        let (mut port, mut seed, mut demo) = (None, SEED, false);
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--profile" => profile = Some(PathBuf::from(value()?)),
                "--server" => server = Some(value()?),
                "--ui" => ui = Some(PathBuf::from(value()?)),
                "--code" => code = Some(value()?),
                "--import" => file = Some(PathBuf::from(value()?)),
                "--port" => {
                    port = Some(value()?.parse::<u16>().map_err(|_| "--port wants a port".to_owned())?);
                }
                "--seed" => seed = value()?.parse().map_err(|_| "--seed wants a number".to_owned())?,
                "--make-demo" => demo = true,
                _ => return Err(format!("{word} is not known")),
            }
        }
        let task = match (port, demo, file) {
            (Some(port), false, None) => Task::Serve { port, ui: ui.unwrap_or_else(|| "ui/dist".into()) },
            (None, true, None) => Task::Demo { seed, code },
            (None, false, Some(file)) => Task::Import { file, code },
            _ => return Err("one of --port, --make-demo and --import is needed".into()),
        };
        Ok(Self { profile: profile.ok_or("--profile is needed")?, server, task })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn a_command_line_says_one_thing_to_do() {
        let serve = parse("--profile p --port 0 --server http://127.0.0.1:1").expect("a whole command line");
        assert_eq!(serve.task, Task::Serve { port: 0, ui: "ui/dist".into() }, "the usual screens");
        assert_eq!(serve.server.as_deref(), Some("http://127.0.0.1:1"), "the server is offered");
        let demo = parse("--profile p --make-demo --seed 7 --code c").expect("a whole command line");
        assert_eq!(demo.task, Task::Demo { seed: 7, code: Some("c".into()) }, "the demo of that seed");
        for wrong in
            ["--profile p", "--port 1", "--profile p --port 1 --import f", "--profile p --port x", "--what"]
        {
            assert!(parse(wrong).is_err(), "{wrong:?} is refused");
        }
    }
}
