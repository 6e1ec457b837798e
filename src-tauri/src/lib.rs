//! The shell: one window, and one Tauri command for each command of the contract.
//!
//! It knows where the profile is and how to start; it has no business logic and sees no key.

mod arguments;
mod checking;
mod commands;
mod environment;
mod forgetting;

use std::process::ExitCode;

use mecum_client::{App, AppOptions};
use tauri::{AppHandle, Builder, Context, Manager, RunEvent, Runtime};

use arguments::{Arguments, Asked};
use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped: keys and words of a record pass through many buffers that nobody can wipe one by one.
#[global_allocator]
static MEMORY: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

/// Starts the app on a desktop; gives the program's exit code when the last window closes.
pub fn start() -> ExitCode {
    mecum_client::say_only_where_it_broke();
    let arguments = match Asked::read(std::env::args_os().skip(1)) {
        Ok(Asked::Window(arguments)) => arguments,
        Ok(Asked::CheckVault { file, read_data }) => return checking::check(&file, read_data),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    environment::begin_again_with_it();
    run(arguments)
}

/// Where a phone's operating system begins.
#[cfg(mobile)]
#[tauri::mobile_entry_point]
fn start_on_phone() {
    mecum_client::say_only_where_it_broke();
    let _ = run(Arguments::default());
}

fn run(arguments: Arguments) -> ExitCode {
    let builder = with_commands(Builder::default()).setup(move |app| {
        let is_usual = cfg!(desktop) && arguments.profile.is_none();
        let profile = match arguments.profile {
            Some(folder) => folder,
            None => app.path().app_data_dir()?,
        };
        std::fs::create_dir_all(&profile)?;
        let mut options = AppOptions { server: arguments.server, ..AppOptions::new(profile) };
        // Where a person finds them, and copies them from; a profile of its own keeps its own.
        if is_usual && let Ok(documents) = app.path().document_dir() {
            options.backups = documents.join("Mecum backups");
        }
        let client = open(options);
        forgetting::at_each_lock(app.handle(), client.clone());
        app.manage(client);
        Ok(())
    });
    match builder.build(context()) {
        Ok(app) => {
            app.run(lock_at_exit);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Keys leave memory and the database folds its log in, however the window was closed.
fn lock_at_exit<R: Runtime>(app: &AppHandle<R>, event: RunEvent) {
    if let (RunEvent::Exit, Some(client)) = (event, app.try_state::<App>())
        && tauri::async_runtime::block_on(client.vault_lock(())).is_err()
    {
        eprintln!("the vault was not locked in order; it checks itself when it is opened next");
    }
}

/// Opens the client on the shell's runtime, where its tasks go on beside the window.
pub fn open(options: AppOptions) -> App {
    tauri::async_runtime::block_on(async move { App::open(options) })
}

/// The configuration, the interface's files and the capabilities, as they were when the program was built.
pub fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!()
}

/// The same commands for the real window and for the tests' mock of one.
pub fn with_commands<R: Runtime>(builder: Builder<R>) -> Builder<R> {
    builder.invoke_handler(commands::handler())
}
