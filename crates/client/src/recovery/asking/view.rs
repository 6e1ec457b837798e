//! What the screens are told while an empty device waits, and what its parts amount to.

use mecum_api::{CallError, Code, RestorePartView, RestorePhase, RestoreView};
use mecum_seal::{
    CombineError, HELPERS_NEEDED, HelperPart, KemSecret, RecoveryKey, SecretKey32, check_words, open_from,
};
use mecum_sync::HelpersStage;

use super::Asking;
use super::record::{self, Part, Record};
use crate::app::{App, held};
use crate::helpers::{GIVEN_PURPOSE, Given, Secret};
use crate::pairing::MAX_NAME_BYTES;
use crate::recovery::restoring::other_account;

impl App {
    pub(super) fn restore_view(&self) -> RestoreView {
        let needed = u8::try_from(HELPERS_NEEDED).unwrap_or(u8::MAX);
        let asking = held(&self.inner.asking);
        let Some(Asking { record, message_id, .. }) = asking.as_ref() else {
            let phase = if self.is_asked() { RestorePhase::Locked } else { RestorePhase::None };
            return RestoreView { phase, needed, ..RestoreView::default() };
        };
        let phase = match record.stage() {
            Some(HelpersStage::Released) if record.server_part.is_some() => RestorePhase::Released,
            Some(HelpersStage::Stopped) => RestorePhase::Stopped,
            _ if record.stage == record::OVER => RestorePhase::Over,
            _ => RestorePhase::Waiting,
        };
        let wrong =
            |part: &Part| record.set.is_some_and(|set| !part.whole().is_some_and(|part| set.is_part(&part)));
        let parts = record.parts.iter().map(|part| RestorePartView {
            number: part.number,
            from: part.from.clone(),
            wrong: wrong(part),
        });
        RestoreView {
            phase,
            server: record.url.clone(),
            account: record.account.to_string(),
            device_name: record.device_name.clone(),
            words: check_words(&record.request.hash()),
            asked_ms: record.asked_ms,
            released_ms: record.released_ms,
            again_ms: (phase == RestorePhase::Stopped).then_some(record.again_ms),
            parts: parts.collect(),
            needed,
            message_id: message_id.clone(),
        }
    }
}

/// A helper's part, sealed to this device.
pub(super) fn open_part(kem: &KemSecret, place: &[u8], sealed: &[u8]) -> Option<Part> {
    let opened = open_from(kem, GIVEN_PURPOSE, place, sealed).ok()?;
    let given: Given = minicbor::decode(&opened).ok()?;
    let part = Part { number: given.number, value: Secret(given.value), from: given.from.clone() };
    (part.from.len() <= MAX_NAME_BYTES && part.whole().is_some()).then_some(part)
}

/// The helpers' recovery key, of the server's part and two right ones. A wrong part is named where too few others are here.
pub(super) fn recovery_of(record: &Record) -> Result<RecoveryKey, CallError> {
    let (Some(server), Some(set), Some(signing)) = (&record.server_part, record.set, record.helpers_key)
    else {
        return Err(CallError::new(Code::Refused, "error-restore-waiting"));
    };
    let parts: Vec<HelperPart> = record.parts.iter().filter_map(Part::whole).collect();
    let right: Vec<HelperPart> = parts.iter().filter(|part| set.is_part(part)).cloned().collect();
    let server = SecretKey32::from_bytes(server.0);
    let Ok(recovery) = set.combine(&right, &server) else {
        // With too few right ones the first wrong one is the one to speak of.
        return Err(match set.combine(&parts, &server) {
            Err(CombineError::WrongPart { number }) => {
                CallError::new(Code::Refused, "error-restore-part").with("number", number)
            }
            _ => CallError::new(Code::Refused, "error-restore-parts"),
        });
    };
    // Right parts with another server's part make another key.
    if recovery.signing_key().verifying_key() == signing { Ok(recovery) } else { Err(other_account()) }
}
