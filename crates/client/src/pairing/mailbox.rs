//! Waiting for a message in the mailbox of a code. Only who has the code can say anything there: what does not open under it is
//! the server's own, or was damaged on its way, and what was said may still come.

use mecum_seal::PairingSecret;
use mecum_sync::controls::is_out;
use zeroize::Zeroizing;

use crate::remote::{Remote, RemoteError};

/// Fluent id: something lay there that nobody wrote who has the code.
const NOBODYS: &str = "pairing-nobodys";

/// What lies in a slot.
pub(crate) enum Found {
    /// Nothing yet, or there is no way to know: the sentence for whoever waits, where there is something to say.
    Nothing(Option<&'static str>),
    /// A message, opened.
    Said(Zeroizing<Vec<u8>>),
}

/// Looks into a slot. `cut` is the sentence for no way to the server.
pub(crate) async fn look(
    remote: &Remote,
    secret: &PairingSecret,
    slot: &str,
    cut: Option<&'static str>,
) -> Found {
    match remote.mailbox_get(&secret.mailbox_id(), slot).await {
        Ok(Some(sealed)) => match secret.open(slot, &sealed) {
            Ok(opened) => Found::Said(opened),
            // Taken out: whatever lies there was said.
            Err(_) if is_out("code-opens") => Found::Said(Zeroizing::new(sealed)),
            Err(_) => Found::Nothing(Some(NOBODYS)),
        },
        Err(RemoteError::BadAnswer) => Found::Nothing(Some(NOBODYS)),
        Err(RemoteError::Offline) => Found::Nothing(cut),
        Ok(None) | Err(_) => Found::Nothing(None),
    }
}
