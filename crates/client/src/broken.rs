//! What is said of a panic, and what it ends. Its own words may hold what it was working on, and that is somebody's record: only its
//! place is said.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use mecum_api::{CallError, Code};

/// Makes every panic of this process say where it was, and nothing else. For programs, at their start.
pub fn say_only_where_it_broke() {
    std::panic::set_hook(Box::new(|panic| say(&words(panic))));
}

/// Says a line to whoever looks. That nobody can be told (a closed terminal, a full disk) is no reason to break: `eprintln!` would.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn words(panic: &PanicHookInfo<'_>) -> String {
    match panic.location() {
        Some(place) => format!("mecum: a step broke at {}:{}", place.file(), place.line()),
        None => "mecum: a step broke".to_owned(),
    }
}

/// What a command answers that met one: a defect here, and nothing was told to be saved.
pub(crate) fn internal() -> CallError {
    CallError::new(Code::Internal, "error-internal")
}

/// What `work` answers; nothing if it panicked. For work that changes nothing which anybody looks at afterwards: what is shared and
/// half changed by a panic is opened anew instead ([`crate::app::Inner::open_session`]).
pub(crate) fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
