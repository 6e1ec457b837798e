//! What a hospital's desk and a patient's device say to each other in the mailbox of a code.

use mecum_domain::{ChartId, HospitalId};
use mecum_seal::{AccountId, Hash32, KemPublic, SpaceId, VerifyingKey};
use minicbor::{Decode, Encode};

use super::{CareOffer, HospitalCard};
use crate::pairing::MAX_NAME_BYTES;

/// Tells a desk's offer from any other.
const DESK: &str = "mecum desk v1";

/// In the slot of the welcome: the hospital expects the space, and is to be let in.
pub(super) const EXPECTED: &[u8] = b"expected";

/// In the slot of the welcome: no.
pub(super) const NO: &[u8] = b"";

/// Who the hospital is, from its desk.
#[derive(Clone, Encode, Decode)]
pub(super) struct Offer {
    #[n(0)]
    kind: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    hospital: [u8; 16],
    #[n(2)]
    name: String,
    #[n(3)]
    relay: VerifyingKey,
    #[n(4)]
    account: AccountId,
    #[n(5)]
    genesis: Hash32,
    #[n(6)]
    kem: KemPublic,
    #[n(7)]
    pub(super) ends_ms: i64,
}

/// What the hospital is to expect, from the patient's device.
#[derive(Clone, Encode, Decode)]
pub(super) struct Join {
    #[n(0)]
    space: SpaceId,
    #[cbor(n(1), with = "minicbor::bytes")]
    chart: [u8; 16],
    #[n(2)]
    owner: AccountId,
    #[n(3)]
    genesis: Hash32,
    /// Who connects.
    #[n(4)]
    from: String,
    /// Whose record it is.
    #[n(5)]
    name: String,
}

impl Offer {
    pub(super) fn new(card: HospitalCard, ends_ms: i64) -> Self {
        let HospitalCard { hospital, name, relay, account, genesis, kem } = card;
        let (kind, hospital) = (DESK.to_owned(), *hospital.as_bytes());
        Self { kind, hospital, name, relay, account, genesis, kem, ends_ms }
    }

    /// The card, if this is a desk's offer with a name that can be shown.
    pub(super) fn card(&self) -> Option<HospitalCard> {
        let Self { hospital, name, relay, account, genesis, kem, .. } = self.clone();
        let hospital = HospitalId::from_bytes(hospital);
        let sound = self.kind == DESK && is_name(&name);
        sound.then_some(HospitalCard { hospital, name, relay, account, genesis, kem })
    }
}

impl Join {
    pub(super) fn new(offer: CareOffer) -> Self {
        let CareOffer { space, chart, owner, genesis, from, name } = offer;
        Self { space, chart: *chart.as_bytes(), owner, genesis, from, name }
    }

    /// What to expect, if its names can be shown.
    pub(super) fn offer(self) -> Option<CareOffer> {
        let Self { space, chart, owner, genesis, from, name } = self;
        let chart = ChartId::from_bytes(chart);
        let sound = is_name(&name) && from.len() <= MAX_NAME_BYTES;
        sound.then_some(CareOffer { space, chart, owner, genesis, from, name })
    }
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= MAX_NAME_BYTES
}
