//! Lies below the protocol and about the server itself: refusals, sizes, redirects, other keys and versions.

use mecum_sync::limits::MAX_RESPONSE_BYTES;
use mecum_sync::{Challenge, Refusal, RefusalCode, ServerInfo, Signed, decode, encode};

use crate::attack::{Attack, Evil, Lie, Verdict, Won, on, request_of};
use crate::mitm::{Call, Reply};
use crate::world::ghost;

const REFUSES: &str = "error-server-refused";

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
        without: &["answer-size"],
        won: Won::Swallows,
        ..on("an answer of 48 MiB", Lie::Raw(oversized), Verdict::Refused("Remote(BadAnswer", REFUSES))
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
