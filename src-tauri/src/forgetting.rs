//! What the window remembers of an open record, and how it forgets that at a lock.
//!
//! Pages, what was typed into their fields and what was shown in them are in the memory of the browser part, which frees it
//! when it likes and wipes nothing. So at each lock, by whoever it came, the process that held the page is ended, and another
//! one begins with the page of a locked vault. The system hands a dead process's memory to nobody before it is empty.

use mecum_client::App;
use tauri::{AppHandle, Manager, Runtime, WebviewWindow};

/// Waits for locks beside the window, for as long as the app runs.
pub(crate) fn at_each_lock<R: Runtime>(app: &AppHandle<R>, client: App) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut locks = 0;
        loop {
            locks = client.locked_after(locks).await;
            app.webview_windows().values().for_each(forget);
        }
    });
}

/// Gives the window a page that knows nothing. The address stays: it holds ids, and the page after the next unlock is the same.
fn forget<R: Runtime>(window: &WebviewWindow<R>) {
    #[cfg(target_os = "linux")]
    let done = window.with_webview(|view| {
        use webkit2gtk::WebViewExt;

        let view = view.inner();
        view.terminate_web_process();
        view.reload();
    });
    // Elsewhere the process stays, and with it whatever it has freed.
    #[cfg(not(target_os = "linux"))]
    let done = window.reload();
    if done.is_err() {
        eprintln!("the window keeps the page that it had before the lock");
    }
}
