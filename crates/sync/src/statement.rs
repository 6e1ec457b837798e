//! What a device says about itself and its peers, once for each push and space: where its chain ends, which sealed heads
//! record goes with it, and how far it holds the chains of others. One signature covers a whole push.

use mecum_seal::{DeviceId, Hash32, IncarnationId, SpaceId};
use minicbor::{Decode, Encode};

use crate::chain::Chain;
use crate::codec;
use crate::limits::MAX_RECEIVED;
use crate::signed::SignedBody;

/// "I hold this chain durably up to here."
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Received {
    /// The device whose chain it is.
    #[n(0)]
    pub device: DeviceId,
    /// That device's incarnation.
    #[n(1)]
    pub incarnation: IncarnationId,
    /// The last `envelope_seq` held.
    #[n(2)]
    pub envelope_seq: u64,
    /// Content id of that envelope.
    #[n(3)]
    pub last: Hash32,
}

/// A device's statement about one space.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Statement {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The device that states and signs.
    #[n(1)]
    pub device: DeviceId,
    /// Its incarnation.
    #[n(2)]
    pub incarnation: IncarnationId,
    /// The last `envelope_seq` of its chain; 0 if it has written nothing here.
    #[n(3)]
    pub envelope_seq: u64,
    /// Content id of that envelope; zeros if there is none.
    #[n(4)]
    pub last: Hash32,
    /// Hash of the sealed heads record that belongs to this state; zeros if there is none.
    #[n(5)]
    pub heads: Hash32,
    /// The chains of other devices in this space that this device holds, in ascending order, each chain once.
    #[cbor(n(6), decode_with = "codec::list::<MAX_RECEIVED, _, _>")]
    pub received: Vec<Received>,
}

impl SignedBody for Statement {
    const CONTEXT: &'static str = "mecum/statement/1";
}

/// How one statement of a chain stands to an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It says at least as much, and something more.
    Newer,
    /// It says nothing more: a repetition, or an older one that arrived late.
    NotNewer,
    /// It takes something back, or says two things of one place.
    Contradicts,
}

impl Statement {
    /// The chain that the statement ends.
    pub fn chain(&self) -> Chain {
        Chain { device: self.device, incarnation: self.incarnation, space: self.space }
    }

    /// Whether the acknowledgements are sorted, name each chain once, and never the own chain.
    pub fn is_well_formed(&self) -> bool {
        let ascending = self.received.windows(2).all(|pair| match pair {
            [a, b] => (a.device, a.incarnation) < (b.device, b.incarnation),
            _ => true,
        });
        let own = (self.device, self.incarnation);
        ascending
            && self.received.iter().all(|r| (r.device, r.incarnation) != own && r.envelope_seq > 0)
            && (self.envelope_seq > 0 || self.last == Hash32::ZERO)
    }

    /// How this statement stands to an `earlier` one of the same chain.
    pub fn progress_since(&self, earlier: &Statement) -> Progress {
        let mut ahead = self.envelope_seq > earlier.envelope_seq;
        let mut behind = self.envelope_seq < earlier.envelope_seq;
        if self.envelope_seq == earlier.envelope_seq && self.last != earlier.last {
            return Progress::Contradicts;
        }
        for mine in &self.received {
            match earlier.received_of(mine.device, mine.incarnation) {
                None => ahead = true,
                Some(theirs) if mine.envelope_seq > theirs.envelope_seq => ahead = true,
                Some(theirs) if mine.envelope_seq < theirs.envelope_seq => behind = true,
                Some(theirs) if mine.last != theirs.last => return Progress::Contradicts,
                Some(_) => {}
            }
        }
        behind |= earlier.received.iter().any(|e| self.received_of(e.device, e.incarnation).is_none());
        match (ahead, behind) {
            (true, true) => Progress::Contradicts,
            (true, false) => Progress::Newer,
            (false, _) => Progress::NotNewer,
        }
    }

    fn received_of(&self, device: DeviceId, incarnation: IncarnationId) -> Option<&Received> {
        self.received.iter().find(|r| r.device == device && r.incarnation == incarnation)
    }
}
