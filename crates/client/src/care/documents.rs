//! Which document of a conversation is whose. The id says it: it is made from the space, the side and the account that opens the document,
//! and its last bit is the side. So nobody opens another's document once more, whichever opening a device hears of first, and whoever
//! knows of a document only that it ended knows whose it was.

use mecum_domain::Side;
use mecum_seal::{AccountId, DeviceId, DocumentId, Entropy, SpaceId, sha256_parts};
use mecum_sync::Follower;

use super::code_of_side;
use crate::space::SpaceState;

/// What the opening of a document says of its side, in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfSide {
    pub(crate) side: Side,
    /// What the id is made from besides. A snapshot leaves it out: whoever made that opened nothing.
    pub(crate) salt: Option<[u8; 16]>,
}

/// The side of a document of a conversation, by its id.
pub(crate) fn side_of_document(document: DocumentId) -> Side {
    let odd = document.as_bytes().last().is_some_and(|last| last & 1 == 1);
    if odd { Side::Hospital } else { Side::Patient }
}

/// The id of a document that an account opens in a conversation: the first 16 bytes of a hash, the last bit the side.
pub(crate) fn document_id(space: SpaceId, side: Side, account: AccountId, salt: &[u8; 16]) -> DocumentId {
    let side_code = [code_of_side(side)];
    let parts =
        [b"mecum care document v1\0".as_slice(), space.as_bytes(), &side_code, account.as_bytes(), salt];
    let hash = sha256_parts(&parts);
    let mut id = [0; 16];
    id.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    if let Some(last) = id.last_mut() {
        *last = (*last & 0xfe) | u8::from(side == Side::Hospital);
    }
    DocumentId::from_bytes(id)
}

/// The id of a new document and what its opening says of its side: of a conversation bound to who opens it, of anything else random.
pub(crate) fn new_document(
    space: SpaceId,
    side: Option<Side>,
    account: AccountId,
    entropy: &dyn Entropy,
) -> (DocumentId, Option<OfSide>) {
    let Some(side) = side else { return (DocumentId::random(entropy), None) };
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    (document_id(space, side, account, &salt), Some(OfSide { side, salt: Some(salt) }))
}

/// Whether a device may open a document as it says: in a conversation one of its own side, under an id that is its account's to open; in
/// any other space one of no side.
///
/// Asked of a follower that has the opener's log, and of nothing that changes, as [`super::may_stand`].
pub(crate) fn may_open(
    follower: &Follower,
    space: &SpaceState,
    document: DocumentId,
    said: Option<OfSide>,
    device: DeviceId,
) -> bool {
    match (&space.care, said) {
        (None, None) => true,
        (Some(care), Some(OfSide { side, salt: Some(salt) })) => {
            let account = follower.account_of(device).filter(|account| care.side_of(*account) == side);
            account.is_some_and(|account| document_id(space.space, side, account, &salt) == document)
        }
        _ => false,
    }
}
