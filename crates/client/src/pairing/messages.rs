//! What the two devices say to each other, and the code in its two spellings.

use mecum_api::{CallError, Code};
use mecum_seal::{
    AccountId, BadPairingWords, DeviceId, Hash32, IncarnationId, KemPublic, PairingSecret, VerifyingKey,
};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::driver::Home;

/// The purpose of the seal around a [`Welcome`].
pub(super) const WELCOME_PURPOSE: &str = "mecum pairing welcome v1";

/// In the slot of the welcome: the old device says no, or its code is no longer good.
pub(super) const NO: &[u8] = b"";

/// Bytes of an encoded [`Welcome`], and a few to spare.
const WELCOME_BYTES: usize = 48;

/// Which account and server: from the old device.
#[derive(Encode, Decode)]
pub(super) struct Offer {
    #[n(0)]
    pub(super) account: AccountId,
    #[n(1)]
    pub(super) genesis: Hash32,
    #[n(2)]
    pub(super) relay: VerifyingKey,
}

/// Keys and name: from the new device.
#[derive(Clone, Encode, Decode)]
pub(super) struct Join {
    #[n(0)]
    pub(super) device: DeviceId,
    #[n(1)]
    pub(super) signing: VerifyingKey,
    #[n(2)]
    pub(super) kem: KemPublic,
    #[n(3)]
    pub(super) incarnation: IncarnationId,
    #[n(4)]
    pub(super) name: String,
}

/// The account's key: from the old device, sealed to the new one.
#[derive(Encode, Decode, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub(super) struct Welcome {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(super) account_kem: [u8; 32],
    /// The account's keys before that, newest first, 32 bytes each.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(super) earlier: Option<Vec<u8>>,
}

impl Welcome {
    /// Encoded where it is wiped, and at once at its full size: no copy is left behind by growing.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let earlier = self.earlier.as_ref().map_or(0, Vec::len);
        let mut bytes = Zeroizing::new(Vec::with_capacity(WELCOME_BYTES + earlier));
        minicbor::encode(self, &mut *bytes).expect("plain fields encode");
        bytes
    }
}

pub(crate) fn body<T: Encode<()>>(message: &T) -> Vec<u8> {
    minicbor::to_vec(message).expect("plain fields encode")
}

pub(crate) fn bad_code() -> CallError {
    CallError::new(Code::BadPairingCode, "error-pairing-code")
}

/// Which word it is, where that can be known.
fn bad_words(error: &BadPairingWords) -> CallError {
    let say = |id: &str| CallError::new(Code::BadPairingCode, id);
    match error {
        BadPairingWords::UnknownWord { position } => say("error-pairing-word").with("at", position),
        BadPairingWords::WrongCount { got } => say("error-pairing-count").with("got", got),
        _ => say("error-pairing-words"),
    }
}

/// Opens a message of a slot.
pub(crate) fn message<T: for<'b> Decode<'b, ()>>(
    secret: &PairingSecret,
    slot: &str,
    sealed: &[u8],
) -> Result<T, CallError> {
    let opened = secret.open(slot, sealed).map_err(|_| bad_code())?;
    minicbor::decode(&opened).map_err(|_| bad_code())
}

/// The text of the QR code.
pub(crate) fn qr_text(secret: &PairingSecret, home: &Home) -> String {
    let hex = secret.expose().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("mecum:pair?s={hex}&k={}&u={}", home.pin, home.url)
}

/// The secret, and the address and pin where the text holds them.
pub(crate) fn read_code(
    code: &str,
    server: Option<&str>,
) -> Result<(PairingSecret, String, Option<VerifyingKey>), CallError> {
    if let Some(query) = code.trim().strip_prefix("mecum:pair?") {
        let part = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
        let hex = part("s=").ok_or_else(bad_code)?;
        let bytes: Result<Vec<u8>, _> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap_or("x"), 16))
            .collect();
        let bytes = bytes.map_err(|_| bad_code())?.try_into().map_err(|_| bad_code())?;
        let pin: VerifyingKey = part("k=").and_then(|pin| pin.parse().ok()).ok_or_else(bad_code)?;
        let url = query.split_once("u=").map(|(_, url)| url.to_owned()).ok_or_else(bad_code)?;
        return Ok((PairingSecret::from_bytes(bytes), url, Some(pin)));
    }
    let secret = PairingSecret::from_words(code).map_err(|error| bad_words(&error))?;
    let server = server.map(str::trim).filter(|server| !server.is_empty());
    let url = server.ok_or_else(|| CallError::new(Code::BadPairingCode, "error-pairing-server"))?;
    Ok((secret, url.trim_end_matches('/').to_owned(), None))
}
