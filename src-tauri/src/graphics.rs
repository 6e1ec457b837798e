//! WebKitGTK shows an empty window with some graphics drivers unless its DMA-BUF renderer is off
//! (tauri-apps/tauri#9304), and it reads that from the environment before the first window.

/// Starts this program anew with `WEBKIT_DISABLE_DMABUF_RENDERER=1` if it is unset, in the same process. Changing the
/// environment of a running program is unsafe, so it begins again instead.
pub(crate) fn restart_with_safe_rendering() {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;

        const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
        if std::env::var_os(SWITCH).is_some() {
            return;
        }
        let Ok(program) = std::env::current_exe() else { return };
        // Comes back only if it could not start; then the app goes on as it is.
        let error =
            std::process::Command::new(program).args(std::env::args_os().skip(1)).env(SWITCH, "1").exec();
        eprintln!("starting again with {SWITCH}=1: {error}");
    }
}
