//! `mecum vault check FILE [--read-data]`: asks for the passphrase, prints what is wrong, and says so by the exit code.
//!
//! 0: everything is as it was written. 1: it could not be checked. 3: something is not as it was written.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use mecum_client::{AppOptions, check_vault};

/// The exit code for damage, as `mecum-server check` has it.
const DAMAGED: u8 = 3;

pub(crate) fn check(file: &Path, read_data: bool) -> ExitCode {
    let passphrase = match ask() {
        Ok(passphrase) => passphrase,
        Err(error) => {
            eprintln!("the passphrase could not be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let kdf = AppOptions::new(PathBuf::new()).kdf;
    match check_vault(file, &passphrase, read_data, kdf) {
        Ok(checked) if checked.problems.is_empty() => {
            println!(
                "sound: {} rows and {} envelopes are as they were written",
                checked.rows, checked.envelopes
            );
            ExitCode::SUCCESS
        }
        Ok(checked) => {
            for problem in &checked.problems {
                println!("{problem}");
            }
            println!(
                "{}: {} rows and {} envelopes looked at, {} things are not as they were written. Nothing was changed. Keep this file; \
                 another device of the account, or the server, may still have what is missing here.",
                file.display(),
                checked.rows,
                checked.envelopes,
                checked.problems.len()
            );
            ExitCode::from(DAMAGED)
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

/// The passphrase, from the first line of the input. On a terminal nothing that is typed is shown.
fn ask() -> std::io::Result<String> {
    let typed = stdin().is_terminal();
    if typed {
        write!(stderr(), "passphrase: ")?;
        stderr().flush()?;
        echo("-echo");
    }
    let mut line = String::new();
    let read = stdin().lock().read_line(&mut line);
    if typed {
        echo("echo");
        writeln!(stderr())?;
    }
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Switches the terminal's echo. Where there is no `stty`, what is typed is seen.
fn echo(how: &str) {
    let _ = Command::new("stty").arg(how).status();
}
