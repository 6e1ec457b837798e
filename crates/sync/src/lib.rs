//! The sync protocol without a network: frames, limits, signature checks, membership rules and what a device has
//! verified so far. The client and the relay run the same rules from here, so that they cannot drift apart.
//!
//! Sans-I/O: no socket, no clock, no database, and no randomness. It must not know what an envelope holds: it sees
//! places, hashes, signatures and sizes.

pub mod account_log;
pub mod chain;
pub mod codec;
#[doc(hidden)]
pub mod controls;
pub mod follower;
pub mod frames;
pub mod handed;
pub mod helping;
pub mod limits;
pub mod notice;
pub mod push;
pub mod receipt;
pub mod recover;
pub mod refusal;
pub mod said;
pub mod sign_in;
pub mod signed;
pub mod snapshot;
pub mod space_log;
pub mod statement;
#[doc(hidden)]
pub mod testing;

pub use account_log::{
    AccountBody, AccountEntry, AccountLog, AccountLogError, DeviceCard, DeviceWrap, HELPERS_SIGNER, Helpers,
    KnownDevice, RECOVERY_SIGNER, RemovedDevice, Rotation,
};
pub use chain::{Chain, ChainError, ChainHead};
pub use codec::{DecodeError, decode, encode};
pub use follower::{Accepted, Expected, FollowError, Follower, Level};
pub use frames::{Item, Outcome, Pruning, PruningAnswer, Push, SyncRequest, SyncResponse};
pub use handed::{Handed, HandedAnswer};
pub use helping::{
    HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch, HelpersNotice, HelpersPart, HelpersProof,
    HelpersRequest, HelpersStage, HelpersStop, HelpersStopping,
};
pub use notice::{Notice, PageName, is_signed_notice, notice_name};
pub use push::{PushError, VerifiedPush, verify_push};
pub use receipt::{Countersign, Receipt, Receipts};
pub use recover::{RecoverRequest, RecoverResponse, RecoveryProof};
pub use refusal::{Refusal, RefusalCode};
pub use said::{
    FORMS, FORMS_COUNTED, FORMS_HANDED, SaidPush, SaidRequest, SaidSnapshot, ShortPush, ShortSnapshot,
    SpaceStanding,
};
pub use sign_in::{Challenge, EnrolRequest, EnrolResponse, ServerInfo, SessionGrant, SessionToken, SignIn};
pub use signed::{Signed, SignedBody};
pub use snapshot::{FoldedChain, SnapshotBody, SnapshotError, SpaceSnapshot, StoredSnapshot, Verified};
pub use space_log::{
    Cut, CutSet, Member, NewEpoch, Replaced, Role, SpaceBody, SpaceEntry, SpaceLog, SpaceLogError, Stay,
    Void, Why, Wrap,
};
pub use statement::{Received, Statement};

/// The version of the wire protocol that this crate speaks. A request of another version is refused.
pub const PROTOCOL_VERSION: u32 = 1;
