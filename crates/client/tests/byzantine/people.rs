//! Lies about whose account it is: devices, keys, recovery, second histories, snapshots, strangers.

use mecum_seal::SigningKey;
use mecum_sync::{
    AccountBody, AccountEntry, Item, RECOVERY_SIGNER, Refusal, RefusalCode, Signed, Statement, SyncRequest,
    SyncResponse, decode, encode,
};

use crate::attack::{Attack, Evil, Lie, Verdict, Won, on, request_of};
use crate::members::countersigned;
use crate::mitm::{Call, Reply};
use crate::world::{Victim, ghost};

const HISTORY: &str = "error-server-history";

const fn refused(typed: &'static str) -> Verdict {
    Verdict::Refused(typed, HISTORY)
}

/// Puts an entry behind the account's log, where the answer shows the log's end.
fn behind_account(evil: &Evil, response: &mut SyncResponse, signer: mecum_seal::DeviceId, body: AccountBody) {
    let log = &evil.facts.account_log;
    let end = response
        .items
        .iter()
        .position(|item| matches!(item, Item::AccountEntry(entry) if entry.hash() == log.head()));
    let Some(end) = end else { return };
    let entry =
        AccountEntry { account: log.account(), seq: log.entries() + 1, previous: log.head(), signer, body };
    response.items.insert(end + 1, Item::AccountEntry(Signed::sign(entry, &ghost().signing)));
}

fn ghost_device(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let ghost = ghost();
    let body = AccountBody::AddDevice { device: ghost.card(b"name") };
    behind_account(evil, response, ghost.device, body);
}

fn ghost_device_in_another_name(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let body = AccountBody::AddDevice { device: ghost().card(b"name") };
    behind_account(evil, response, evil.facts.phone, body);
}

fn forged_removal_of_the_phone(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let facts = &evil.facts;
    let rotation = Some(ghost().rotation(&facts.account_log, Some(facts.phone)));
    let other = facts.account_log.devices().iter().map(|card| card.device).find(|id| *id != facts.phone);
    let Some(signer) = other else { return };
    behind_account(evil, response, signer, AccountBody::RemoveDevice { device: facts.phone, rotation });
}

fn forged_rotation(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let rotation = ghost().rotation(&evil.facts.account_log, None);
    behind_account(evil, response, evil.facts.phone, AccountBody::Rotate { rotation });
}

fn forged_recovery(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let body = AccountBody::Recover { device: ghost().card(b"name"), alone: None };
    behind_account(evil, response, RECOVERY_SIGNER, body);
}

fn forged_kit(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let ghost = ghost();
    let (signing, kem) = (SigningKey::from_seed([3; 32]).verifying_key(), ghost.kem.public());
    let body = AccountBody::SetRecovery { signing, kem, sealed: vec![1; 100] };
    behind_account(evil, response, evil.facts.phone, body);
}

fn dropped_device(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let account = evil.facts.account;
    let own =
        |item: &Item| matches!(item, Item::AccountEntry(entry) if entry.unverified().account == account);
    if let Some(at) = response.items.iter().position(own) {
        response.items.remove(at);
    }
}

/// Everything of another account: theirs, and nobody here asked for it.
fn another_tenant(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    let mut ghost = ghost();
    let (space, genesis) = ghost.found_space(Some(evil.facts.server.verifying_key()));
    let push = ghost.push(space, &["mine alone"], Vec::new());
    response.items.push(Item::AccountEntry(ghost.account_genesis()));
    response.items.push(countersigned(&evil.facts, genesis, 0));
    response.items.push(Item::Batch { first_space_seq: 1, push });
}

fn is_fresh(request: &SyncRequest) -> bool {
    request.cursor == 0
}

fn another_account(evil: &Evil, request: &SyncRequest, response: &mut SyncResponse) {
    if is_fresh(request) {
        let mut ghost = ghost();
        ghost.account = evil.facts.account;
        response.items = vec![Item::AccountEntry(ghost.account_genesis())];
        response.more = false;
    }
}

/// "Begin again" to who asks from where the tablet stood. Whether it was said.
fn says_begin_again(evil: &Evil, request: &SyncRequest, reply: &mut Reply) -> bool {
    let says = request.cursor == evil.facts.tablet_cursor;
    if says {
        *reply = Reply::of(409, encode(&Refusal::from(RefusalCode::Resync)));
    }
    says || !is_fresh(request)
}

/// Begin again, and then another history of the account.
fn another_log(evil: &Evil, call: &Call, reply: &mut Reply) {
    let Some(request) = request_of(call) else { return };
    if says_begin_again(evil, &request, reply) {
        return;
    }
    let mut ghost = ghost();
    ghost.account = evil.facts.account;
    let Ok(mut response) = decode::<SyncResponse>(&reply.body, 1 << 24) else { return };
    response.items = vec![Item::AccountEntry(ghost.account_genesis())];
    response.more = false;
    reply.body = encode(&response);
}

/// Begin again, and then another second entry of a space's log.
fn another_membership(evil: &Evil, call: &Call, reply: &mut Reply) {
    let Some(request) = request_of(call) else { return };
    if says_begin_again(evil, &request, reply) {
        return;
    }
    let Ok(mut response) = decode::<SyncResponse>(&reply.body, 1 << 24) else { return };
    let medicines = evil.facts.medicines;
    for item in &mut response.items {
        if let Item::SpaceEntry { entry, countersign } = item
            && entry.unverified().space == medicines
            && entry.unverified().seq == 2
        {
            let other = Signed::sign(entry.unverified().clone(), &ghost().signing);
            *item = countersigned(&evil.facts, other, countersign.unverified().space_seq);
        }
    }
    reply.body = encode(&response);
}

fn snapshot_by_another(_: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    for item in &mut response.items {
        if let Item::Snapshot { snapshot, .. } = item {
            snapshot.signed = Signed::sign(snapshot.signed.unverified().clone(), &ghost().signing);
        }
    }
}

/// A writer's last word is replaced by an earlier one.
fn snapshot_with_an_earlier_word(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    for item in &mut response.items {
        let Item::Snapshot { statements, .. } = item else { continue };
        let earlier = evil.facts.earlier.unverified();
        for statement in statements {
            let said: &Statement = statement.unverified();
            if said.chain() == earlier.chain() {
                *statement = evil.facts.earlier.clone();
            }
        }
    }
}

/// A section without the document that took an erased one's place.
fn snapshot_that_leaves_out(evil: &Evil, _: &SyncRequest, response: &mut SyncResponse) {
    for item in &mut response.items {
        if let Item::Snapshot { snapshot, .. } = item
            && snapshot.space() == evil.facts.lacking.space()
        {
            *snapshot = evil.facts.lacking.clone();
        }
    }
}

const ACCOUNT: &[&str] = &["mecum/account-entry/1"];
const BAD_ACCOUNT: &str = "Exchange(Follow(AccountLog(BadSignature";

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        without: &["account-signer", "mecum/account-entry/1"],
        ..on(
            "a ghost device that lets itself in",
            Lie::Sync(ghost_device),
            refused("Exchange(Follow(AccountLog(UnknownDevice"),
        )
    },
    Attack {
        without: ACCOUNT,
        ..on(
            "a ghost device in the phone's name",
            Lie::Sync(ghost_device_in_another_name),
            refused(BAD_ACCOUNT),
        )
    },
    Attack {
        without: ACCOUNT,
        ..on("the phone's removal, forged", Lie::Sync(forged_removal_of_the_phone), refused(BAD_ACCOUNT))
    },
    Attack {
        without: ACCOUNT,
        ..on("the account's key swapped, forged", Lie::Sync(forged_rotation), refused(BAD_ACCOUNT))
    },
    Attack {
        without: &["account-signer", "mecum/account-entry/1"],
        ..on(
            "a recovery that nobody asked for",
            Lie::Sync(forged_recovery),
            refused("Exchange(Follow(AccountLog(UnknownDevice"),
        )
    },
    Attack {
        without: ACCOUNT,
        ..on("a recovery kit of the server's", Lie::Sync(forged_kit), refused(BAD_ACCOUNT))
    },
    Attack {
        without: &["account-gap", "account-link"],
        ..on("the adding of a device dropped", Lie::Sync(dropped_device), refused("Exchange(Follow(Gap"))
    },
    Attack {
        without: &["space-expected", "other-expected"],
        ..on("another tenant's data", Lie::Sync(another_tenant), Verdict::PassedOver)
    },
    Attack {
        without: &["account-genesis"],
        victim: Victim::Fresh,
        ..on(
            "another account for a new device",
            Lie::Sync(another_account),
            refused("Exchange(Follow(OtherGenesis"),
        )
    },
    Attack {
        without: &["account-fork", "shown-again", "withheld", "missing", "patience"],
        won: Won::Unnoticed,
        ..on("a second history of the account", Lie::Raw(another_log), refused("Exchange(Follow(Fork"))
    },
    Attack {
        without: &["space-entry-fork"],
        won: Won::Unnoticed,
        ..on(
            "a second history of a membership",
            Lie::Raw(another_membership),
            refused("Exchange(Follow(Fork"),
        )
    },
    Attack {
        without: &["mecum/snapshot/1"],
        won: Won::Begins,
        victim: Victim::Fresh,
        ..on("a snapshot that no member signed", Lie::Sync(snapshot_by_another), Verdict::PutAside)
    },
    Attack {
        without: &["snapshot-statement", "snapshot-heads"],
        won: Won::Begins,
        victim: Victim::Fresh,
        ..on(
            "a snapshot with a writer's earlier word",
            Lie::Sync(snapshot_with_an_earlier_word),
            Verdict::PutAside,
        )
    },
    Attack {
        without: &["snapshot-whole"],
        won: Won::Begins,
        victim: Victim::Fresh,
        ..on(
            "a snapshot without an erased document's successor",
            Lie::Sync(snapshot_that_leaves_out),
            Verdict::PutAside,
        )
    },
];
