//! Lies about who is in a space: members, consents, epochs, removals, and what somebody wrote who is in no longer.

use mecum_seal::{Hash32, SigningKey};
use mecum_sync::{
    Countersign, Item, Outcome, Push, Role, Signed, SpaceBody, SpaceEntry, SyncRequest, SyncResponse, Wrap,
};

use crate::answers::pushes;
use crate::attack::{Attack, Evil, Lie, Verdict, Won, on};
use crate::world::{Facts, ghost};

const HISTORY: &str = "error-server-history";
const LEFT_BEHIND: Verdict = Verdict::LeftBehind("Exchange(Follow(Gap", HISTORY);

const fn refused(typed: &'static str) -> Verdict {
    Verdict::Refused(typed, HISTORY)
}

pub(crate) fn countersigned(facts: &Facts, entry: Signed<SpaceEntry>, space_seq: u64) -> Item {
    let SpaceEntry { space, seq, .. } = *entry.unverified();
    let placed = Countersign { space, seq, entry: entry.hash(), space_seq, stored_at_ms: 0 };
    Item::SpaceEntry { entry, countersign: Signed::sign(placed, &facts.server) }
}

fn grant(member: mecum_seal::AccountId, genesis: Hash32, role: Role) -> SpaceBody {
    let wraps = vec![Wrap { account: member, bytes: vec![7; 1_168] }];
    SpaceBody::Grant { member, genesis, role, wraps, sealed_terms: b"sealed".to_vec() }
}

/// Puts an entry behind the log of the medicines, with the server's true signature.
fn behind_medicines(
    facts: &Facts,
    response: &mut SyncResponse,
    who: (mecum_seal::AccountId, mecum_seal::DeviceId),
    key: &SigningKey,
    body: SpaceBody,
) {
    let log = &facts.medicines_log;
    let place = response.items.iter().enumerate().rev().find_map(|(at, item)| match item {
        Item::SpaceEntry { entry, countersign } if entry.hash() == log.head() => {
            Some((at, countersign.unverified().space_seq))
        }
        _ => None,
    });
    let Some((at, space_seq)) = place else { return };
    let (space, seq, previous) = (log.space(), log.entries() + 1, log.head());
    let entry = Signed::sign(SpaceEntry { space, seq, previous, account: who.0, device: who.1, body }, key);
    response.items.insert(at + 1, countersigned(facts, entry, space_seq));
}

fn ghost_member(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let (facts, ghost) = (&evil.facts, ghost());
    let body = grant(ghost.account, ghost.account_genesis().hash(), Role::Reader);
    behind_medicines(facts, response, (facts.account, facts.phone), &ghost.signing, body);
}

/// Who was removed lets himself in again, as more than he was: with his own true signature.
fn lets_himself_in(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let facts = &evil.facts;
    let genesis = facts.medicines_log.genesis_of(facts.bima).expect("he was in");
    let body = grant(facts.bima, genesis, Role::Manager);
    behind_medicines(facts, response, (facts.bima, facts.bima_device), &facts.bima_key, body);
}

/// The same in the phone's name.
fn extended_consent(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let facts = &evil.facts;
    let genesis = facts.medicines_log.genesis_of(facts.bima).expect("he was in");
    let body = grant(facts.bima, genesis, Role::Writer);
    behind_medicines(facts, response, (facts.account, facts.phone), &ghost().signing, body);
}

fn forged_epoch(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let facts = &evil.facts;
    let next = mecum_sync::testing::Actor::next_epoch(&facts.medicines_log, None);
    let body = SpaceBody::Epoch { next, cuts: Vec::new() };
    behind_medicines(facts, response, (facts.account, facts.phone), &ghost().signing, body);
}

fn is_removal(facts: &Facts, item: &Item) -> bool {
    matches!(item, Item::SpaceEntry { entry, .. } if entry.hash() == facts.medicines_log.head())
}

fn dropped_removal(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    response.items.retain(|item| !is_removal(&evil.facts, item));
}

fn countersign_by_another(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    for item in &mut response.items {
        if is_removal(&evil.facts, item)
            && let Item::SpaceEntry { countersign, .. } = item
        {
            *countersign = Signed::sign(*countersign.unverified(), &ghost().signing);
        }
    }
}

fn countersign_of_another(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    for item in &mut response.items {
        if is_removal(&evil.facts, item)
            && let Item::SpaceEntry { countersign, .. } = item
        {
            let placed = Countersign { entry: Hash32::from_bytes([4; 32]), ..*countersign.unverified() };
            *countersign = Signed::sign(placed, &evil.facts.server);
        }
    }
}

/// Puts a push behind everything of the medicines.
fn at_the_end(facts: &Facts, response: &mut SyncResponse, push: Push) {
    let Some(at) = pushes(response, facts.medicines).pop() else { return };
    let Item::Batch { first_space_seq, push: last } = &response.items[at] else { return };
    let first_space_seq = first_space_seq + last.envelopes.len() as u64;
    response.items.insert(at + 1, Item::Batch { first_space_seq, push });
}

/// The relay behind the liar has never seen the forged words, and refuses to hear of them: the liar takes the acknowledgement.
fn takes_acknowledgements(request: &SyncRequest, response: &mut SyncResponse) {
    for (push, outcome) in request.pushes.iter().zip(&mut response.push_outcomes) {
        if push.envelopes.is_empty() && outcome.refusal().is_some() {
            *outcome = Outcome::Stored;
            let statement = push.statement.clone();
            response.items.push(Item::Own { first_space_seq: 1, count: 0, statement });
        }
    }
}

fn late_words(evil: &Evil, request: &SyncRequest, response: &mut SyncResponse) {
    at_the_end(&evil.facts, response, evil.facts.late.clone());
    takes_acknowledgements(request, response);
}

fn words_of_no_member(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    at_the_end(&evil.facts, response, evil.facts.as_member.clone());
}

/// What was written beyond the cut is shown before the removal, as if it had come in time.
fn late_words_in_time(evil: &Evil, request: &SyncRequest, response: &mut SyncResponse) {
    takes_acknowledgements(request, response);
    let facts = &evil.facts;
    let Some(at) = response.items.iter().position(|item| is_removal(facts, item)) else { return };
    let Item::SpaceEntry { entry, countersign } = response.items[at].clone() else { return };
    let space_seq = countersign.unverified().space_seq;
    for item in &mut response.items[at..] {
        if let Item::Batch { first_space_seq, push } = item
            && push.space() == facts.medicines
        {
            *first_space_seq += 1;
        }
    }
    response.items[at] = countersigned(facts, entry, space_seq + 1);
    let late = Item::Batch { first_space_seq: space_seq + 1, push: facts.late.clone() };
    response.items.insert(at, late);
}

fn takes_it_back(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let facts = &evil.facts;
    let his = response.items.iter().enumerate().find_map(|(at, item)| match item {
        Item::Batch { first_space_seq, push }
            if push.statement.unverified().device == facts.bima_device && !push.envelopes.is_empty() =>
        {
            Some((at, *first_space_seq + push.envelopes.len() as u64, push.statement.unverified().clone()))
        }
        _ => None,
    });
    let Some((at, first_space_seq, mut statement)) = his else { return };
    let Some(received) = statement.received.first_mut() else { return };
    received.last = Hash32::from_bytes([5; 32]);
    let statement = Signed::sign(statement, &facts.bima_key);
    let push = Push { envelopes: Vec::new(), statement };
    response.items.insert(at + 1, Item::Batch { first_space_seq, push });
}

fn a_strangers_words(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let facts = &evil.facts;
    let mut ghost = ghost();
    ghost.join_space(facts.medicines, Hash32::ZERO);
    let push = ghost.push(facts.medicines, &["I am one of you"], Vec::new());
    at_the_end(facts, response, push);
}

const SPACE: &[&str] = &["mecum/space-entry/1"];
const BAD_SPACE: &str = "Exchange(Follow(SpaceLog(BadSignature";

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        without: SPACE,
        ..on("a ghost member in the phone's name", Lie::Sync(ghost_member), refused(BAD_SPACE))
    },
    Attack {
        without: &["space-actor"],
        ..on(
            "a removed member lets himself in again",
            Lie::Sync(lets_himself_in),
            refused("Exchange(Follow(SpaceLog(NotManager"),
        )
    },
    Attack {
        without: SPACE,
        ..on("a consent extended, forged", Lie::Sync(extended_consent), refused(BAD_SPACE))
    },
    Attack { without: SPACE, ..on("a new epoch, forged", Lie::Sync(forged_epoch), refused(BAD_SPACE)) },
    Attack {
        without: &["membership-head", "push-epoch"],
        ..on(
            "a removal dropped",
            Lie::Sync(dropped_removal),
            refused("Exchange(Follow(Push(BadMembershipHead"),
        )
    },
    Attack {
        without: &["mecum/countersign/1"],
        won: Won::Unnoticed,
        ..on(
            "a removal placed by another server",
            Lie::Sync(countersign_by_another),
            refused("Exchange(Follow(BadRelaySignature"),
        )
    },
    Attack {
        without: &["countersign-subject"],
        won: Won::Unnoticed,
        ..on(
            "a place that is another entry's",
            Lie::Sync(countersign_of_another),
            refused("Exchange(Follow(BadRelaySignature"),
        )
    },
    Attack {
        without: &["void"],
        won: Won::Shows("\"66\""),
        ..on("a removed member's words, backdated", Lie::Sync(late_words), LEFT_BEHIND)
    },
    Attack {
        without: &["void"],
        won: Won::Shows("\"66\""),
        ..on("the same, shown before the removal", Lie::Sync(late_words_in_time), LEFT_BEHIND)
    },
    Attack {
        without: &["push-member", "push-epoch"],
        won: Won::Shows("\"66\""),
        ..on(
            "a removed member's words under the old epoch",
            Lie::Sync(words_of_no_member),
            refused("Exchange(Follow(Push(NotMember"),
        )
    },
    Attack {
        without: &["statement-regression", "withheld"],
        won: Won::Unnoticed,
        ..on(
            "a member takes back what he stated",
            Lie::Sync(takes_it_back),
            refused("Exchange(Follow(StatementRegression"),
        )
    },
    Attack {
        without: &[
            "writer-known",
            "writer-member",
            "mecum/statement/1",
            "membership-head",
            "push-member",
            "push-epoch",
        ],
        won: Won::Keeps,
        ..on(
            "words of a device that nobody knows",
            Lie::Sync(a_strangers_words),
            refused("Exchange(Follow(UnknownDevice"),
        )
    },
];
