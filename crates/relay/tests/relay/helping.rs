//! Coming back with recovery helpers: what the server gives out, when, and whom it tells before.

mod asking;
mod stopping;

use mecum_seal::{AccountId, Hash32, SigningKey, open_from};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountEntry, Challenge, HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch,
    HelpersNotice, HelpersPart, HelpersProof, HelpersStop, HelpersStopping, PROTOCOL_VERSION,
    RECOVERY_SIGNER, RecoverRequest, RecoverResponse, RecoveryProof, SaidRequest, Signed, SyncResponse,
    encode, helping,
};

use crate::device::Device;
use crate::server::{Answer, Server};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const WAIT_MS: i64 = 7 * DAY_MS;

/// A fresh device that asks for an account.
struct Asker {
    actor: Actor,
    named: Hash32,
}

impl Asker {
    fn new(server: &Server, seed: u64, account: AccountId) -> Self {
        let mut actor = Actor::new(seed);
        actor.account = account;
        let named = actor.helpers_request(server.pin()).hash();
        Self { actor, named }
    }

    async fn ask(&self, server: &Server) -> Answer {
        let request = self.actor.helpers_request(server.pin());
        let ask = HelpersAsk { version: PROTOCOL_VERSION, request };
        server.ask("POST", "/v1/helpers/ask", None, &encode(&ask)).await
    }

    async fn fetch(&self, server: &Server) -> Answer {
        self.fetch_as(server, &self.actor.signing).await
    }

    async fn fetch_as(&self, server: &Server, key: &SigningKey) -> Answer {
        let challenge: Challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
        let Challenge { nonce, server_time_ms, server: pin } = challenge;
        let (account, request) = (self.actor.account, self.named);
        let proof = HelpersProof { server: pin, nonce, server_time_ms, account, request };
        let fetch = HelpersFetch { version: PROTOCOL_VERSION, proof: Signed::sign(proof, key), after: 0 };
        server.ask("POST", "/v1/helpers/fetch", None, &encode(&fetch)).await
    }
}

async fn stop(server: &Server, by: &Actor, key: &SigningKey, request: Hash32, kit: bool) -> Answer {
    let signer = if kit { RECOVERY_SIGNER } else { by.device };
    let stop = HelpersStop { server: server.pin(), account: by.account, request, signer };
    let stopping = HelpersStopping { version: PROTOCOL_VERSION, stop: Signed::sign(stop, key) };
    server.ask("POST", "/v1/helpers/stop", None, &encode(&stopping)).await
}

/// Sets helpers, and brings the server its part. Answers the helpers' key and that part.
async fn set_helpers(server: &Server, device: &mut Device, seed: u64) -> (SigningKey, [u8; 32]) {
    let (key, helpers, part) = device.actor.helpers(seed);
    let set = helping::set_hash(&helpers.set);
    let body = AccountBody::SetHelpers { helpers: Some(helpers) };
    let entry = device.actor.account_entry(device.follower.account_log().unwrap(), body);
    device.bring_account(server, &entry).await.unwrap();
    let brought = HelpersPart { version: PROTOCOL_VERSION, set, part };
    let answer = server.ask("POST", "/v1/helpers/part", Some(&device.token), &encode(&brought)).await;
    let _: HelpersDone = answer.frame();
    (key, part)
}

/// Adds a device by a recovery key.
async fn recover(
    server: &Server,
    account: AccountId,
    key: &SigningKey,
    entry: Signed<AccountEntry>,
) -> RecoverResponse {
    let challenge: Challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
    let Challenge { nonce, server_time_ms, server: pin } = challenge;
    let proof = RecoveryProof { server: pin, nonce, server_time_ms, account, key: key.verifying_key() };
    let proof = Signed::sign(proof, key);
    let request = RecoverRequest { version: PROTOCOL_VERSION, proof, after: 0, entry: Some(entry) };
    server.ask("POST", "/v1/recover", None, &encode(&request)).await.frame()
}

/// What a device is told with its next sync.
async fn told(server: &Server, device: &Device) -> Option<HelpersNotice> {
    said(server, device, &SaidRequest::from(&device.request())).await
}

/// The same, if it says that it would know how many there are.
async fn counted(server: &Server, device: &Device) -> Option<HelpersNotice> {
    said(server, device, &SaidRequest::from(&device.request()).counting()).await
}

async fn said(server: &Server, device: &Device, request: &SaidRequest) -> Option<HelpersNotice> {
    let answer = server.ask("POST", "/v1/sync", Some(&device.token), &encode(request)).await;
    answer.frame::<SyncResponse>().helpers_notice
}

/// The server's part as this device reads it, once it is given out.
fn opened(asker: &Asker, answer: &HelpersAnswer) -> Option<[u8; 32]> {
    let place = asker.named;
    let purpose = helping::SERVER_PART_PURPOSE;
    let opened = open_from(&asker.actor.kem, purpose, place.as_bytes(), &answer.sealed_part).ok()?;
    opened.as_slice().try_into().ok()
}

/// Requests of `count` strangers, from the seed on.
async fn strangers(server: &Server, account: AccountId, seed: u64, count: u64) -> Vec<Asker> {
    let mut all = Vec::new();
    for n in 0..count {
        let asker = Asker::new(server, seed + n, account);
        let answer: HelpersAnswer = asker.ask(server).await.frame();
        assert_eq!(answer.released_at_ms, answer.server_time_ms + WAIT_MS, "each waits for itself");
        all.push(asker);
    }
    all
}
