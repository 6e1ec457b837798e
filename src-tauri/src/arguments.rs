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

const USAGE: &str = "usage: mecum [--profile DIR] [--server URL]";

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
        Arguments::read(given.iter().map(OsString::from))
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
