//! Lies around the record: requests by helpers that nobody made, clocks that are years off, and room that is there.

use mecum_client::testing::NOW_MS;
use mecum_seal::Hash32;
use mecum_sync::limits::{HELPERS_WAIT_DAYS, MAX_RESPONSE_BYTES};
use mecum_sync::{
    HelpersNotice, Outcome, RefusalCode, SaidRequest, SessionGrant, SyncRequest, SyncResponse, decode, encode,
};

use crate::attack::{Attack, Evil, Lie, Verdict, Won, on, request_of};
use crate::mitm::{Call, Reply};
use crate::world::Victim;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const TEN_YEARS_MS: i64 = 3_653 * DAY_MS;
const FULL: &str = "error-server-full";

/// A request by helpers, as the server tells of it: one that waits so many days longer than it should.
pub(crate) fn request(name: u8, longer_days: i64) -> HelpersNotice {
    let wait_ms = (i64::from(HELPERS_WAIT_DAYS) + longer_days) * DAY_MS;
    HelpersNotice {
        request: Hash32::from_bytes([name; 32]),
        asked_at_ms: NOW_MS,
        released_at_ms: NOW_MS + wait_ms,
        others: None,
    }
}

fn tells_of_a_request(_: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    response.helpers_notice = Some(request(2, 0));
}

/// So that nobody hurries to stop it.
fn tells_of_a_slow_request(_: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    response.helpers_notice = Some(request(2, 3_653));
}

fn tells_of_too_many(_: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    response.helpers_notice = Some(HelpersNotice { others: Some(u32::MAX), ..request(2, 0) });
}

/// Of none whose times have a difference.
fn tells_of_the_end_of_time(_: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let (asked_at_ms, released_at_ms) = (i64::MIN, i64::MAX);
    response.helpers_notice = Some(HelpersNotice { asked_at_ms, released_at_ms, ..request(2, 0) });
}

/// In every answer that has a time.
fn clock_off_by(call: &Call, reply: &mut Reply, off_ms: i64) {
    if call.path.starts_with("/v1/session") {
        let Ok(honest) = decode::<SessionGrant>(&reply.body, MAX_RESPONSE_BYTES) else { return };
        let (server_time_ms, expires_at_ms) = (honest.server_time_ms + off_ms, honest.expires_at_ms + off_ms);
        reply.body = encode(&SessionGrant { server_time_ms, expires_at_ms, ..honest });
    }
    if request_of(call).is_some() {
        let Ok(honest) = decode::<SyncResponse>(&reply.body, MAX_RESPONSE_BYTES) else { return };
        let server_time_ms = honest.server_time_ms + off_ms;
        reply.body = encode(&SyncResponse { server_time_ms, ..honest });
    }
}

fn ten_years_ahead(_: &Evil, call: &Call, reply: &mut Reply) {
    clock_off_by(call, reply, TEN_YEARS_MS);
}

fn ten_years_behind(_: &Evil, call: &Call, reply: &mut Reply) {
    clock_off_by(call, reply, -TEN_YEARS_MS);
}

/// It has no room for any of what is pushed, and for no entry.
fn full(_: &Evil, request: &SaidRequest, response: &mut SyncResponse) {
    let refused = |count: usize| vec![Outcome::Refused(RefusalCode::Quota.into()); count];
    response.push_outcomes = refused(request.pushes.len());
    response.space_outcomes = refused(request.space_entries.len());
    response.receipts = None;
}

const HELPED: Attack = Attack { victim: Victim::Helped, ..on("", Lie::None, Verdict::PassedOver) };
const NO_ANSWER: Verdict = Verdict::Said("Remote(BadAnswer", "error-server-refused");

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        without: &["helpers-chosen", "helpers-wait"],
        won: Won::Keeps,
        ..on(
            "a request by helpers, of somebody who has none",
            Lie::Sync(tells_of_a_request),
            Verdict::PassedOver,
        )
    },
    Attack {
        name: "a request by helpers that leaves ten years to stop it",
        lie: Lie::Sync(tells_of_a_slow_request),
        verdict: NO_ANSWER,
        without: &["helpers-wait"],
        won: Won::Unnoticed,
        ..HELPED
    },
    Attack {
        name: "more requests by helpers than are counted",
        lie: Lie::Sync(tells_of_too_many),
        verdict: NO_ANSWER,
        without: &["helpers-wait"],
        won: Won::Unnoticed,
        ..HELPED
    },
    Attack {
        name: "a request by helpers from before all time until after it",
        lie: Lie::Sync(tells_of_the_end_of_time),
        verdict: NO_ANSWER,
        without: &["helpers-wait"],
        won: Won::Unnoticed,
        ..HELPED
    },
    Attack {
        name: "another request by helpers, made up so that a stop is forgotten",
        lie: Lie::Sync(tells_of_a_request),
        verdict: Verdict::Warned("asked-title"),
        without: &["stop-stands"],
        won: Won::Forgets,
        stops: true,
        ..HELPED
    },
    Attack {
        without: &["server-clock"],
        ..on("a clock ten years ahead, so that a share ends", Lie::Raw(ten_years_ahead), Verdict::PassedOver)
    },
    Attack {
        without: &["server-clock"],
        later: true,
        ..on(
            "a clock ten years behind, so that a share that is over does not end",
            Lie::Raw(ten_years_behind),
            Verdict::PassedOver,
        )
    },
    Attack {
        writes: true,
        without: &["refusal-said", "patience"],
        won: Won::Restless,
        ..on(
            "no room for what is written, though there is",
            Lie::SwallowSaid(full),
            Verdict::Said("Exchange(Refused(Quota", FULL),
        )
    },
    Attack {
        founds: true,
        without: &["refusal-said", "patience"],
        won: Won::Restless,
        ..on(
            "no room for a new section, though there is",
            Lie::SwallowSaid(full),
            Verdict::Said("Exchange(Refused(Quota", FULL),
        )
    },
];
