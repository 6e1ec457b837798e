//! What travels of a successor: its opening in the control document, and its first envelope, which holds what it begins with.

use std::collections::BTreeMap;

use mecum_documents::{Actor, Document, Limits, MAX_SNAPSHOT_BYTES};
use mecum_domain::Side;
use mecum_seal::{
    AccountId, DeviceId, DocumentId, DocumentKey, Hash32, IncarnationId, SpaceId, sha256_parts,
};
use minicbor::{Decode, Encode};

use crate::care::{OfSide, code_of_side, is_known_side, side_of_code};
use crate::plaintext::{OpenDocument, SnapshotPart, unpress};
use crate::row::ItemKey;

/// What a control document says of a successor: it opens with this key, and takes the place of `of` once the membership log says so.
/// Sealed like the opening of any document; destroyed with the successor's own end.
#[derive(Encode, Decode)]
pub(crate) struct OpenSuccessor {
    #[n(0)]
    version: u8,
    #[n(1)]
    pub(crate) document: DocumentId,
    #[cbor(n(2), with = "minicbor::bytes")]
    key: [u8; 32],
    #[n(3)]
    pub(crate) shard: i16,
    #[n(4)]
    pub(crate) of: DocumentId,
    /// Whose side of a conversation, as of the document that ends; left out elsewhere.
    #[n(5)]
    side: Option<u8>,
    /// What the successor's id is made from there.
    #[cbor(n(6), with = "minicbor::bytes")]
    salt: Option<[u8; 16]>,
}

impl OpenSuccessor {
    /// Other control messages have 1 and 2.
    const VERSION: u8 = 3;

    pub(crate) fn new(
        document: DocumentId,
        key: &DocumentKey,
        shard: i16,
        of: DocumentId,
        of_side: Option<OfSide>,
    ) -> Self {
        let (side, salt) = (of_side.map(|of| code_of_side(of.side)), of_side.and_then(|of| of.salt));
        Self { version: Self::VERSION, document, key: *key.expose(), shard, of, side, salt }
    }

    /// What it says of the document's side.
    pub(crate) fn of_side(&self) -> Option<OfSide> {
        self.side().map(|side| OfSide { side, salt: self.salt })
    }

    /// The document's key.
    pub(crate) fn key(&self) -> DocumentKey {
        DocumentKey::from_bytes(self.key)
    }

    /// Whose side of a conversation the document is, if of any.
    pub(crate) fn side(&self) -> Option<Side> {
        self.side.and_then(side_of_code)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("plain fields encode")
    }

    /// The message of these bytes, strictly.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let message: Self = minicbor::decode(bytes).ok()?;
        let sided = is_known_side(message.side) && message.side.is_some() == message.salt.is_some();
        let known = message.version == Self::VERSION && sided;
        (known && message.encode() == bytes).then_some(message)
    }

    /// What is kept of it until the successor begins, and of whom it is.
    pub(crate) fn pending(&self, space: SpaceId, from: AccountId) -> Pending {
        Pending { space, key: self.key, shard: self.shard, of: self.of, from: Some(from), side: self.side }
    }
}

/// The document that a control message opens, of whichever kind.
pub(crate) fn opened_document(body: &[u8]) -> Option<DocumentId> {
    let plain = OpenDocument::decode(body).ok().map(|message| message.document);
    plain.or_else(|| OpenSuccessor::decode(body).map(|message| message.document))
}

/// A successor that is opened and has not begun.
#[derive(Clone, Encode, Decode)]
pub(crate) struct Pending {
    #[n(0)]
    pub(crate) space: SpaceId,
    #[cbor(n(1), with = "minicbor::bytes")]
    key: [u8; 32],
    #[n(2)]
    pub(crate) shard: i16,
    #[n(3)]
    pub(crate) of: DocumentId,
    /// Who opened it; earlier versions did not keep that.
    #[n(4)]
    from: Option<AccountId>,
    /// As in its opening.
    #[n(5)]
    side: Option<u8>,
}

impl Pending {
    /// Whether an account opened it, as far as that was kept.
    pub(crate) fn is_by(&self, account: AccountId) -> bool {
        self.from.is_none_or(|from| from == account)
    }

    /// Whose side of a conversation it is, if of any.
    pub(crate) fn side(&self) -> Option<Side> {
        self.side.and_then(side_of_code)
    }

    pub(crate) fn key(&self) -> DocumentKey {
        DocumentKey::from_bytes(self.key)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("plain fields encode")
    }

    /// The row of these bytes; none where it names a side that this version does not know.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok().filter(|pending: &Self| is_known_side(pending.side))
    }
}

/// Whose words stand under a reserved actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Stood {
    #[cbor(n(0), with = "minicbor::bytes")]
    actor: [u8; 16],
    #[cbor(n(1), with = "minicbor::bytes")]
    author: [u8; 16],
}

/// When an item was written last before the successor began, and on which device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Touched {
    #[n(0)]
    pub(crate) key: ItemKey,
    #[n(1)]
    pub(crate) at_ms: i64,
    #[n(2)]
    pub(crate) device: DeviceId,
}

/// What a chain had written in the space's other documents when the successor was made: its writer's last statement is about a
/// document that is gone, and may never be followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Record {
    #[n(0)]
    pub(crate) device: DeviceId,
    #[n(1)]
    pub(crate) incarnation: IncarnationId,
    #[n(2)]
    pub(crate) hash: Hash32,
}

/// What a successor's own changes do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Info {
    #[n(0)]
    version: u8,
    #[n(1)]
    authors: Vec<Stood>,
    #[n(2)]
    pub(crate) items: Vec<Touched>,
    /// Finished entries that were erased from it and what came before it, as keyed hashes: they do not come back by the same file.
    #[n(3)]
    pub(crate) erased: Vec<Hash32>,
    #[n(4)]
    pub(crate) records: Vec<Record>,
}

impl Info {
    const VERSION: u8 = 1;

    pub(crate) fn new(
        authors: impl IntoIterator<Item = (Actor, Actor)>,
        items: Vec<Touched>,
        erased: Vec<Hash32>,
        records: Vec<Record>,
    ) -> Self {
        let stood =
            |(actor, author): (Actor, Actor)| Stood { actor: *actor.as_bytes(), author: *author.as_bytes() };
        Self {
            version: Self::VERSION,
            authors: authors.into_iter().map(stood).collect(),
            items,
            erased,
            records,
        }
    }

    /// Whose words stand under which reserved actor.
    pub(crate) fn authors(&self) -> impl Iterator<Item = (Actor, Actor)> {
        let stood = |stood: &Stood| (Actor::from_bytes(stood.actor), Actor::from_bytes(stood.author));
        self.authors.iter().map(stood)
    }

    /// Whether these are the authors that it names, each once, and no others.
    pub(crate) fn authors_are(&self, authors: &BTreeMap<Actor, Actor>) -> bool {
        let said: BTreeMap<Actor, Actor> = self.authors().collect();
        said.len() == self.authors.len() && said == *authors
    }

    /// Who stands behind an actor: the author of a reserved one, else the actor itself.
    pub(crate) fn author(&self, actor: Actor) -> Actor {
        let found = self.authors.iter().find(|stood| stood.actor == *actor.as_bytes());
        found.map_or(actor, |stood| Actor::from_bytes(stood.author))
    }

    /// Whether an actor is one under which the successor began.
    pub(crate) fn is_reserved(&self, actor: Actor) -> bool {
        self.authors.iter().any(|stood| stood.actor == *actor.as_bytes())
    }

    /// When an item was written last before the successor began.
    pub(crate) fn touched(&self, key: ItemKey) -> Option<&Touched> {
        self.items.iter().find(|touched| touched.key == key)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("plain fields encode")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok().filter(|info: &Self| info.version == Self::VERSION)
    }
}

/// Binds what a successor begins with: the heads of the changes that it began with, and its info. The manager's entry in the
/// membership log has it, so nobody else can say what a document began with.
pub(crate) fn base_digest(heads: &[[u8; 32]], info: &[u8]) -> Hash32 {
    let count = u32::try_from(heads.len()).unwrap_or(u32::MAX).to_be_bytes();
    let heads = heads.concat();
    sha256_parts(&[b"mecum successor v1\0", &count, &heads, info])
}

/// The first envelope of a successor.
#[derive(Encode, Decode)]
pub(crate) struct Base {
    #[n(0)]
    version: u8,
    /// The document that ends.
    #[n(1)]
    pub(crate) of: DocumentId,
    /// The heads of its state that the successor is made from.
    #[n(2)]
    covered: Vec<Hash32>,
    /// What is left out.
    #[n(3)]
    pub(crate) left_out: Vec<ItemKey>,
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(crate) info: Vec<u8>,
    #[cbor(n(5), with = "minicbor::bytes")]
    columns: Vec<u8>,
}

impl Base {
    const VERSION: u8 = 1;

    pub(crate) fn new(
        of: DocumentId,
        covered: &[[u8; 32]],
        left_out: Vec<ItemKey>,
        info: &Info,
        document: &Document,
    ) -> Self {
        Self {
            version: Self::VERSION,
            of,
            covered: covered.iter().map(|head| Hash32::from_bytes(*head)).collect(),
            left_out,
            info: info.encode(),
            columns: SnapshotPart::press_columns(&document.save()),
        }
    }

    pub(crate) fn covered(&self) -> Vec<[u8; 32]> {
        self.covered.iter().map(|head| *head.as_bytes()).collect()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("plain fields encode")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok().filter(|base: &Self| base.version == Self::VERSION)
    }

    /// The document that it begins with, after every guard on bytes and changes of a peer.
    pub(crate) fn document(&self, actor: Actor) -> Option<Document> {
        let chunk = unpress(&self.columns, MAX_SNAPSHOT_BYTES as u64).ok()?;
        let document = Document::load(&chunk, actor, Limits::default()).ok()?;
        document.steps().ok()?;
        Some(document)
    }
}

/// What an entry that replaces a document says to who has the epoch's key.
#[derive(Encode, Decode)]
pub(crate) struct Reason {
    #[n(0)]
    version: u8,
    #[n(1)]
    pub(crate) kind: u8,
    #[n(2)]
    pub(crate) words: String,
    #[n(3)]
    pub(crate) digest: Hash32,
}

impl Reason {
    pub(crate) fn new(kind: u8, reason: &str, digest: Hash32) -> Self {
        Self { version: 1, kind, words: reason.to_owned(), digest }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("plain fields encode")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok().filter(|reason: &Self| reason.version == 1)
    }
}
