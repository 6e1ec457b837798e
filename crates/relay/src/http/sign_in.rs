//! Enrolment and sign-in. Whatever is wrong with a sign-in, the answer is the same.

use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use mecum_sync::limits::MAX_SMALL_FRAME_BYTES;
use mecum_sync::{
    Challenge, EnrolRequest, EnrolResponse, FORMS_HANDED, PROTOCOL_VERSION, RefusalCode, ServerInfo,
    SessionGrant, SignIn, Signed,
};

use super::{Cbor, Context, Refused, body, source};
use crate::code;
use crate::store::Author;

pub(super) async fn server(State(context): State<Context>) -> Response {
    let shared = &context.shared;
    let info = ServerInfo {
        version: PROTOCOL_VERSION,
        name: shared.options.name.clone(),
        key: shared.key.verifying_key(),
        server_time_ms: shared.now_ms(),
    };
    Cbor(Signed::sign(info, &shared.key)).into_response()
}

pub(super) async fn enrol(State(context): State<Context>, request: Request) -> Result<Response, Refused> {
    let shared = &context.shared;
    let source = source(&request).ok_or(RefusalCode::Unavailable)?;
    if !shared.failures_by_source.has(source, shared.now_ms()) {
        return Err(RefusalCode::RateLimited.into());
    }
    let limit = shared.options.limits.body_timeout;
    let enrolment: EnrolRequest = body::frame(request.into_body(), MAX_SMALL_FRAME_BYTES, limit).await?;
    if enrolment.version != PROTOCOL_VERSION {
        return Err(RefusalCode::VersionUnsupported.into());
    }
    let now_ms = shared.now_ms();
    let code = code::hash(&enrolment.code);
    let genesis = enrolment.genesis;
    let result = shared.blocking(move |store| store.enrol(code, &genesis, now_ms)).await?;
    if let Err(refusal) = result {
        shared.failures_by_source.take(source, now_ms);
        return Err(refusal.into());
    }
    Ok(Cbor(EnrolResponse { server_time_ms: now_ms }).into_response())
}

pub(super) async fn challenge(State(context): State<Context>, request: Request) -> Result<Response, Refused> {
    let shared = &context.shared;
    body::read(request.into_body(), 0, shared.options.limits.body_timeout).await?;
    let server_time_ms = shared.now_ms();
    let nonce = shared.sessions.challenge(&*shared.options.entropy, server_time_ms);
    Ok(Cbor(Challenge { nonce, server_time_ms, server: shared.key.verifying_key() }).into_response())
}

/// A right sign-in is never refused for what others got wrong, also if they share its address: a key cannot be guessed, and
/// whoever could use up the failures of an address would lock everybody behind it out. Only what is wrong is told to wait.
pub(super) async fn session(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refused> {
    let shared = &context.shared;
    let forms = query.as_deref().map(forms).transpose()?;
    let source = source(&request).ok_or(RefusalCode::Unavailable)?;
    let limit = shared.options.limits.body_timeout;
    let signed: Signed<SignIn> = body::frame(request.into_body(), MAX_SMALL_FRAME_BYTES, limit).await?;
    let claimed = *signed.unverified();
    let (account, device) = (claimed.account, claimed.device);
    let card = shared.blocking(move |store| store.device(account, device)).await?;
    let now_ms = shared.now_ms();
    // A device that is not there costs as much as one that is.
    let own_key = shared.key.verifying_key();
    let device_key = card.as_ref().map_or(own_key, |card| card.signing);
    let verified = signed.verify(&device_key).is_ok();
    let right = verified && card.is_some() && claimed.server == own_key;
    let fresh = shared.sessions.use_challenge(claimed.nonce, claimed.server_time_ms, now_ms, right);
    if !(right && fresh) {
        let told = shared.failures_by_source.take(source, now_ms);
        let code = if told { RefusalCode::Unauthorised } else { RefusalCode::RateLimited };
        return Err(code.into());
    }
    let author = Author { account, device, incarnation: claimed.incarnation };
    let (token, expires_at_ms) = shared.sessions.open(author, &*shared.options.entropy, now_ms);
    Ok(Cbor(SessionGrant { token, expires_at_ms, server_time_ms: now_ms, forms }).into_response())
}

/// What is answered to who says which short forms it takes: those that both know.
fn forms(query: &str) -> Result<u32, Refused> {
    let number =
        query.strip_prefix("forms=").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let theirs: u32 = number.and_then(|digits| digits.parse().ok()).ok_or(RefusalCode::Malformed)?;
    Ok(theirs.min(FORMS_HANDED))
}
