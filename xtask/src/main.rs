//! `cargo xtask`: every chore of the workspace under one command, so that a person and the automatic run do the same.
//!
//! It knows how to build, start and check the product. It knows nothing of what the product is about: it speaks to
//! the crates through their binaries, never by linking them.

mod api_docs;
mod bench;
mod checks;
mod claims;
mod demo;
mod dev;
mod layers;
mod named;
mod process;
mod proof;
mod ring;
mod run;
mod schema;
mod scratch;
mod setup;
mod shots;
mod test;
mod ui;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  setup                 install what this machine lacks (system packages, wasm target, test tools)
  run [--import FILE] [--profile DIR]
                        build everything, start a server on loopback, open the app
  test [--only PART]    every test; PART is one of: checks, core, browser, window
  ui [--release | --fake]
                        build the web part into ui/dist; --fake answers itself, for looking at pages
  dev                   rebuild the web part on change and serve it through the bridge
  shots [NAME]          pictures of every screen, size, theme and language into target/shots
  bench                 measure, into target/bench/report.json
  proof [--nightly] [--shard i/n] [--only TEST,TEST] [--seed N]
                        every harness of docs/proof.md at its figure, into target/proof/report.json;
                        with --table it only writes that page's table anew
  schema                write docs/schema.sql
  api-docs              write docs/api.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("", [].as_slice()),
    };
    let outcome = workspace::Workspace::find().and_then(|workspace| match command {
        "setup" => setup::everything(&workspace),
        "run" => run::run(&workspace, rest),
        "test" => test::test(&workspace, rest),
        "ui" => ui::build(&workspace, ui::Kind::of(rest)),
        "dev" => dev::dev(&workspace),
        "shots" => shots::shots(&workspace, rest),
        "bench" => bench::bench(&workspace),
        "proof" => proof::proof(&workspace, rest),
        "schema" => schema::write(&workspace),
        "api-docs" => api_docs::write(&workspace),
        _ => Err(USAGE.to_owned()),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The value after `flag`, as in `--profile DIR`.
fn flag_value<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == flag)?;
    arguments.get(at + 1).map(String::as_str)
}
