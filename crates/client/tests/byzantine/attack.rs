//! One attack: what the server does, what must come of it, and which checks stand in its way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use mecum_api::{HelpersNoticeView, SyncPhase};
use mecum_client::Session;
use mecum_client::remote::Remote;
use mecum_client::testing::{Stopped, words_for};
use mecum_domain::Section;
use mecum_sync::limits::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES};
use mecum_sync::{SaidPush, SaidRequest, SyncRequest, SyncResponse, controls, decode, encode};

use crate::around;
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
    /// The exchange ends well, and everything is as if the lie had not been told, but that the person is told of a request, with the
    /// sentence: nobody can prove that it was made, nor that it was not.
    Warned(&'static str),
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
    /// What the person has stopped stands again, as if they had not.
    Forgets,
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
    /// The person has stopped a request by helpers, and the server has not heard of it.
    pub(crate) stops: bool,
    /// It goes on some days longer than everybody else: what was shared until a date is over.
    pub(crate) later: bool,
    /// It waits seconds for an answer where others wait a minute.
    pub(crate) impatient: bool,
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
        stops: false,
        later: false,
        impatient: false,
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
    /// What stands first on home.
    pub(crate) notice: Option<HelpersNoticeView>,
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
    /// What stands first on home after it.
    pub(crate) healed_notice: Option<HelpersNoticeView>,
    /// With how many people the section is shared at the end that is shared until a date.
    pub(crate) guests: usize,
}

pub(crate) const KEY: &[u8; 32] = b"a key for the digests of vaults.";

fn look(session: &mut Session) -> (Digest, Digest) {
    (session.digest_for_tests(KEY).expect("reads"), session.fingerprint().expect("reads"))
}

impl World {
    /// Plays an attack against copies of the victim and of the server, with or without its checks.
    pub(crate) async fn play(&self, attack: &Attack, number: usize, checked: bool) -> Seen {
        let (server, folder) = self.server(attack.victim, number).await;
        let mitm = Mitm::start(server.address).await;
        let (elsewhere, hits) = other_host().await;
        let mut victim = self.victim(attack, number, &mitm.url);
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
        if attack.stops {
            victim.session.stop_request_for_tests(around::request(1, 0));
        }
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
                if attack.later {
                    // It has heard the server once when the day comes.
                    victim.exchange(|_, _| {}).await.expect("nothing is over yet");
                    victim.lives_on();
                }
                let met = |session: &Session, _: &Stopped| stopped = session.digest_for_tests(KEY).ok();
                victim.exchange(met).await
            }
        };
        let end = look(&mut victim.session);
        let removed = victim.session.follower_for_tests().is_removed();
        let message = outcome.as_ref().err().and_then(|error| words_of(error, removed));
        let notice = victim.session.helpers_notice_for_tests();
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
        let guests = victim.session.guests_for_tests(self.chart, Section::Family);
        let healed_notice = victim.session.helpers_notice_for_tests();
        Seen {
            outcome,
            message,
            notice,
            before,
            stopped,
            end,
            restless,
            lies,
            whole,
            elsewhere,
            asked,
            healed,
            healed_notice,
            guests,
        }
    }
}

/// The sentence of an outcome. That nobody answers is said by how things stand, and by no error.
fn words_of(stopped: &Stopped, removed: bool) -> Option<&'static str> {
    match words_for(stopped, removed) {
        (SyncPhase::Offline, None) => Some("devices-phase-offline"),
        (_, message) => message,
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
