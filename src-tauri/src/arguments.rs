//! What may be said on the command line: where the profile is, and which server it talks to.
//!
//! There is deliberately nothing here that changes how a record is sealed.

use std::ffi::OsString;
use std::path::PathBuf;

/// The arguments as read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The profile's folder; without it, the operating system's place for the app's data.
    pub(crate) profile: Option<PathBuf>,
    /// The server's address, for a profile that is not connected yet.
    pub(crate) server: Option<String>,
}

/// What the program is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Open the window.
    Window(Arguments),
    /// Check a vault's file.
    CheckVault {
        /// The file.
        file: PathBuf,
        /// Open every row too.
        read_data: bool,
    },
}

const USAGE: &str = "usage: mecum [--profile DIR] [--server URL]
       mecum vault check FILE [--read-data]     (the passphrase is asked for, or read from the input's first line)";

impl Asked {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// The usage text, if there is anything else.
    pub(crate) fn read(given: impl Iterator<Item = OsString>) -> Result<Self, &'static str> {
        let given: Vec<OsString> = given.collect();
        let words: Vec<Option<&str>> = given.iter().map(|word| word.to_str()).collect();
        match (words.as_slice(), given.get(2)) {
            ([Some("vault"), Some("check"), _], Some(file)) => {
                Ok(Asked::CheckVault { file: file.into(), read_data: false })
            }
            ([Some("vault"), Some("check"), _, Some("--read-data")], Some(file)) => {
                Ok(Asked::CheckVault { file: file.into(), read_data: true })
            }
            ([Some("vault"), ..], _) => Err(USAGE),
            _ => Arguments::read(given.into_iter()).map(Asked::Window),
        }
    }
}

impl Arguments {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// The usage text, if there is anything else.
    pub(crate) fn read(mut given: impl Iterator<Item = OsString>) -> Result<Self, &'static str> {
        let mut arguments = Self::default();
        while let Some(name) = given.next() {
            match name.to_str() {
                Some("--profile") => arguments.profile = Some(given.next().ok_or(USAGE)?.into()),
                Some("--server") => {
                    arguments.server = Some(given.next().ok_or(USAGE)?.into_string().map_err(|_| USAGE)?);
                }
                _ => return Err(USAGE),
            }
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[&str]) -> Result<Arguments, &'static str> {
        match Asked::read(given.iter().map(OsString::from))? {
            Asked::Window(arguments) => Ok(arguments),
            Asked::CheckVault { .. } => Err("a check"),
        }
    }

    #[test]
    fn a_check_names_its_file_and_nothing_else() {
        let asked = |given: &[&str]| Asked::read(given.iter().map(OsString::from));
        let file = PathBuf::from("v.sqlite");
        let whole = asked(&["vault", "check", "v.sqlite", "--read-data"]);
        assert_eq!(whole, Ok(Asked::CheckVault { file: file.clone(), read_data: true }));
        let quick = asked(&["vault", "check", "v.sqlite"]);
        assert_eq!(quick, Ok(Asked::CheckVault { file, read_data: false }));
        for given in
            [&["vault"][..], &["vault", "check"], &["vault", "mend", "v"], &["vault", "check", "v", "--mend"]]
        {
            assert_eq!(asked(given), Err(USAGE), "{given:?} has no meaning");
        }
    }

    #[test]
    fn profile_and_server_are_taken_in_any_order() {
        let expected = Arguments { profile: Some("p".into()), server: Some("http://127.0.0.1:1".to_owned()) };
        assert_eq!(
            read(&["--server", "http://127.0.0.1:1", "--profile", "p"]),
            Ok(expected),
            "both are known"
        );
        assert_eq!(read(&[]), Ok(Arguments::default()), "neither is needed");
    }

    #[test]
    fn anything_else_is_refused() {
        for given in [&["--no-seal"][..], &["--profile"], &["file"]] {
            assert_eq!(read(given), Err(USAGE), "{given:?} has no meaning");
        }
    }
}
