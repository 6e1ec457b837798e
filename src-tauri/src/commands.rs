//! One Tauri command for each command of the contract, from the contract's own list.
//!
//! One each, not a single dispatcher: only then does a capability decide for each by name. The client checks the
//! arguments against the command's type; here they only pass through.

use mecum_api::{CallError, Command};
use mecum_client::App;
use serde_json::Value;
use tauri::ipc::Invoke;
use tauri::{Runtime, State};

macro_rules! define_commands {
    ($($name:ident $command:ident,)*) => {
        $(
            #[tauri::command]
            async fn $name(app: State<'_, App>, args: Value) -> Result<Value, CallError> {
                app.call(<mecum_api::command::$command as Command>::NAME, args).await
            }
        )*

        /// What the window calls. A name that is not here, or that the window's capability lacks, is refused.
        pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$($name),*]
        }
    };
}

mecum_api::for_each_command!(define_commands);
