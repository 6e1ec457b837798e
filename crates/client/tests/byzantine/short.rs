//! Lies about what is said in short forms: a statement that the server says it cannot put together, an entry that it confirms.

use mecum_seal::Hash32;
use mecum_sync::{Countersign, Item, Outcome, RefusalCode, SaidPush, SaidRequest, Signed, SyncResponse};

use crate::attack::{Attack, Evil, Lie, Verdict, Won, on};
use crate::world::ghost;

const HISTORY: &str = "error-server-history";

/// Says of each push that it does not know the statement before, also of those that were said in full.
fn knows_no_statement(_: &Evil, request: &SaidRequest, response: &mut SyncResponse) {
    response.push_outcomes = vec![Outcome::Refused(RefusalCode::UnknownBase.into()); request.pushes.len()];
    response.receipts = None;
}

/// Says it of those that were said short: the relay has not had them then.
fn knows_no_base(evil: &Evil, request: &SaidRequest, response: &mut SyncResponse) {
    if request.pushes.iter().any(|push| matches!(push, SaidPush::Short(_))) {
        knows_no_statement(evil, request, response);
    }
}

/// Changes the places under which entries of the request are confirmed.
fn confirm(response: &mut SyncResponse, change: impl Fn(&Countersign) -> Signed<Countersign>) {
    for item in &mut response.items {
        if let Item::Confirmed(place) = item {
            let changed = change(place.unverified());
            *place = changed;
        }
    }
}

fn confirms_another(evil: &Evil, _: &SaidRequest, response: &mut SyncResponse) {
    let other = Hash32::from_bytes([4; 32]);
    confirm(response, |place| Signed::sign(Countersign { entry: other, ..*place }, &evil.facts.server));
}

fn confirms_unsigned(_: &Evil, _: &SaidRequest, response: &mut SyncResponse) {
    confirm(response, |place| Signed::sign(*place, &ghost().signing));
}

fn confirms_what_was_not_brought(evil: &Evil, _: &SaidRequest, response: &mut SyncResponse) {
    let log = &evil.facts.medicines_log;
    let (space, entry) = (evil.facts.medicines, log.head());
    let place = Countersign { space, seq: log.entries(), entry, space_seq: 0, stored_at_ms: 5 };
    if response.items.iter().any(|item| matches!(item, Item::Confirmed(_))) {
        response.items.push(Item::Confirmed(Signed::sign(place, &evil.facts.server)));
    }
}

const fn short(name: &'static str, lie: Lie, verdict: Verdict) -> Attack {
    Attack { short: true, ..on(name, lie, verdict) }
}

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        writes: true,
        without: &["in-full-once", "patience"],
        won: Won::Restless,
        ..short(
            "no statement can be put together, not even one in full",
            Lie::SwallowSaid(knows_no_statement),
            Verdict::Said("Exchange(Refused(UnknownBase", "error-server-refused"),
        )
    },
    Attack {
        writes: true,
        without: &["said-in-full", "in-full-once", "patience"],
        won: Won::Restless,
        ..short(
            "no statement that is said short can be put together",
            Lie::SwallowShort(knows_no_base),
            Verdict::PutAside,
        )
    },
    Attack {
        founds: true,
        without: &["confirmed-entry", "countersign-subject"],
        won: Won::Unnoticed,
        ..short(
            "another entry confirmed in the place of one's own",
            Lie::Said(confirms_another),
            Verdict::Refused("Exchange(Follow(BadAnswer", HISTORY),
        )
    },
    Attack {
        founds: true,
        without: &["mecum/countersign/1"],
        won: Won::Unnoticed,
        ..short(
            "an entry confirmed by another server",
            Lie::Said(confirms_unsigned),
            Verdict::Refused("Exchange(Follow(BadRelaySignature", HISTORY),
        )
    },
    Attack {
        founds: true,
        without: &["confirmed-brought"],
        won: Won::Unnoticed,
        ..short(
            "an entry confirmed that was not brought",
            Lie::Said(confirms_what_was_not_brought),
            Verdict::Refused("Exchange(Follow(BadAnswer", HISTORY),
        )
    },
];
