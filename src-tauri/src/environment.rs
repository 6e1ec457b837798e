//! What the system's libraries read from the environment before the program begins: they are told to draw safely, and to
//! wipe memory that they give back.
//!
//! What a page asks and is answered passes through the window's own process in buffers of WebKit, GLib and the C library,
//! which none of our code can wipe. `Malloc` tells WebKit to take its memory from the C library like the others
//! (WebKit's `bmalloc/Environment.cpp`), and the C library overwrites what is freed if it is asked to (`mallopt(3)`, `M_PERTURB`);
//! its cache per thread, which it hands out again without doing so, is off.

/// WebKitGTK shows an empty window with some graphics drivers unless its DMA-BUF renderer is off (tauri-apps/tauri#9304).
const GRAPHICS: (&str, &str) = ("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
const ONE_MEMORY: (&str, &str) = ("Malloc", "1");
const TUNABLES: &str = "GLIBC_TUNABLES";
const WIPES: &str = "glibc.malloc.perturb=90:glibc.malloc.tcache_count=0";
const WIPES_BY: &str = "glibc.malloc.perturb";

/// Starts this program anew, in the same process, with what is not set yet. Changing the environment of a running program is
/// unsafe, and too late for the C library, so it begins again instead.
pub(crate) fn begin_again_with_it() {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;

        let lacking =
            lacking(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()));
        let Ok(program) = std::env::current_exe() else { return };
        if lacking.is_empty() {
            return;
        }
        // Comes back only if it could not start; then the app goes on as it is.
        let error =
            std::process::Command::new(program).args(std::env::args_os().skip(1)).envs(lacking).exec();
        eprintln!("starting again with another environment: {error}");
    }
}

/// What is to be set. What the person set stays: nothing is asked for twice, or the program would begin for ever.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "these are the libraries of one system"))]
fn lacking(set: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
    let mut lacking: Vec<(&'static str, String)> = [GRAPHICS, ONE_MEMORY]
        .into_iter()
        .filter(|(name, _)| set(name).is_none())
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    match set(TUNABLES) {
        Some(theirs) if theirs.contains(WIPES_BY) => {}
        Some(theirs) if !theirs.is_empty() => lacking.push((TUNABLES, format!("{theirs}:{WIPES}"))),
        _ => lacking.push((TUNABLES, WIPES.to_owned())),
    }
    lacking
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_not_set_is_set_once_and_what_a_person_set_stays() {
        let mut set = BTreeMap::from([
            ("WEBKIT_DISABLE_DMABUF_RENDERER", "0".to_owned()),
            ("GLIBC_TUNABLES", "glibc.malloc.check=1".to_owned()),
        ]);
        let asked = lacking(|name| set.get(name).cloned());
        let wipes = format!("glibc.malloc.check=1:{WIPES}");
        assert_eq!(asked, [("Malloc", "1".to_owned()), ("GLIBC_TUNABLES", wipes)], "theirs goes on counting");
        set.extend(asked);
        assert_eq!(lacking(|name| set.get(name).cloned()), [], "the second beginning is the last");
        let all: Vec<&str> = lacking(|_| None).into_iter().map(|(name, _)| name).collect();
        assert_eq!(all, ["WEBKIT_DISABLE_DMABUF_RENDERER", "Malloc", "GLIBC_TUNABLES"], "on any other day");
    }
}
