//! What a vault holds, row by row and keyed, so that a test can say that nothing of it changed, or which row did.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mecum_seal::{DeviceId, IncarnationId, SpaceId, sha256};
use mecum_sync::{Chain, Level};
use mecum_vault::Table;

use crate::error::SessionError;
use crate::session::Session;

/// Rows that an exchange may change though nothing was taken: when it was, whom it heard of, that the server's history is being
/// read again. The follower's own row is looked at by what it says of accounts, spaces and chains, without its cursor.
const VOLATILE: &[&[u8]] = &[b"last-exchange", b"heard-", b"reading-again", b"follower"];

/// Hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // A string takes anything.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Session {
    /// A keyed hash of everything that this vault holds, by name of row: each row of each table, each envelope of each log, and
    /// what the follower has verified.
    pub fn digest_for_tests(&self, key: &[u8; 32]) -> Result<BTreeMap<String, String>, SessionError> {
        let keyed = |body: &[u8]| hex(sha256(&[key.as_slice(), body].concat()).as_bytes());
        let mut rows = BTreeMap::new();
        for table in Table::ALL {
            for (name, body) in self.vault.list(table)? {
                if VOLATILE.iter().any(|volatile| name.starts_with(volatile)) {
                    continue;
                }
                rows.insert(
                    format!("{table:?} {} {}", String::from_utf8_lossy(&name), hex(&name)),
                    keyed(&body),
                );
            }
        }
        for log in self.vault.documents() {
            let all: Vec<u8> = self.envelopes(log, 0)?.into_iter().flat_map(|(_, bytes)| bytes).collect();
            rows.insert(format!("log {log}"), keyed(&all));
        }
        let followed =
            self.followed_for_tests().into_iter().map(|(name, said)| (name, keyed(said.as_bytes())));
        rows.extend(followed);
        Ok(rows)
    }

    /// What the follower has verified: devices, kit, members, epochs, ends of logs and chains.
    pub fn followed_for_tests(&self) -> BTreeMap<String, String> {
        let mut said = BTreeMap::new();
        let follower = &self.follower;
        if let Some(log) = follower.account_log() {
            let devices: Vec<_> = log.devices().iter().map(|card| (card.device, card.signing)).collect();
            let text = format!("{:?} {} {devices:?} {:?}", log.head(), log.entries(), log.recovery());
            said.insert("own account".to_owned(), text);
        }
        said.insert("device".to_owned(), format!("{} {:?}", follower.device(), follower.relay()));
        for space in follower.spaces() {
            let Some(log) = follower.space_log(space) else { continue };
            let members: Vec<_> = log.members().iter().map(|member| (member.account, member.role)).collect();
            let text = format!("{:?} {} {members:?} {}", log.head(), log.epoch(), log.is_stale());
            said.insert(format!("space {space}"), text);
            for (chain, head) in follower.chains(space) {
                let stated = follower.last_statement(&chain);
                let name = format!("chain {space} {} {}", chain.device, chain.incarnation);
                said.insert(name, format!("{head:?} {stated:?}"));
            }
            for member in log.members() {
                if let Some(other) = follower.other_log(member.account) {
                    said.insert(format!("account {}", member.account), format!("{:?}", other.head()));
                }
            }
        }
        said
    }

    /// How far the last thing that this device wrote in a space has got.
    pub fn level_for_tests(&self, space: SpaceId) -> (u64, Level) {
        let seq = self.spaces.get(&space).map_or(0, |state| state.own_seq);
        (seq, self.follower.receipt_level(&self.own_chain(space), seq))
    }

    /// The chains of a space as this device has been shown them.
    pub fn chains_for_tests(&self, space: SpaceId) -> Vec<(DeviceId, IncarnationId, u64)> {
        let chains = self.follower.chains(space).into_iter();
        chains
            .map(|(Chain { device, incarnation, .. }, head)| (device, incarnation, head.envelope_seq))
            .collect()
    }

    /// A copy of what this device has verified.
    pub fn follower_for_tests(&self) -> mecum_sync::Follower {
        self.follower.clone()
    }
}
