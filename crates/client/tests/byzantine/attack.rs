//! One attack: what the server does, what must come of it, and which checks stand in its way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use mecum_client::Session;
use mecum_client::remote::Remote;
use mecum_client::testing::{Stopped, words_for};
use mecum_sync::limits::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES};
use mecum_sync::{SaidPush, SaidRequest, SyncRequest, SyncResponse, controls, decode, encode};

use crate::mitm::{Call, Liar, Mitm, Reply};
use crate::world::{Facts, Victim, World};

/// What the liar has to hand.
pub(crate) struct Evil {
    pub(crate) facts: Arc<Facts>,
    /// Another host, for redirects.
    pub(crate) elsewhere: String,
}

#[derive(Clone, Copy)]
pub(crate) enum Lie {
    /// None: the server is honest.
    None,
    /// Changes the answer to an exchange.
    Sync(fn(&Evil, &SyncRequest, &mut SyncResponse)),
    /// Keeps what is pushed from the relay, then changes the answer.
    Swallow(fn(&Evil, &SyncRequest, &mut SyncResponse)),
    /// Changes the answer to an exchange that is said in short forms.
    Said(fn(&Evil, &SaidRequest, &mut SyncResponse)),
    /// Keeps what is pushed from the relay, then changes the answer.
    SwallowSaid(fn(&Evil, &SaidRequest, &mut SyncResponse)),
    /// Keeps what is pushed from the relay where any of it is said short, then changes the answer.
    SwallowShort(fn(&Evil, &SaidRequest, &mut SyncResponse)),
    /// Changes any answer.
    Raw(fn(&Evil, &Call, &mut Reply)),
}

/// What must come of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// Nothing is taken: the typed error (how its text begins) and the sentence that the person sees.
    Refused(&'static str, &'static str),
    /// What is true in the answer is taken, and nothing else; then the typed error and the sentence.
    Said(&'static str, &'static str),
    /// The exchange ends well, and the vault is as if the lie had not been told, down to each row.
    PassedOver,
    /// The exchange ends well, and the record is as if the lie had not been told; what came is kept as evidence, or fetched in
    /// another way.
    PutAside,
    /// The same, and the device goes on to leave behind what came: its own entry takes the place that the liar had given away, and
    /// then the liar's order contradicts itself. The typed error and the sentence; every entry reads as if the lie had not been told.
    LeftBehind(&'static str, &'static str),
}

/// When a control counts as a success of the attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Won {
    /// The exchange ends without a word, and the vault is not what an honest server makes it.
    Changed,
    /// The exchange ends without a word.
    Unnoticed,
    /// The vault keeps something that an honest server would not have brought.
    Keeps,
    /// The record shows this.
    Shows(&'static str),
    /// It has no end.
    Restless,
    /// The client asks this of the liar.
    Asks(&'static str),
    /// The whole of an answer is read, whatever its size.
    Swallows,
    /// It goes to the other host.
    GoesElsewhere,
    /// A new device begins from what it is shown, and does not fetch the envelopes instead.
    Begins,
}

#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing about the victim")]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) victim: Victim,
    /// The victim has written something that the server does not have.
    pub(crate) writes: bool,
    /// The same, of the first entry of a space.
    pub(crate) founds: bool,
    /// It speaks in short forms.
    pub(crate) short: bool,
    /// The exchange is not one: the server is asked who it is.
    pub(crate) asks_who: bool,
    pub(crate) lie: Lie,
    pub(crate) verdict: Verdict,
    /// The checks that stand in its way; without them it succeeds.
    pub(crate) without: &'static [&'static str],
    pub(crate) won: Won,
}

pub(crate) const fn on(name: &'static str, lie: Lie, verdict: Verdict) -> Attack {
    Attack {
        name,
        victim: Victim::Tablet,
        writes: false,
        founds: false,
        short: false,
        asks_who: false,
        lie,
        verdict,
        without: &[],
        won: Won::Changed,
    }
}

struct Lying {
    evil: Evil,
    lie: Lie,
    asked: Mutex<Vec<String>>,
}

impl Liar for Lying {
    fn ask(&self, call: &mut Call) {
        let mut asked = self.asked.lock().expect("nobody panics");
        asked.push(call.path.clone());
        let Some(mut request) = said_of(call) else { return };
        if request.cursor == 0 && !request.from_snapshots {
            asked.push("all envelopes".to_owned());
        }
        let any_short = request.pushes.iter().any(|push| matches!(push, SaidPush::Short(_)));
        let swallows = match self.lie {
            Lie::Swallow(_) | Lie::SwallowSaid(_) => true,
            Lie::SwallowShort(_) => any_short,
            _ => false,
        };
        if swallows {
            request.pushes.clear();
            call.body = encode(&request);
        }
    }

    fn answer(&self, call: &Call, reply: &mut Reply) {
        let sync = match self.lie {
            Lie::None => return,
            Lie::Raw(lie) => return lie(&self.evil, call, reply),
            Lie::Said(lie) | Lie::SwallowSaid(lie) | Lie::SwallowShort(lie) => {
                let response = decode::<SyncResponse>(&reply.body, MAX_RESPONSE_BYTES);
                if let (Some(request), Ok(mut response)) = (said_of(call), response) {
                    lie(&self.evil, &request, &mut response);
                    reply.body = encode(&response);
                }
                return;
            }
            Lie::Sync(lie) | Lie::Swallow(lie) => lie,
        };
        let response = decode::<SyncResponse>(&reply.body, MAX_RESPONSE_BYTES);
        if let (Some(request), Ok(mut response)) = (request_of(call), response) {
            sync(&self.evil, &request, &mut response);
            reply.body = encode(&response);
        }
    }
}

fn said_of(call: &Call) -> Option<SaidRequest> {
    let is_sync = call.path == "/v1/sync";
    is_sync.then(|| decode(&call.body, MAX_REQUEST_BYTES).ok()).flatten()
}

/// A request that is said in full.
pub(crate) fn request_of(call: &Call) -> Option<SyncRequest> {
    let is_sync = call.path == "/v1/sync";
    is_sync.then(|| decode(&call.body, MAX_REQUEST_BYTES).ok()).flatten()
}

pub(crate) type Digest = BTreeMap<String, String>;

/// What came of an attack.
pub(crate) struct Seen {
    pub(crate) outcome: Result<(), Stopped>,
    pub(crate) message: Option<&'static str>,
    pub(crate) before: (Digest, Digest),
    /// The vault as it was when something stopped the exchange for the first time.
    pub(crate) stopped: Option<Digest>,
    pub(crate) end: (Digest, Digest),
    pub(crate) restless: bool,
    pub(crate) lies: u64,
    pub(crate) whole: u64,
    pub(crate) elsewhere: u64,
    pub(crate) asked: Vec<String>,
    /// The record after a last exchange with the relay itself; none if that does not end well.
    pub(crate) healed: Option<Digest>,
}

const KEY: &[u8; 32] = b"a key for the digests of vaults.";

fn look(session: &mut Session) -> (Digest, Digest) {
    (session.digest_for_tests(KEY).expect("reads"), session.fingerprint().expect("reads"))
}

impl World {
    /// Plays an attack against copies of the victim and of the server, with or without its checks.
    pub(crate) async fn play(&self, attack: &Attack, number: usize, checked: bool) -> Seen {
        let (server, folder) = self.server(number).await;
        let mitm = Mitm::start(server.address).await;
        let (elsewhere, hits) = other_host().await;
        let mut victim = self.victim(attack.victim, number, &mitm.url);
        if attack.writes {
            let words = vec![(mecum_domain::Field::Text, "written on the tablet".to_owned())];
            victim.session.add(self.chart, mecum_domain::Kind::Note, words).expect("a note is written");
        }
        if attack.founds {
            // Of a section that nothing else here is in.
            let substance = vec![(mecum_domain::Field::Substance, "penicillin".to_owned())];
            let kind = mecum_domain::Kind::AllergyIntolerance;
            assert!(victim.session.space_for_tests(self.chart, kind.section()).is_none(), "it is new");
            victim.session.add(self.chart, kind, substance).expect("a section is begun");
        }
        victim.short = attack.short;
        let before = look(&mut victim.session);
        let evil = Evil { facts: self.facts.clone(), elsewhere };
        let liar = Arc::new(Lying { evil, lie: attack.lie, asked: Mutex::default() });
        mitm.arm(Some(liar.clone()));
        let mut stopped = None;
        let outcome = {
            let _out = controls::take_out(if checked { &[] } else { attack.without });
            if attack.asks_who {
                Remote::server_info(&mitm.url).await.map(drop).map_err(Stopped::Remote)
            } else {
                let met = |session: &Session, _: &Stopped| stopped = session.digest_for_tests(KEY).ok();
                victim.exchange(met).await
            }
        };
        let end = look(&mut victim.session);
        let removed = victim.session.follower_for_tests().is_removed();
        let message = outcome.as_ref().err().and_then(|error| words_for(error, removed).1);
        let restless = std::mem::take(&mut victim.restless);
        mitm.arm(None);
        let healed = if checked && victim.exchange(|_, _| {}).await.is_ok() {
            victim.session.fingerprint().ok()
        } else {
            None
        };
        let lies = mitm.state.lies.load(Ordering::SeqCst);
        let whole = mitm.state.whole.load(Ordering::SeqCst);
        drop(mitm);
        server.stop().await;
        let _ = std::fs::remove_dir_all(folder);
        let asked = liar.asked.lock().expect("nobody panics").clone();
        let elsewhere = hits.load(Ordering::SeqCst);
        Seen { outcome, message, before, stopped, end, restless, lies, whole, elsewhere, asked, healed }
    }
}

/// A host that nobody has any business with.
async fn other_host() -> (String, Arc<AtomicU64>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let hits = Arc::new(AtomicU64::new(0));
    let counted = hits.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, hits)
}

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
        Won::Begins => seen.outcome.is_ok() && !seen.asked.iter().any(|asked| asked == "all envelopes"),
    }
}

fn differing(one: &Digest, other: &Digest) -> Vec<String> {
    let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}
