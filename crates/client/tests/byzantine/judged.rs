//! What came of an attack: whether it ended as it must, and whether it succeeded.

use mecum_client::testing::Stopped;

use crate::attack::{Attack, Digest, Seen, Verdict, Won};

/// How the typed verdict of an outcome reads.
pub(crate) fn typed(outcome: &Result<(), Stopped>) -> String {
    match outcome {
        Ok(()) => "ends well".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

/// The entries of a record, whichever document holds each.
fn entries(record: &Digest) -> Digest {
    let rows = record.iter().filter(|(name, _)| name.starts_with("row "));
    rows.map(|(name, row)| {
        let (before, rest) = row.split_once("document: ").unwrap_or((row, ""));
        let after = rest.split_once(", ").map_or("", |(_, after)| after);
        (name.clone(), format!("{before}{after}"))
    })
    .collect()
}

/// What is wrong with how an attack ended; nothing if all is as it must be.
pub(crate) fn wrong(attack: &Attack, seen: &Seen, honest: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    must(seen.lies > 0, "no lie was told".into());
    must(!seen.restless, "the exchange had no end".into());
    must(seen.healed_notice.is_none(), "a request that nobody made is still shown afterwards".into());
    match attack.verdict {
        Verdict::Refused(error, message) => {
            let said = typed(&seen.outcome);
            must(said.starts_with(error), format!("verdict {said}, expected {error}"));
            must(seen.message == Some(message), format!("says {:?}, expected {message}", seen.message));
            let same = seen.stopped.as_ref().unwrap_or(&seen.end.0);
            must(*same == seen.before.0, format!("the vault changed: {:?}", differing(same, &seen.before.0)));
            must(seen.end.1 == seen.before.1, "the record changed".into());
        }
        Verdict::Said(error, message) => {
            let said = typed(&seen.outcome);
            must(said.starts_with(error), format!("verdict {said}, expected {error}"));
            must(seen.message == Some(message), format!("says {:?}, expected {message}", seen.message));
            let differs = differing(&seen.end.1, &honest.end.1);
            must(differs.is_empty(), format!("the record is not the honest one: {differs:?}"));
        }
        Verdict::LeftBehind(error, message) => {
            let said = typed(&seen.outcome);
            must(said.starts_with(error), format!("verdict {said}, expected {error}"));
            must(seen.message == Some(message), format!("says {:?}, expected {message}", seen.message));
            let differs = differing(&entries(&seen.end.1), &entries(&honest.end.1));
            must(differs.is_empty(), format!("the entries are not the honest ones: {differs:?}"));
        }
        Verdict::PassedOver => {
            must(seen.outcome.is_ok(), format!("stopped: {}", typed(&seen.outcome)));
            let differs = differing(&seen.end.0, &honest.end.0);
            must(differs.is_empty(), format!("the vault is not the honest one: {differs:?}"));
        }
        Verdict::Warned(..) => {
            must(seen.outcome.is_ok(), format!("stopped: {}", typed(&seen.outcome)));
            let differs = differing(&seen.end.1, &honest.end.1);
            must(differs.is_empty(), format!("the record is not the honest one: {differs:?}"));
            let differs = differing(&seen.end.0, &honest.end.0);
            must(
                differs.iter().all(|row| row.contains("helpers-notice")),
                format!("more than a warning was kept: {differs:?}"),
            );
            let shown = seen.notice.as_ref();
            must(shown.is_some_and(|notice| notice.stopping), format!("what is shown: {shown:?}"));
        }
        Verdict::PutAside => {
            must(seen.outcome.is_ok(), format!("stopped: {}", typed(&seen.outcome)));
            let differs = differing(&seen.end.1, &honest.end.1);
            must(differs.is_empty(), format!("the record is not the honest one: {differs:?}"));
        }
    }
    if !attack.asks_who {
        match &seen.healed {
            None => must(false, "an honest exchange afterwards does not work".into()),
            Some(healed) if matches!(attack.verdict, Verdict::LeftBehind(..)) => {
                let differs = differing(&entries(healed), &entries(&honest.end.1));
                must(
                    differs.is_empty(),
                    format!("afterwards the entries are not the honest ones: {differs:?}"),
                );
            }
            Some(healed) => {
                must(*healed == honest.end.1, "afterwards the record is not the honest one".into());
            }
        }
    }
    wrong
}

/// Whether an attack succeeded.
pub(crate) fn won(attack: &Attack, seen: &Seen, honest: &Seen) -> bool {
    match attack.won {
        Won::Changed => seen.outcome.is_ok() && !seen.restless && seen.end.0 != honest.end.0,
        Won::Unnoticed => seen.outcome.is_ok(),
        Won::Keeps => seen.end.0.keys().any(|name| !honest.end.0.contains_key(name)),
        Won::Shows(text) => seen.end.1.values().any(|shown| shown.contains(text)),
        Won::Restless => seen.restless,
        Won::Asks(path) => seen.asked.iter().any(|asked| asked.starts_with(path)),
        Won::Swallows => seen.whole > 0,
        Won::GoesElsewhere => seen.elsewhere > 0,
        Won::Forgets => seen.notice.as_ref().is_some_and(|notice| !notice.stopping),
        Won::Begins => seen.outcome.is_ok() && !seen.asked.iter().any(|asked| asked == "all envelopes"),
    }
}

fn differing(one: &Digest, other: &Digest) -> Vec<String> {
    let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}
