//! Lies below the protocol and about the server itself: refusals, sizes, redirects, other keys and versions.

use std::time::Duration;

use mecum_sync::limits::MAX_RESPONSE_BYTES;
use mecum_sync::{Challenge, Refusal, RefusalCode, ServerInfo, Signed, decode, encode};

use crate::attack::{Attack, Evil, Lie, Verdict, Won, on, request_of};
use crate::mitm::{Call, Reply, Way};
use crate::world::ghost;

const REFUSES: &str = "error-server-refused";
/// How long an impatient victim waits for an answer.
pub(crate) const IMPATIENCE: Duration = Duration::from_secs(3);

fn resync(_: &Evil, call: &Call, reply: &mut Reply) {
    if request_of(call).is_some() {
        *reply = Reply::of(409, encode(&Refusal::from(RefusalCode::Resync)));
    }
}

fn oversized(_: &Evil, call: &Call, reply: &mut Reply) {
    if request_of(call).is_some() {
        *reply = Reply::of(200, vec![0; MAX_RESPONSE_BYTES * 3]);
    }
}

/// No answer may be longer; what the liar sends at most, where somebody reads it.
const AT_MOST: u64 = 3 * MAX_RESPONSE_BYTES as u64;

fn in_another_way(call: &Call, reply: &mut Reply, way: Way) {
    if request_of(call).is_some() {
        reply.way = way;
    }
}

fn endless(_: &Evil, call: &Call, reply: &mut Reply) {
    in_another_way(call, reply, Way::Endless { at_most: AT_MOST });
}

fn of_an_absurd_length(_: &Evil, call: &Call, reply: &mut Reply) {
    in_another_way(call, reply, Way::Announced { bytes: 1 << 62, at_most: AT_MOST });
}

/// The honest answer, and it takes three times as long as the victim waits.
fn dribbling(_: &Evil, call: &Call, reply: &mut Reply) {
    in_another_way(call, reply, Way::Dribbling { chunks: 8, pause: IMPATIENCE * 3 / 8 });
}

fn said_to_be_packed(_: &Evil, call: &Call, reply: &mut Reply) {
    if request_of(call).is_some() {
        reply.headers.push(("content-encoding".to_owned(), "br".to_owned()));
    }
}

fn redirect(evil: &Evil, call: &Call, reply: &mut Reply) {
    if request_of(call).is_some() {
        *reply = Reply::of(307, Vec::new());
        reply.headers.push(("location".to_owned(), format!("{}/v1/sync", evil.elsewhere)));
    }
}

fn challenge_of_another(_: &Evil, call: &Call, reply: &mut Reply) {
    if call.path == "/v1/challenge" {
        let honest: Challenge = decode(&reply.body, 16_384).expect("a challenge");
        reply.body = encode(&Challenge { server: ghost().signing.verifying_key(), ..honest });
    }
}

fn info_with_another_key(_: &Evil, _: &Call, reply: &mut Reply) {
    let honest: Signed<ServerInfo> = decode(&reply.body, 16_384).expect("what it says of itself");
    let info = ServerInfo { key: ghost().signing.verifying_key(), ..honest.unverified().clone() };
    reply.body = encode(&Signed::sign(info, &mecum_seal::SigningKey::from_seed([9; 32])));
}

fn info_of_an_old_version(evil: &Evil, _: &Call, reply: &mut Reply) {
    let honest: Signed<ServerInfo> = decode(&reply.body, 16_384).expect("what it says of itself");
    let info = ServerInfo { version: 0, ..honest.unverified().clone() };
    reply.body = encode(&Signed::sign(info, &evil.facts.server));
}

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        without: &["begin-once"],
        won: Won::Restless,
        ..on(
            "\"begin again\", each time",
            Lie::Raw(resync),
            Verdict::Refused("Remote(Refused(Refusal { code: Resync", "error-server-begins-again"),
        )
    },
    Attack {
        without: &["answer-length", "answer-size"],
        won: Won::Swallows,
        ..on("an answer of 48 MiB", Lie::Raw(oversized), Verdict::Refused("Remote(BadAnswer", REFUSES))
    },
    Attack {
        without: &["answer-size"],
        won: Won::Swallows,
        ..on("an answer without an end", Lie::Raw(endless), Verdict::Refused("Remote(BadAnswer", REFUSES))
    },
    Attack {
        without: &["answer-length", "answer-size"],
        won: Won::Swallows,
        ..on(
            "an answer of an absurd length",
            Lie::Raw(of_an_absurd_length),
            Verdict::Refused("Remote(BadAnswer", REFUSES),
        )
    },
    Attack {
        without: &["answer-time"],
        won: Won::Unnoticed,
        impatient: true,
        ..on(
            "an answer that comes drop by drop",
            Lie::Raw(dribbling),
            Verdict::Refused("Remote(Offline", "devices-phase-offline"),
        )
    },
    Attack {
        without: &["answer-packed"],
        won: Won::Unnoticed,
        ..on(
            "an answer that is said to be packed",
            Lie::Raw(said_to_be_packed),
            Verdict::Refused("Remote(BadAnswer", REFUSES),
        )
    },
    Attack {
        without: &["redirect"],
        won: Won::GoesElsewhere,
        ..on("a redirect to another host", Lie::Raw(redirect), Verdict::Refused("Remote(BadAnswer", REFUSES))
    },
    Attack {
        without: &["server-pin"],
        won: Won::Asks("/v1/session"),
        ..on(
            "another server's challenge to be signed",
            Lie::Raw(challenge_of_another),
            Verdict::Refused("Remote(OtherServer", REFUSES),
        )
    },
    Attack {
        without: &["mecum/server-info/1"],
        won: Won::Unnoticed,
        asks_who: true,
        ..on(
            "a server's key that is not its own",
            Lie::Raw(info_with_another_key),
            Verdict::Refused("Remote(BadAnswer", REFUSES),
        )
    },
    Attack {
        without: &["server-version"],
        won: Won::Unnoticed,
        asks_who: true,
        ..on(
            "an older protocol",
            Lie::Raw(info_of_an_old_version),
            Verdict::Refused("Remote(Refused(Refusal { code: VersionUnsupported", REFUSES),
        )
    },
];
