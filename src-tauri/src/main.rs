//! The app's program: everything is in the library, because phones start that.

// A console window beside the app would be noise on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    mecum_lib::start()
}
