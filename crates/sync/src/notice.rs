//! What a hospital publishes for everybody: bytes under a name, signed by a live device of its account. The relay stores them and
//! reads nothing; whoever knows the name fetches them, without an account and without saying who they are.
//!
//! It must not know what a hospital says in them.

use mecum_seal::{AccountId, DeviceId, VerifyingKey, sha256_parts};
use minicbor::{Decode, Encode};

use crate::signed::{Signed, SignedBody};

/// The name of a page. Whoever has it can read the page; it tells nothing about whose it is.
pub type PageName = [u8; 16];

/// The name under which an account publishes its notice: the first 16 bytes of a hash over the account's id.
pub fn notice_name(account: AccountId) -> PageName {
    let hash = sha256_parts(&[b"mecum notice page v1\0", account.as_bytes()]);
    let mut name = [0; 16];
    name.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    name
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Notice {
    /// The account of the hospital.
    #[n(0)]
    pub account: AccountId,
    /// The device that signs it.
    #[n(1)]
    pub device: DeviceId,
    /// The device's key. Whoever has the account's log holds it against that; anybody else against the first that they saw.
    #[n(2)]
    pub key: VerifyingKey,
    /// Which one: a higher number takes the place of a lower one.
    #[n(3)]
    pub number: u64,
    /// When it was published, by the hospital's clock, ms since the epoch.
    #[n(4)]
    pub published_ms: i64,
    /// What it says, deflated.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

impl SignedBody for Notice {
    const CONTEXT: &'static str = "mecum/notice/1";
}

/// Whether a notice is of this account, and signed by the key that it names.
pub fn is_signed_notice(notice: &Signed<Notice>, account: AccountId) -> bool {
    let said = notice.unverified();
    said.account == account && notice.verify(&said.key).is_ok()
}
