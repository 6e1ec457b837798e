//! When to stop, and what whoever started this process says to it: a code that is in no command line, and, by the end of standard
//! input, that it has ended itself.

use std::io::{self, BufRead as _, Read as _};

/// The first line of standard input.
pub(crate) fn first_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    match line.trim() {
        "" => Err(io::ErrorKind::UnexpectedEof.into()),
        line => Ok(line.to_owned()),
    }
}

/// Done on Ctrl-C or SIGTERM, and where it is supervised when standard input ends.
pub(crate) async fn asked_to_stop(supervised: bool) {
    if supervised {
        tokio::select! {
            () = signalled() => {}
            () = ended() => {}
        }
    } else {
        signalled().await;
    }
}

/// Done when standard input ends. A kill of whoever holds its other end is no exception: the system closes it.
async fn ended() {
    let (done, input_ended) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own: one of the runtime's would be waited for when this process ends.
    std::thread::spawn(move || {
        let mut rest = [0; 256];
        let mut input = io::stdin().lock();
        while !matches!(input.read(&mut rest), Ok(0) | Err(_)) {}
        drop(done);
    });
    let _ = input_ended.await;
}

async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without signals it runs until it is killed: nothing that was acknowledged is lost by that.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
