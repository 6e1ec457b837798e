//! `POST /v1/recover`: who holds an account's recovery key reads its log and adds a device to it, with no session. Whatever is
//! wrong with the proof, the answer is the same, so that it tells nothing about who has an account.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use mecum_seal::{AccountId, DeviceId};
use mecum_sync::limits::MAX_RECOVER_BYTES;
use mecum_sync::{PROTOCOL_VERSION, RecoverRequest, RecoverResponse, RefusalCode};

use super::{Cbor, Context, Refused, body, source};
use crate::Shared;
use crate::store::{Quota, Recovering};

/// In a proof: the account is to be found by its key.
const NOT_KNOWN: AccountId = AccountId::from_bytes([0; 16]);

/// As with a sign-in, a right proof is never refused for what others got wrong.
pub(super) async fn recover(State(context): State<Context>, request: Request) -> Result<Response, Refused> {
    let shared = &context.shared;
    let source = source(&request).ok_or(RefusalCode::Unavailable)?;
    let limits = shared.options.limits;
    let asked: RecoverRequest =
        body::frame(request.into_body(), MAX_RECOVER_BYTES, limits.body_timeout).await?;
    if asked.version != PROTOCOL_VERSION {
        return Err(RefusalCode::VersionUnsupported.into());
    }
    let claimed = *asked.proof.unverified();
    // Who has the kit alone knows no id.
    let account = if claimed.account == NOT_KNOWN {
        let key = claimed.key;
        shared.blocking(move |store| store.account_of_recovery(key)).await?.unwrap_or(NOT_KNOWN)
    } else {
        claimed.account
    };
    let keys = shared.blocking(move |store| store.recovery_keys(account)).await?;
    // The kit's or the helpers': either may ask.
    let stored = keys.which(&claimed.key);
    let now_ms = shared.now_ms();
    // An account without a key, or none at all, costs as much as one that has one.
    let own_key = shared.key.verifying_key();
    let key = stored.unwrap_or(own_key);
    let verified = asked.proof.verify(&key).is_ok();
    let right = verified && stored.is_some() && claimed.server == own_key;
    let fresh = shared.sessions.use_challenge(claimed.nonce, claimed.server_time_ms, now_ms, right);
    if !(right && fresh) {
        let told = shared.failures_by_source.take(source, now_ms);
        let code = if told { RefusalCode::Unauthorised } else { RefusalCode::RateLimited };
        return Err(code.into());
    }
    let recovering = Recovering {
        account,
        key,
        after: asked.after,
        entry: asked.entry,
        quota: Quota { bytes: limits.quota_bytes, spaces: limits.quota_spaces },
        now_ms,
    };
    let recovered = shared.blocking(move |store| store.recover(recovering)).await??;
    end(shared, &recovered.ended);
    for account in &recovered.news_for {
        // Nobody brought it who would know already.
        let rung = shared.wakes.ring(*account, mecum_sync::RECOVERY_SIGNER);
        shared.counters.add("mecum_wakes_total", rung as u64);
    }
    let entries = recovered.entries;
    Ok(Cbor(RecoverResponse { server_time_ms: now_ms, entries, more: recovered.more }).into_response())
}

/// Ends the sessions of removed devices, and closes their wake sockets.
pub(super) fn end(shared: &Shared, devices: &[(AccountId, DeviceId)]) {
    for (account, device) in devices {
        shared.sessions.end(*account, *device);
        shared.wakes.end(*account, *device);
    }
}
