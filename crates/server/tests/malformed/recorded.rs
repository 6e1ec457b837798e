//! What one account, and a stranger who asks for it, said to a server in their time, and how it is changed so that it is no good
//! request any more.

use mecum_seal::{AccountId, DeviceId, DocumentId, Hash32, SigningKey};
use mecum_sync::limits::{MAX_MAILBOX_DAYS, MAX_SMALL_FRAME_BYTES};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, Challenge, EnrolRequest, FORMS, Follower, HelpersAsk, HelpersDone, HelpersFetch,
    HelpersPart, HelpersProof, HelpersStop, HelpersStopping, PROTOCOL_VERSION, RecoverRequest, RecoveryProof,
    SaidRequest, SessionGrant, SignIn, Signed, SyncRequest, SyncResponse, decode, encode, helping,
};
use mecum_testkit::Dice;
use mecum_testkit::mutate::mutated;

use crate::asked::Server;

/// What is put into a mailbox: sealed bytes, to a server.
const SEALED: [u8; 200] = [0xa7; 200];

/// One request.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    body: Vec<u8>,
}

impl Frame {
    fn post(path: &str, body: Vec<u8>) -> Self {
        Self { method: "POST", path: path.to_owned(), body }
    }

    fn put(path: String) -> Self {
        Self { method: "PUT", path, body: SEALED.to_vec() }
    }

    /// Sends it; the status that it is answered with.
    pub(crate) fn say(&self, server: &Server, number: u64, token: Option<&str>) -> u16 {
        server.ask_by(self.method, number, &self.path, token, &self.body).0
    }

    /// The same with one field changed. What is by chance another good order of the same account is not malformed, and changed again.
    pub(crate) fn changed(&self, dice: &Dice) -> Self {
        loop {
            let mut changed = self.clone();
            if self.method == "PUT" && dice.once_in(2) {
                let query = if dice.once_in(2) { "?days=7" } else { "" };
                let path = mutated(format!("{}{query}", self.path).as_bytes(), dice);
                let Ok(path) = String::from_utf8(path) else { continue };
                // A head that is none is damaged elsewhere.
                let may_change = may_open_a_mailbox(&path) || may_publish(&path);
                if path.bytes().any(|byte| !byte.is_ascii_graphic()) || may_change {
                    continue;
                }
                changed.path = path;
            } else {
                changed.body = mutated(&self.body, dice);
            }
            if !self.is_another_part(&changed) {
                return changed;
            }
        }
    }

    /// Whether a device brings another part of the same helpers: the server cannot know which is the right one.
    fn is_another_part(&self, changed: &Self) -> bool {
        let part = |frame: &Self| decode::<HelpersPart>(&frame.body, MAX_SMALL_FRAME_BYTES).ok();
        let (Some(own), Some(other)) = (part(self), part(changed)) else { return false };
        self.path == "/v1/helpers/part" && own.version == other.version && own.set == other.set
    }
}

/// Whether this is, or may once unescaped be, the right path for a mailbox that nobody has opened.
fn may_open_a_mailbox(path: &str) -> bool {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let days = query.map(|query| query.strip_prefix("days=").and_then(|days| days.parse::<u32>().ok()));
    let is_asked_well =
        days.is_none_or(|days| days.is_some_and(|days| (1..=MAX_MAILBOX_DAYS).contains(&days)));
    let name = path.strip_prefix("/v1/mailbox/").and_then(|rest| rest.strip_suffix("/offer"));
    path.contains('%') || is_asked_well && name.is_some_and(|name| name.parse::<DocumentId>().is_ok())
}

/// Whether this is, or may once unescaped be, the right path for a page.
fn may_publish(path: &str) -> bool {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let named = path.strip_prefix("/v1/page/").and_then(|rest| rest.split_once('/'));
    let is_good = |(name, number): (&str, &str)| {
        name.parse::<DocumentId>().is_ok() && number.parse::<i64>().is_ok_and(|number| number > 0)
    };
    path.contains('%') || named.is_some_and(is_good)
}

/// What one account said in its time.
pub(crate) struct Recorded {
    pub(crate) token: String,
    /// What may be said again without changing anything.
    pub(crate) frames: Vec<Frame>,
    /// Good orders that were never given: each changes something.
    pub(crate) orders: Vec<Frame>,
    /// Where an offer is read.
    pub(crate) mailbox: String,
}

/// What signs in, and proves who one is.
struct Keys<'s> {
    server: &'s Server,
    account: AccountId,
}

impl Keys<'_> {
    fn challenge(&self) -> Challenge {
        self.server.frame("/v1/challenge", None, &[])
    }

    fn sign_in(&self, actor: &Actor, key: &SigningKey) -> Vec<u8> {
        let Challenge { nonce, server_time_ms, server } = self.challenge();
        let Actor { account, device, incarnation, .. } = *actor;
        encode(&Signed::sign(SignIn { server, nonce, server_time_ms, account, device, incarnation }, key))
    }

    fn recovery(&self, signing: &SigningKey) -> Vec<u8> {
        let Challenge { nonce, server_time_ms, server } = self.challenge();
        let (account, key) = (self.account, signing.verifying_key());
        let proof = Signed::sign(RecoveryProof { server, nonce, server_time_ms, account, key }, signing);
        encode(&RecoverRequest { version: PROTOCOL_VERSION, proof, after: 0, entry: None })
    }

    fn fetch(&self, request: Hash32, key: &SigningKey) -> Vec<u8> {
        let Challenge { nonce, server_time_ms, server } = self.challenge();
        let proof = HelpersProof { server, nonce, server_time_ms, account: self.account, request };
        encode(&HelpersFetch { version: PROTOCOL_VERSION, proof: Signed::sign(proof, key), after: 0 })
    }

    fn stop(&self, request: Hash32, signer: DeviceId, key: &SigningKey) -> Vec<u8> {
        let stop = HelpersStop { server: self.server.pin, account: self.account, request, signer };
        encode(&HelpersStopping { version: PROTOCOL_VERSION, stop: Signed::sign(stop, key) })
    }
}

/// A fresh device that asked for the account: what it said, what others said of it, and the stop that nobody sent.
fn asked_by_helpers(keys: &Keys<'_>, actor: &Actor, phone: &Actor, seed: u64) -> (Vec<Frame>, Frame) {
    let Keys { server, account } = *keys;
    let mut stranger = Actor::new(seed + 2_000);
    stranger.account = account;
    let request = stranger.helpers_request(server.pin);
    let named = request.hash();
    let ask = Frame::post("/v1/helpers/ask", encode(&HelpersAsk { version: PROTOCOL_VERSION, request }));
    // Few may ask from one address.
    assert_eq!(ask.say(server, (1 << 22) + seed, None), 200, "the request is taken");
    let used = Frame::post("/v1/helpers/fetch", keys.fetch(named, &stranger.signing));
    assert_eq!(used.say(server, 0, None), 200, "and waits");
    let frames = vec![
        ask,
        used,
        Frame::post("/v1/helpers/fetch", keys.fetch(named, &phone.signing)),
        // Of a request that was never made: taken, and there is nothing to stop.
        Frame::post("/v1/helpers/stop", keys.stop(Hash32::from_bytes([9; 32]), actor.device, &actor.signing)),
        // Of the one that waits, by the device itself that asked, and in another's name.
        Frame::post("/v1/helpers/stop", keys.stop(named, stranger.device, &stranger.signing)),
        Frame::post("/v1/helpers/stop", keys.stop(named, actor.device, &stranger.signing)),
    ];
    (frames, Frame::post("/v1/helpers/stop", keys.stop(named, actor.device, &actor.signing)))
}

/// An invitation's three messages, each put once.
fn put_into_a_mailbox(server: &Server, actor: &Actor, token: &str) -> Vec<Frame> {
    let mailbox = DocumentId::random(&actor.entropy);
    let frame = |slot: &str| Frame::put(format!("/v1/mailbox/{mailbox}/{slot}"));
    let frames = vec![frame("offer"), frame("join"), frame("welcome")];
    let opened = Frame { path: frames[0].path.clone() + "?days=7", ..frames[0].clone() };
    assert_eq!(opened.say(server, 0, Some(token)), 204, "a mailbox for days");
    for frame in &frames {
        assert_eq!(frame.say(server, 0, Some(token)), 204, "{} is put", frame.path);
    }
    frames
}

/// Has an account say all that there is to say, and writes it down.
pub(crate) fn record(server: &Server, seed: u64) -> Recorded {
    let mut actor = Actor::new(seed);
    let genesis = actor.account_genesis();
    let enrolment = encode(&EnrolRequest {
        version: PROTOCOL_VERSION,
        code: server.host_code(),
        genesis: genesis.clone(),
    });
    server.frame::<mecum_sync::EnrolResponse>("/v1/enrol", None, &enrolment);
    let keys = Keys { server, account: actor.account };
    let signed_in = keys.sign_in(&actor, &actor.signing);
    let token = server.frame::<SessionGrant>("/v1/session", None, &signed_in).token.to_hex();
    let mut follower = Follower::found(&genesis, actor.incarnation, Some(server.pin)).unwrap();
    let (space, entry) = actor.found_space(Some(server.pin));
    follower.found_space(&entry).unwrap();
    let phone = Actor::second(seed + 1_000, &actor);
    let mut stored = SyncRequest::pull(0, 1 << 20);
    stored.account_entries.push(actor.add_device(follower.account_log().unwrap(), &phone));
    follower.add_own_account_entry(&stored.account_entries[0]).unwrap();
    let (_, helpers, part) = actor.helpers(seed);
    let set = helping::set_hash(&helpers.set);
    let body = AccountBody::SetHelpers { helpers: Some(helpers) };
    stored.account_entries.push(actor.account_entry(follower.account_log().unwrap(), body));
    stored.space_entries.push(entry);
    stored.pushes.push(actor.push(space, &["one", "two"], vec![]));
    let base = stored.pushes[0].statement.unverified().clone();
    let stored = encode(&stored);
    let response: SyncResponse = server.frame("/v1/sync", Some(&token), &stored);
    assert!(response.push_outcomes[0].refusal().is_none(), "what is recorded was taken");
    let brought = |set, part| encode(&HelpersPart { version: PROTOCOL_VERSION, set, part });
    server.frame::<HelpersDone>("/v1/helpers/part", Some(&token), &brought(set, part));
    let (by_helpers, stop) = asked_by_helpers(&keys, &actor, &phone, seed);
    let mailbox = put_into_a_mailbox(server, &actor, &token);
    let page = Frame::put(format!("/v1/page/{}/3", DocumentId::random(&actor.entropy)));
    assert_eq!(page.say(server, 0, Some(&token)), 204, "a page of a host");
    let pull = encode(&SyncRequest::pull(response.cursor, 1 << 20));
    let signed_as_other = keys.sign_in(&actor, &phone.signing);
    // A snapshot and a push that hold in every way but their signer.
    let mut forged = SyncRequest::pull(0, 1 << 20);
    actor.signing = phone.signing.clone();
    forged.snapshots.push(actor.snapshot(space, 2, vec![actor.folded(space)], &["keys", "document"]));
    forged.pushes.push(actor.push(space, &["three"], vec![actor.as_received(space)]));
    // The same in short forms: what comes out is not what its device signed either.
    let short = SaidRequest::short(&forged, |_| Some(&base));
    let mut frames = vec![
        Frame::post("/v1/sync", stored),
        Frame::post("/v1/sync", pull),
        Frame::post("/v1/sync", encode(&forged)),
        Frame::post("/v1/sync", encode(&SaidRequest { forms: Some(FORMS), ..short })),
        Frame::post("/v1/enrol", enrolment),
        Frame::post("/v1/session", signed_in),
        Frame::post("/v1/session", signed_as_other),
        Frame::post("/v1/recover", keys.recovery(&phone.signing)),
        Frame::post("/v1/challenge", vec![0x80]),
        Frame::post("/v1/helpers/part", brought(set, part)),
        // Of helpers that the account does not have.
        Frame::post("/v1/helpers/part", brought(Hash32::from_bytes([3; 32]), part)),
    ];
    let (name, read) = (DocumentId::random(&actor.entropy), mailbox[0].path.clone());
    frames.extend(by_helpers);
    frames.extend(mailbox);
    frames.push(page.clone());
    let orders = vec![
        Frame::post("/v1/helpers/part", brought(set, [7; 32])),
        stop,
        Frame::put(format!("/v1/mailbox/{name}/offer?days=7")),
        Frame { path: page.path.replace("/3", "/4"), ..page },
    ];
    Recorded { token, frames, orders, mailbox: read }
}
