//! What is answered when something is not accepted: a code that a caller can act on, and nothing else that could tell
//! an outsider what the relay holds.

use mecum_seal::Hash32;
use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode, Encoder};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// Why the relay did not accept something. The numbers are on the wire and never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum RefusalCode {
            $($(#[$doc])* $name,)*
            /// A code of a newer relay, kept by its number.
            Other(u16),
        }

        impl RefusalCode {
            /// Every code that this version knows.
            pub const ALL: &'static [RefusalCode] = &[$(RefusalCode::$name,)*];

            /// The number on the wire.
            pub fn number(self) -> u16 {
                match self {
                    $(Self::$name => $number,)*
                    Self::Other(number) => number,
                }
            }

            /// The code with this number.
            pub fn from_number(number: u16) -> Self {
                match number {
                    $($number => Self::$name,)*
                    other => Self::Other(other),
                }
            }

            /// The name in logs, metrics and documents.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(_) => "other",
                }
            }
        }
    };
}

codes! {
    /// Not a frame of this protocol, or not in its canonical encoding.
    Malformed = 1, "malformed";
    /// A body, list or push above its limit.
    TooLarge = 2, "too_large";
    /// A protocol version that the relay does not speak.
    VersionUnsupported = 3, "version_unsupported";
    /// No session, an expired session, or a sign-in that does not hold. One answer for all of them.
    Unauthorised = 4, "unauthorised";
    /// A signature that does not verify.
    BadSignature = 5, "bad_signature";
    /// The signing device is not a live device of its account.
    UnknownDevice = 6, "unknown_device";
    /// The space is not known here, or not to this account: the same answer.
    UnknownSpace = 7, "unknown_space";
    /// The account is not a member that may write here.
    NotMember = 8, "not_member";
    /// Sealed under an epoch that has ended. The refusal carries the chain's last accepted envelope.
    EpochStale = 9, "epoch_stale";
    /// Envelopes are missing before this one. The refusal carries the chain's last accepted envelope.
    ChainGap = 10, "chain_gap";
    /// Another envelope with this `envelope_seq` was accepted before: equivocation. Both are kept as evidence.
    ChainFork = 11, "chain_fork";
    /// A log entry that does not follow the log's head. Pull, rebase and try again.
    StaleHead = 12, "stale_head";
    /// The account's storage is used up.
    Quota = 13, "quota";
    /// Too many requests for now.
    RateLimited = 14, "rate_limited";
    /// The enrolment code is not valid, or was used.
    BadCode = 15, "bad_code";
    /// There is something else by this name already.
    AlreadyExists = 16, "already_exists";
    /// The cursor is not one of this log: start again from zero. Nothing is lost.
    Resync = 17, "resync";
    /// A statement that does not cover the push, or goes back behind an earlier one.
    BadStatement = 18, "bad_statement";
    /// A statement acknowledges something that the relay does not hold.
    BadAcknowledgement = 19, "bad_acknowledgement";
    /// A space whose home is another relay.
    WrongRelay = 20, "wrong_relay";
    /// There is nothing here.
    NotFound = 21, "not_found";
    /// An entry that breaks a rule of its log.
    BadEntry = 22, "bad_entry";
    /// A push in the name of another device than the one that is signed in.
    NotYours = 23, "not_yours";
    /// The relay cannot store anything now. Nothing was changed; try again later.
    Unavailable = 24, "unavailable";
    /// An envelope names a membership head that is unknown, or older than its chain's last.
    BadMembershipHead = 25, "bad_membership_head";
    /// A grant to an account that is not admitted here, or begins with another entry than the grant says.
    UnknownAccount = 26, "unknown_account";
    /// A cut that names a link which is not stored.
    BadCut = 27, "bad_cut";
    /// A statement that was said over another one than the relay holds last of its chain, or that does not come out of it: say it
    /// in full.
    UnknownBase = 28, "unknown_base";
}

impl<Ctx> Encode<Ctx> for RefusalCode {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u16(self.number())?;
        Ok(())
    }
}

impl<'b, Ctx> Decode<'b, Ctx> for RefusalCode {
    fn decode(d: &mut Decoder<'b>, _: &mut Ctx) -> Result<Self, Error> {
        Ok(Self::from_number(d.u16()?))
    }
}

/// The last accepted link of a chain or log, stated with a refusal so that the sender knows what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LastAccepted {
    /// `envelope_seq` of a chain, or the entry number of a log; 0 when nothing was accepted.
    #[n(0)]
    pub seq: u64,
    /// Its content id or entry hash; zeros when nothing was accepted.
    #[n(1)]
    pub hash: Hash32,
}

/// A refusal: nothing was changed by what it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[error("refused: {}", self.code.name())]
#[cbor(array)]
pub struct Refusal {
    /// What the caller can act on.
    #[n(0)]
    pub code: RefusalCode,
    /// What was last accepted, where the code is about a place in a chain or log.
    #[n(1)]
    pub last: Option<LastAccepted>,
}

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Self {
        Self { code, last: None }
    }
}
