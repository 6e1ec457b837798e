//! `/v1/helpers`: asking for an account by its recovery helpers. Who asks has nothing to prove yet, so until the wait is over every
//! account is answered alike, also one that is not here; the devices of one that is are told with every sync.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use mecum_seal::{SecretKey32, seal_to};
use mecum_sync::limits::MAX_SMALL_FRAME_BYTES;
use mecum_sync::{
    HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch, HelpersPart, HelpersStage, HelpersStopping,
    PROTOCOL_VERSION, RECOVERY_SIGNER, RefusalCode, helping,
};

use super::{Cbor, Context, Refused, author, body, source};
use crate::store::Asking;

fn answer(asking: &Asking, server_time_ms: i64) -> HelpersAnswer {
    HelpersAnswer {
        server_time_ms,
        stage: asking.stage,
        asked_at_ms: asking.asked_at_ms,
        released_at_ms: asking.released_at_ms,
        again_at_ms: asking.again_at_ms,
        sealed_part: Vec::new(),
        entries: Vec::new(),
        more: false,
    }
}

fn spoken(version: u32) -> Result<(), Refused> {
    if version == PROTOCOL_VERSION { Ok(()) } else { Err(RefusalCode::VersionUnsupported.into()) }
}

/// Takes a request, and tells the account's devices.
pub(super) async fn ask(State(context): State<Context>, request: Request) -> Result<Response, Refused> {
    let shared = &context.shared;
    let source = source(&request).ok_or(RefusalCode::Unavailable)?;
    let limit = shared.options.limits.body_timeout;
    let asked: HelpersAsk = body::frame(request.into_body(), MAX_SMALL_FRAME_BYTES, limit).await?;
    spoken(asked.version)?;
    let now_ms = shared.now_ms();
    let wanted = asked.request.unverified();
    let account = wanted.account;
    if wanted.server != shared.key.verifying_key() || !helping::is_sound(&asked.request) {
        return Err(RefusalCode::BadSignature.into());
    }
    // A device that has had no answer asks again. That takes no room, and nothing from who else is behind its address.
    let named = asked.request.hash();
    let known = shared.blocking(move |store| store.helpers_asking(account, named, now_ms)).await?.is_some();
    if !known && !shared.helper_asks_by_source.take(source, now_ms) {
        return Err(RefusalCode::RateLimited.into());
    }
    let asking = shared.blocking(move |store| store.helpers_ask(asked.request, now_ms)).await??;
    // An account that is not here has no socket that could ring; and what was asked before has been told.
    if asking.asked_at_ms == now_ms {
        let rung = shared.wakes.ring(account, RECOVERY_SIGNER);
        shared.counters.add("mecum_wakes_total", rung as u64);
    }
    Ok(Cbor(answer(&asking, now_ms)).into_response())
}

/// How a request stands, for the device that made it; and once it is released, what it gets.
pub(super) async fn fetch(State(context): State<Context>, request: Request) -> Result<Response, Refused> {
    let shared = &context.shared;
    let source = source(&request).ok_or(RefusalCode::Unavailable)?;
    let limit = shared.options.limits.body_timeout;
    let asked: HelpersFetch = body::frame(request.into_body(), MAX_SMALL_FRAME_BYTES, limit).await?;
    spoken(asked.version)?;
    let claimed = *asked.proof.unverified();
    let now_ms = shared.now_ms();
    let (account, named) = (claimed.account, claimed.request);
    let asking = shared.blocking(move |store| store.helpers_asking(account, named, now_ms)).await?;
    let own_key = shared.key.verifying_key();
    // No request costs as much as one.
    let card = asking.as_ref().map(|asking| asking.request.unverified().device.clone());
    let key = card.as_ref().map_or(own_key, |card| card.signing);
    let verified = asked.proof.verify(&key).is_ok() && card.is_some() && claimed.server == own_key;
    let fresh = shared.sessions.use_challenge(claimed.nonce, claimed.server_time_ms, now_ms, verified);
    let (Some(asking), Some(card), true) = (asking, card, verified && fresh) else {
        let told = shared.failures_by_source.take(source, now_ms);
        let code = if told { RefusalCode::Unauthorised } else { RefusalCode::RateLimited };
        return Err(code.into());
    };
    let mut answer = answer(&asking, now_ms);
    if asking.stage == HelpersStage::Released {
        let after = asked.after;
        let given = shared.blocking(move |store| store.helpers_given(account, after)).await??;
        let sealed = seal_to(
            &card.kem,
            helping::SERVER_PART_PURPOSE,
            named.as_bytes(),
            given.part.expose(),
            &*shared.options.entropy,
        );
        answer.sealed_part = sealed.map_err(|_| RefusalCode::BadEntry)?;
        (answer.entries, answer.more) = (given.entries, given.more);
    }
    Ok(Cbor(answer).into_response())
}

/// Keeps the server's part. It is in no answer before its release.
pub(super) async fn part(State(context): State<Context>, request: Request) -> Result<Response, Refused> {
    let shared = &context.shared;
    let (author, _) = author(shared, request.headers())?;
    if !shared.by_device.take((author.account, author.device), shared.now_ms()) {
        return Err(RefusalCode::RateLimited.into());
    }
    let limit = shared.options.limits.body_timeout;
    let brought: HelpersPart = body::frame(request.into_body(), MAX_SMALL_FRAME_BYTES, limit).await?;
    spoken(brought.version)?;
    let (set, part) = (brought.set, SecretKey32::from_bytes(brought.part));
    shared.blocking(move |store| store.helpers_part(author.account, set, part)).await??;
    Ok(Cbor(HelpersDone { server_time_ms: shared.now_ms() }).into_response())
}

/// Stops what is asked, for a live device of the account or for its kit. What is wrong with the proof is not said.
pub(super) async fn stop(State(context): State<Context>, request: Request) -> Result<Response, Refused> {
    let shared = &context.shared;
    let source = source(&request).ok_or(RefusalCode::Unavailable)?;
    let limit = shared.options.limits.body_timeout;
    let asked: HelpersStopping = body::frame(request.into_body(), MAX_SMALL_FRAME_BYTES, limit).await?;
    spoken(asked.version)?;
    let claimed = *asked.stop.unverified();
    let (account, signer) = (claimed.account, claimed.signer);
    let key = if signer == RECOVERY_SIGNER {
        shared.blocking(move |store| store.recovery_keys(account)).await?.kit
    } else {
        shared.blocking(move |store| store.device(account, signer)).await?.map(|card| card.signing)
    };
    let own_key = shared.key.verifying_key();
    let verified = asked.stop.verify(&key.unwrap_or(own_key)).is_ok();
    let now_ms = shared.now_ms();
    if !(verified && key.is_some() && claimed.server == own_key) {
        let told = shared.failures_by_source.take(source, now_ms);
        let code = if told { RefusalCode::Unauthorised } else { RefusalCode::RateLimited };
        return Err(code.into());
    }
    shared.blocking(move |store| store.helpers_stop(account, claimed.request, now_ms)).await?;
    let rung = shared.wakes.ring(account, signer);
    shared.counters.add("mecum_wakes_total", rung as u64);
    Ok(Cbor(HelpersDone { server_time_ms: now_ms }).into_response())
}
