//! Looks for what must be secret in the processes of a window: the eye of `tests/desktop/memory.mjs`, told what to do by lines
//! of JSON, each answered by one line.
//!
//! `{"profile": FOLDER, "passphrase": …, "texts": […], "long": […]}`: what is looked for from now on, with every key of the
//! vault in that folder, which nobody may have open; answers `{"needles": [NAME, …]}`.
//! `{"look": PID}`: looks in all processes that descend from that one; answers
//! `{"bytes": …, "processes": [{"process": PID, "name": …, "mebibytes": …}], "names": [NAME, …], "count": …, "places": [TEXT, …]}`,
//! at most forty of the places. `{"list": PID}` only says which processes there are.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[cfg(target_os = "linux")]
#[path = "../tests/memory/keys.rs"]
mod keys;

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    linux::answer();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::io::{BufRead, Write};
    use std::path::Path;
    use std::time::SystemTime;

    use mecum_faults::memory::{Dump, Needle};
    use mecum_seal::KdfParams;
    use serde_json::{Value, json};

    use super::keys::{keys, pieces};

    /// More would tell nobody more.
    const SHOWN: usize = 40;

    pub(super) fn answer() {
        let mut needles = Vec::new();
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let asked: Value = serde_json::from_str(&line).expect("a line is JSON");
            let number = |name: &str| asked[name].as_u64().map(|number| u32::try_from(number).unwrap());
            let answer = if let Some(process) = number("look") {
                look(process, &needles)
            } else if let Some(process) = number("list") {
                let one = |(process, name)| json!({ "process": process, "name": name });
                json!({ "processes": family(process).into_iter().map(one).collect::<Vec<_>>() })
            } else {
                needles = wanted(&asked);
                json!({ "needles": needles.iter().map(Needle::name).collect::<BTreeSet<_>>() })
            };
            let mut out = std::io::stdout().lock();
            writeln!(out, "{answer}").and_then(|()| out.flush()).expect("somebody listens");
        }
    }

    fn wanted(asked: &Value) -> Vec<Needle> {
        let profile = Path::new(asked["profile"].as_str().unwrap());
        let words = asked["passphrase"].as_str().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now_ms = i64::try_from(now.as_millis()).unwrap();
        let mut needles = keys(profile, words, KdfParams::default(), now_ms);
        needles.extend(Needle::text("the passphrase", words));
        let list = |name: &str| -> Vec<String> { serde_json::from_value(asked[name].clone()).unwrap() };
        needles.extend(list("texts").iter().flat_map(|text| Needle::text("something written", text)));
        needles.extend(list("long").iter().flat_map(|text| pieces(text).collect::<Vec<_>>()));
        needles
    }

    fn look(first: u32, needles: &[Needle]) -> Value {
        let (mut bytes, mut processes) = (0, Vec::new());
        let (mut names, mut places) = (BTreeSet::new(), Vec::new());
        for (process, name) in family(first) {
            // It ended while it was looked for.
            let Ok(dump) = Dump::resident(process) else { continue };
            let found = dump.search(needles);
            bytes += dump.len();
            names.extend(found.names().iter().cloned());
            places.extend(found.places.iter().map(|place| format!("{name} {process}: {place}")));
            processes.push(json!({ "process": process, "name": name, "mebibytes": dump.len() >> 20 }));
        }
        let count = places.len();
        places.truncate(SHOWN);
        json!({ "bytes": bytes, "processes": processes, "names": names, "count": count, "places": places })
    }

    /// All processes that descend from one, by number and name.
    fn family(first: u32) -> Vec<(u32, String)> {
        let all: Vec<(u32, u32, String)> = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let process = entry.file_name().to_str()?.parse().ok()?;
                let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
                let (before, after) = stat.rsplit_once(')')?;
                let parent = after.split_whitespace().nth(1)?.parse().ok()?;
                Some((process, parent, before.split_once('(')?.1.to_owned()))
            })
            .collect();
        let (mut family, mut parents) = (Vec::new(), vec![first]);
        while let Some(parent) = parents.pop() {
            for (process, _, name) in all.iter().filter(|(_, of, _)| *of == parent) {
                family.push((*process, name.clone()));
                parents.push(*process);
            }
        }
        family
    }
}
