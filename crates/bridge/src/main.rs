//! The development shell: the same commands as the app's, over loopback HTTP, so that the real screens run in a browser and
//! tests drive the product without a window. Never shipped: a token in an address is no door for somebody's health.

mod arguments;
mod base64;
mod demo;
mod files;
mod import;
mod serve;

use std::process::ExitCode;

use arguments::{Arguments, Task};
use mecum_api::{CallError, Code, Command};
use mecum_client::{App, AppOptions};

/// The bridge could not do what it was started for.
#[derive(Debug, thiserror::Error)]
enum BridgeError {
    /// The command line does not say what to do.
    #[error("{0}\n\n{usage}", usage = arguments::USAGE)]
    Usage(String),
    /// The port is taken, or a file cannot be read.
    #[error("{what}: {source}")]
    Io {
        what: &'static str,
        #[source]
        source: std::io::Error,
    },
    /// A command was refused.
    #[error("{} refused: {} {:?}", .0, .1.message_id, .1.args)]
    Refused(&'static str, CallError),
    /// An import ended without keeping the file.
    #[error("the file was not kept")]
    NotKept,
}

/// Calls a command as a screen does: by its name, as JSON.
async fn call<C: Command>(app: &App, args: C::Args) -> Result<C::Output, BridgeError> {
    let odd = |_| BridgeError::Refused(C::NAME, CallError::new(Code::Internal, "error-internal"));
    let args = serde_json::to_value(args).map_err(odd)?;
    let answer = app.call(C::NAME, args).await.map_err(|error| BridgeError::Refused(C::NAME, error))?;
    serde_json::from_value(answer).map_err(odd)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mecum-bridge: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), BridgeError> {
    let arguments = Arguments::parse(std::env::args().skip(1)).map_err(BridgeError::Usage)?;
    let mut options = AppOptions::new(arguments.profile.clone());
    options.server.clone_from(&arguments.server);
    let app = App::open(options.clone());
    match arguments.task {
        Task::Serve { port, ui } => serve::serve(app, &options, port, ui).await,
        Task::Demo { seed, code } => demo::make(&app, &options, seed, arguments.server.zip(code)).await,
        Task::Import { file, code } => import::into_new_vault(&app, &file, arguments.server.zip(code)).await,
    }
}
