//! The requests of recovery helpers.

use mecum_seal::{AccountId, Hash32, SigningKey};
use mecum_sync::limits::{MAX_RESPONSE_BYTES, MAX_SMALL_FRAME_BYTES};
use mecum_sync::{
    Challenge, HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch, HelpersPart, HelpersProof,
    HelpersRequest, HelpersStopping, PROTOCOL_VERSION, Signed, encode,
};

use super::{Remote, RemoteError, Session};

impl Remote {
    /// Asks for an account by its helpers. The same again is answered the same.
    pub async fn helpers_ask(&self, request: Signed<HelpersRequest>) -> Result<HelpersAnswer, RemoteError> {
        let ask = HelpersAsk { version: PROTOCOL_VERSION, request };
        self.post("/v1/helpers/ask", None, encode(&ask), MAX_SMALL_FRAME_BYTES).await
    }

    /// How a request stands; once it is released, with the server's part and the account's log after entry `after`.
    pub async fn helpers_fetch(
        &self,
        key: &SigningKey,
        account: AccountId,
        request: Hash32,
        after: u64,
    ) -> Result<HelpersAnswer, RemoteError> {
        let Challenge { nonce, server_time_ms, server } = self.challenge().await?;
        let proof = HelpersProof { server, nonce, server_time_ms, account, request };
        let fetch = HelpersFetch { version: PROTOCOL_VERSION, proof: Signed::sign(proof, key), after };
        self.post("/v1/helpers/fetch", None, encode(&fetch), MAX_RESPONSE_BYTES).await
    }

    /// Brings the server its part. The same again is taken again.
    pub async fn helpers_part(
        &self,
        session: &Session,
        part: &HelpersPart,
    ) -> Result<HelpersDone, RemoteError> {
        self.post("/v1/helpers/part", Some(session), encode(part), MAX_SMALL_FRAME_BYTES).await
    }

    /// Stops a request. The same again is answered the same.
    pub async fn helpers_stop(&self, stop: &HelpersStopping) -> Result<HelpersDone, RemoteError> {
        self.post("/v1/helpers/stop", None, encode(stop), MAX_SMALL_FRAME_BYTES).await
    }
}
