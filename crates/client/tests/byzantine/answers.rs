//! Lies about what was written: envelopes, statements, places, pages and receipts.

use mecum_seal::Hash32;
use mecum_sync::{Item, Outcome, Push, Receipts, Signed, Statement, SyncRequest, SyncResponse};

use crate::attack::{Attack, Evil, Lie, Verdict, Won, on};
use crate::world::{Facts, ghost};

const HISTORY: &str = "error-server-history";

const fn refused(typed: &'static str) -> Verdict {
    Verdict::Refused(typed, HISTORY)
}

/// The pushes of one space that hold something, by where they stand in the answer.
pub(crate) fn pushes(response: &SyncResponse, space: mecum_seal::SpaceId) -> Vec<usize> {
    let there = |item: &Item| matches!(item, Item::Batch { push, .. } if push.space() == space && !push.envelopes.is_empty());
    (0..response.items.len()).filter(|at| there(&response.items[*at])).collect()
}

/// The phone's push of two changes.
fn two<'a>(evil: &Evil, response: &'a mut SyncResponse) -> Option<&'a mut Push> {
    let medicines = evil.facts.medicines;
    response.items.iter_mut().find_map(|item| match item {
        Item::Batch { push, .. } if push.space() == medicines && push.envelopes.len() == 2 => Some(push),
        _ => None,
    })
}

/// The last push of the phone's notes.
fn last_note(facts: &Facts, response: &SyncResponse) -> Option<usize> {
    pushes(response, facts.notes).pop()
}

fn batch(item: &mut Item) -> Option<(&mut u64, &mut Push)> {
    match item {
        Item::Batch { first_space_seq, push } => Some((first_space_seq, push)),
        _ => None,
    }
}

/// Signs a statement anew with the ghost's key, after changing it.
fn by_ghost(push: &mut Push, change: impl FnOnce(&mut Statement)) {
    let mut statement = push.statement.unverified().clone();
    change(&mut statement);
    push.statement = Signed::sign(statement, &ghost().signing);
}

fn flip(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(push) = two(evil, response) else { return };
    let middle = push.envelopes[0].len() / 2;
    push.envelopes[0][middle] ^= 1;
}

fn swap(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(push) = two(evil, response) else { return };
    push.envelopes.swap(0, 1);
}

fn leave_out(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(push) = two(evil, response) else { return };
    push.envelopes.remove(0);
}

fn twice(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(push) = two(evil, response) else { return };
    let again = push.envelopes[0].clone();
    push.envelopes.insert(1, again);
}

fn cut_short(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(push) = two(evil, response) else { return };
    let len = push.envelopes[1].len();
    push.envelopes[1].truncate(len - 16);
}

/// The header says another document: the words would stand in somebody else's place.
fn moved(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(push) = two(evil, response) else { return };
    let envelope = mecum_seal::Envelope::parse(&push.envelopes[1]).expect("an envelope");
    let id = *envelope.place().document.as_bytes();
    let bytes = &mut push.envelopes[1];
    let at = bytes.windows(16).position(|window| window == id).expect("the header names it");
    bytes[at] ^= 1;
}

fn other_heads(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(at) = last_note(&evil.facts, response) else { return };
    let Some((_, push)) = batch(&mut response.items[at]) else { return };
    by_ghost(push, |statement| statement.heads = Hash32::from_bytes([6; 32]));
}

/// The phone is said to hold what the tablet wrote.
fn forged_received(evil: &Evil, request: &SyncRequest, response: &mut SyncResponse) {
    let notes = evil.facts.notes;
    let Some(own) = request.pushes.iter().find(|push| push.space() == notes) else { return };
    let own = own.statement.unverified().clone();
    let Some(at) = last_note(&evil.facts, response) else { return };
    let Some((_, push)) = batch(&mut response.items[at]) else { return };
    by_ghost(push, |statement| {
        statement.received.push(mecum_sync::Received {
            device: own.device,
            incarnation: own.incarnation,
            envelope_seq: own.envelope_seq,
            last: own.last,
        });
        statement.received.sort_unstable();
        statement.received.dedup_by_key(|received| received.device);
    });
}

fn first_withheld(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let phone = evil.facts.phone;
    let at = pushes(response, evil.facts.medicines).into_iter().find(|at| {
        matches!(&response.items[*at], Item::Batch { push, .. } if push.statement.unverified().device == phone)
    });
    if let Some(at) = at {
        response.items.remove(at);
    }
}

/// Another member's words are kept back, and everything after them moves up.
fn one_member_withheld(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let medicines = evil.facts.medicines;
    let bima = evil.facts.bima_device;
    let is_his =
        |item: &Item| matches!(item, Item::Batch { push, .. } if push.statement.unverified().device == bima);
    if !response.items.iter().any(is_his) {
        return;
    }
    response.items.retain(|item| !is_his(item));
    for item in &mut response.items {
        if let Some((first, push)) = batch(item)
            && push.space() == medicines
        {
            *first -= 1;
        }
    }
}

/// Everything that was written before the removal is kept back; the removal itself, which stands behind it, is shown.
fn before_the_removal(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let medicines = evil.facts.medicines;
    response.items.retain(|item| !matches!(item, Item::Batch { push, .. } if push.space() == medicines));
}

fn places_ahead(_: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    for item in &mut response.items {
        if let Some((first, _)) = batch(item) {
            *first += 1;
        }
    }
}

fn passed_off_as_old(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(at) = last_note(&evil.facts, response) else { return };
    if let Some((first, _)) = batch(&mut response.items[at]) {
        *first = 1;
    }
}

fn out_of_order(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let all = pushes(response, evil.facts.notes);
    if let [one, two, ..] = all.as_slice() {
        response.items.swap(*one, *two);
    }
}

fn cursor_back(_: &Evil, request: &SyncRequest, response: &mut SyncResponse) {
    response.cursor = request.cursor - 1;
}

fn outcome_too_many(_: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    response.push_outcomes.push(Outcome::Stored);
}

fn more_and_more(_: &Evil, request: &SyncRequest, response: &mut SyncResponse) {
    response.items.clear();
    response.cursor = request.cursor;
    response.more = true;
}

fn receipts_by_another(_: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    if let Some(receipts) = &response.receipts {
        response.receipts = Some(Signed::sign(receipts.unverified().clone(), &ghost().signing));
    }
}

fn receipts_of_another_push(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    if let Some(receipts) = &response.receipts {
        let mut receipts = receipts.unverified().receipts.clone();
        for receipt in &mut receipts {
            receipt.envelope_seq += 5;
        }
        response.receipts = Some(Signed::sign(Receipts { receipts }, &evil.facts.server));
    }
}

/// Says that it stored what it never looked at, with a signature.
fn stored_nothing(evil: &Evil, request: &SyncRequest, response: &mut SyncResponse) {
    response.push_outcomes = vec![Outcome::Stored; request.pushes.len()];
    let receipts = request.pushes.iter().map(|push| push.statement.unverified()).map(|said| {
        let (chain, last) = (said.chain(), said.last);
        mecum_sync::Receipt { chain, envelope_seq: said.envelope_seq, last, space_seq: 9, stored_at_ms: 1 }
    });
    let receipts: Vec<_> = receipts.collect();
    if !receipts.is_empty() {
        response.receipts = Some(Signed::sign(Receipts { receipts }, &evil.facts.server));
    }
}

/// Passes another device's chain off as the own one.
fn own_of_another(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let Some(at) = last_note(&evil.facts, response) else { return };
    let Some((first, push)) = batch(&mut response.items[at]) else { return };
    let (first_space_seq, count) = (*first, push.envelopes.len() as u64);
    response.items[at] = Item::Own { first_space_seq, count, statement: push.statement.clone() };
}

const LINKS: &[&str] = &[
    "chain-link",
    "statement-end",
    "space-gap",
    "space-overlap",
    "known-links",
    "missing",
    "withheld",
    "push-malformed",
];

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        without: LINKS,
        ..on("a flipped bit in an envelope", Lie::Sync(flip), refused("Exchange(Follow(Push(Chain(Fork"))
    },
    Attack {
        without: LINKS,
        ..on("two envelopes swapped", Lie::Sync(swap), refused("Exchange(Follow(Push(Chain(Gap"))
    },
    Attack {
        without: LINKS,
        ..on(
            "an envelope left out of a push",
            Lie::Sync(leave_out),
            refused("Exchange(Follow(Push(Chain(Gap"),
        )
    },
    Attack {
        without: LINKS,
        ..on("an envelope twice in a push", Lie::Sync(twice), refused("Exchange(Follow(Push(Chain(Behind"))
    },
    Attack {
        without: LINKS,
        ..on("an envelope cut short", Lie::Sync(cut_short), refused("Exchange(Follow(Push("))
    },
    Attack {
        without: LINKS,
        ..on(
            "a ciphertext moved to another document",
            Lie::Sync(moved),
            refused("Exchange(Follow(Push(BadStatement"),
        )
    },
    Attack {
        without: &["mecum/statement/1"],
        ..on(
            "a statement with other heads, forged",
            Lie::Sync(other_heads),
            refused("Exchange(Follow(Push(BadSignature"),
        )
    },
    Attack {
        without: &["mecum/statement/1", "withheld"],
        writes: true,
        ..on(
            "\"the phone has received it\", forged",
            Lie::Sync(forged_received),
            refused("Exchange(Follow(Push(BadSignature"),
        )
    },
    Attack {
        without: &["space-gap", "chain-link", "missing", "withheld"],
        ..on("one push withheld for ever", Lie::Sync(first_withheld), refused("Exchange(Follow(Gap"))
    },
    Attack {
        without: &["withheld", "missing", "space-gap"],
        ..on(
            "one member's words withheld, the rest moved up",
            Lie::Sync(one_member_withheld),
            refused("Exchange(Follow(Withheld"),
        )
    },
    Attack {
        without: &["missing", "membership-head", "space-gap"],
        ..on(
            "all words before a removal withheld",
            Lie::Sync(before_the_removal),
            refused("Exchange(Follow(Withheld"),
        )
    },
    Attack {
        without: &["space-gap"],
        won: Won::Unnoticed,
        ..on(
            "a head that does not exist: places ahead",
            Lie::Sync(places_ahead),
            refused("Exchange(Follow(Gap"),
        )
    },
    Attack {
        without: &["known-links", "space-gap", "statement-end"],
        ..on("new words passed off as known", Lie::Sync(passed_off_as_old), refused("Exchange(Follow(Fork"))
    },
    Attack {
        without: &["space-gap", "chain-link", "known-links", "space-overlap", "withheld"],
        ..on("two pushes in another order", Lie::Sync(out_of_order), refused("Exchange(Follow(Gap"))
    },
    Attack {
        without: &["answer-fits"],
        won: Won::Unnoticed,
        ..on(
            "a stale head: the cursor goes back",
            Lie::Sync(cursor_back),
            refused("Exchange(Follow(BadAnswer"),
        )
    },
    Attack {
        without: &["answer-fits"],
        won: Won::Unnoticed,
        ..on(
            "an answer to another question",
            Lie::Sync(outcome_too_many),
            refused("Exchange(Follow(BadAnswer"),
        )
    },
    Attack {
        without: &["answer-fits", "patience"],
        won: Won::Restless,
        ..on("an answer without an end", Lie::Sync(more_and_more), refused("Exchange(Follow(BadAnswer"))
    },
    Attack {
        without: &["mecum/receipts/1"],
        won: Won::Unnoticed,
        writes: true,
        ..on(
            "an acknowledgement by another server",
            Lie::Sync(receipts_by_another),
            refused("Exchange(Follow(BadRelaySignature"),
        )
    },
    Attack {
        without: &["receipt-subject"],
        won: Won::Unnoticed,
        writes: true,
        ..on(
            "an acknowledgement of another push",
            Lie::Sync(receipts_of_another_push),
            refused("Exchange(Follow(BadAnswer"),
        )
    },
    Attack {
        without: &["patience"],
        won: Won::Restless,
        writes: true,
        ..on(
            "an acknowledgement without storing",
            Lie::Swallow(stored_nothing),
            Verdict::Said("Exchange(Follow(Withheld", HISTORY),
        )
    },
    Attack {
        without: &["own-chain", "own-rolled-back"],
        ..on(
            "another device's chain as the own one",
            Lie::Sync(own_of_another),
            refused("Exchange(Follow(UnknownDevice"),
        )
    },
];
