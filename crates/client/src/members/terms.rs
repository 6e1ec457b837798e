//! What was agreed with a member: verbs, validity, reason and names. Sealed in the entry that lets them in; the server sees the role
//! alone.

use mecum_api::{MemberRole, Verb};
use mecum_seal::{AccountId, Entropy, EpochKey, SpaceId, derive_key, open_row, seal_row};
use mecum_sync::Role;
use mecum_vault::Table;
use minicbor::{Decode, Encode};

use crate::session::Session;
use crate::stage::Stage;

const VERSION: u8 = 1;

/// The longest text of a person in the terms, in bytes.
pub(crate) const MAX_TERM_BYTES: usize = 400;

/// The terms of one grant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Terms {
    #[n(0)]
    version: u8,
    /// One bit for each verb.
    #[n(1)]
    verbs: u8,
    /// Last civil date that it holds.
    #[n(2)]
    pub(crate) until: Option<String>,
    #[n(3)]
    pub(crate) reason: Option<String>,
    /// The name of who is let in.
    #[n(4)]
    pub(crate) member: String,
    /// The name of who lets them in.
    #[n(5)]
    pub(crate) by: String,
}

fn bit(verb: Verb) -> u8 {
    match verb {
        Verb::Read => 1,
        Verb::Write => 2,
        Verb::Book => 4,
        Verb::Share => 8,
    }
}

/// The role of the log for a role of the contract.
pub(crate) fn role_of(role: MemberRole) -> Role {
    match role {
        MemberRole::Reader => Role::Reader,
        MemberRole::Writer => Role::Writer,
        MemberRole::Manager => Role::Manager,
    }
}

/// The role of the contract for a role of the log.
pub(crate) fn api_role(role: Role) -> MemberRole {
    match role {
        Role::Reader => MemberRole::Reader,
        Role::Writer => MemberRole::Writer,
        Role::Manager => MemberRole::Manager,
    }
}

impl Terms {
    pub(crate) fn new(
        role: Role,
        until: Option<String>,
        reason: Option<String>,
        member: &str,
        by: &str,
    ) -> Self {
        let verbs: &[Verb] = match role {
            Role::Reader => &[Verb::Read],
            Role::Writer => &[Verb::Read, Verb::Write],
            Role::Manager => &[Verb::Read, Verb::Write, Verb::Share],
        };
        let verbs = verbs.iter().map(|verb| bit(*verb)).sum();
        Self { version: VERSION, verbs, until, reason, member: member.to_owned(), by: by.to_owned() }
    }

    pub(crate) fn verbs(&self) -> Vec<Verb> {
        let all = [Verb::Read, Verb::Write, Verb::Book, Verb::Share];
        all.into_iter().filter(|verb| self.verbs & bit(*verb) != 0).collect()
    }

    /// Whether it has the verb.
    pub(crate) fn allows(&self, verb: Verb) -> bool {
        self.verbs & bit(verb) != 0
    }

    pub(crate) fn seal(
        &self,
        key: &EpochKey,
        space: SpaceId,
        member: AccountId,
        entropy: &dyn Entropy,
    ) -> Vec<u8> {
        let body = minicbor::to_vec(self).expect("plain fields encode");
        seal_row(&derive_key(key, "mecum grant terms v1"), &aad(space, member), &body, entropy)
    }

    pub(crate) fn open(key: &EpochKey, space: SpaceId, member: AccountId, sealed: &[u8]) -> Option<Self> {
        let body = open_row(&derive_key(key, "mecum grant terms v1"), &aad(space, member), sealed).ok()?;
        minicbor::decode(&body).ok().filter(|terms: &Self| terms.version == VERSION)
    }
}

fn aad(space: SpaceId, member: AccountId) -> Vec<u8> {
    [space.as_bytes().as_slice(), member.as_bytes()].concat()
}

/// What the vault keeps of a member of a space.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct StoredMember {
    #[n(0)]
    pub(crate) terms: Terms,
    /// When the entry was signed here or came here, ms since the epoch.
    #[n(1)]
    pub(crate) at_ms: i64,
    /// When the entry that ended it was signed here or came here, ms since the epoch.
    #[n(2)]
    pub(crate) ended_ms: Option<i64>,
}

fn member_name(space: SpaceId, account: AccountId) -> Vec<u8> {
    [b"member".as_slice(), space.as_bytes(), account.as_bytes()].concat()
}

fn person_row(account: AccountId) -> Vec<u8> {
    [b"person".as_slice(), account.as_bytes()].concat()
}

impl Session {
    /// What was agreed with a member of a space.
    pub(crate) fn stored_member(&self, space: SpaceId, account: AccountId) -> Option<StoredMember> {
        let body = self.vault.get(Table::Account, &member_name(space, account)).ok().flatten()?;
        minicbor::decode(&body).ok()
    }

    /// The same as it will be after the stage.
    pub(crate) fn staged_member(
        &self,
        stage: &Stage,
        space: SpaceId,
        account: AccountId,
    ) -> Option<StoredMember> {
        let name = member_name(space, account);
        let staged = stage.puts.iter().rev().find(|(table, put, _)| *table == Table::Account && *put == name);
        match staged {
            Some((_, _, body)) => minicbor::decode(body).ok(),
            None => self.stored_member(space, account),
        }
    }

    /// The name of another account's person.
    pub(crate) fn person_name(&self, account: AccountId) -> Option<String> {
        let body = self.vault.get(Table::Account, &person_row(account)).ok().flatten()?;
        String::from_utf8(body.to_vec()).ok()
    }

    pub(super) fn stage_person_name(stage: &mut Stage, account: AccountId, name: &str) {
        stage.puts.push((Table::Account, person_row(account), name.as_bytes().to_vec()));
    }

    pub(super) fn stage_member_ended(&self, stage: &mut Stage, space: SpaceId, account: AccountId) {
        let Some(stored) = self.staged_member(stage, space, account) else { return };
        let stored = StoredMember { ended_ms: Some(self.now_ms()), ..stored };
        let body = minicbor::to_vec(&stored).expect("plain fields encode");
        stage.puts.push((Table::Account, member_name(space, account), body));
    }

    /// An end that was signed here is none after all.
    pub(super) fn stage_member_stays(&self, stage: &mut Stage, space: SpaceId, account: AccountId) {
        let Some(stored) = self.staged_member(stage, space, account) else { return };
        let body = minicbor::to_vec(StoredMember { ended_ms: None, ..stored }).expect("plain fields encode");
        stage.puts.push((Table::Account, member_name(space, account), body));
    }

    pub(super) fn stage_member(&self, stage: &mut Stage, space: SpaceId, account: AccountId, terms: Terms) {
        Self::stage_person_name(stage, account, &terms.member);
        let stored = StoredMember { terms, at_ms: self.now_ms(), ended_ms: None };
        let body = minicbor::to_vec(&stored).expect("plain fields encode");
        stage.puts.push((Table::Account, member_name(space, account), body));
    }
}

#[cfg(test)]
mod tests {
    use mecum_seal::testing::SeededEntropy;

    use super::*;

    #[test]
    fn terms_open_for_their_member_in_their_space_only_and_say_what_was_agreed() {
        let entropy = SeededEntropy::new(1);
        let key = EpochKey::make(&entropy);
        let (space, other) = (SpaceId::random(&entropy), SpaceId::random(&entropy));
        let (ani, budi) = (AccountId::random(&entropy), AccountId::random(&entropy));
        let terms = Terms::new(Role::Writer, Some("2026-12-31".into()), Some("doses".into()), "Ani", "Ratna");
        let sealed = terms.seal(&key, space, ani, &entropy);
        assert_eq!(Terms::open(&key, space, ani, &sealed), Some(terms.clone()), "as agreed");
        assert_eq!(Terms::open(&key, other, ani, &sealed), None, "in another space");
        assert_eq!(Terms::open(&key, space, budi, &sealed), None, "for somebody else");
        assert_eq!(Terms::open(&EpochKey::make(&entropy), space, ani, &sealed), None, "under another key");
        assert_eq!(terms.verbs(), [Verb::Read, Verb::Write], "a writer reads and writes");
        assert!(!terms.allows(Verb::Share), "and lets nobody in");
    }
}
