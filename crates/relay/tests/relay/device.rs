//! A device: honest entries and pushes, a follower, and a session.

use mecum_seal::{SigningKey, SpaceId};
use mecum_sync::testing::Actor;
use mecum_sync::{
    Accepted, AccountEntry, Challenge, EnrolRequest, EnrolResponse, Follower, PROTOCOL_VERSION, Push,
    Refusal, SessionGrant, SignIn, Signed, SyncRequest, SyncResponse, encode,
};

use crate::server::Server;

pub(crate) struct Device {
    pub(crate) actor: Actor,
    pub(crate) follower: Follower,
    pub(crate) token: String,
}

impl Device {
    /// Enrols a new account and signs in.
    pub(crate) async fn enrolled(server: &Server, seed: u64) -> Self {
        let code = server.relay.make_enrolment_code().unwrap();
        Self::enrolled_by(server, seed, &code).await
    }

    /// Enrols the account of a hospital and signs in.
    pub(crate) async fn host(server: &Server, seed: u64) -> Self {
        let code = server.relay.make_host_code().unwrap();
        Self::enrolled_by(server, seed, &code).await
    }

    async fn enrolled_by(server: &Server, seed: u64, code: &str) -> Self {
        let actor = Actor::new(seed);
        let genesis = actor.account_genesis();
        let _: EnrolResponse = enrol(server, code, &genesis).await.frame();
        let follower = Follower::found(&genesis, actor.incarnation, Some(server.pin())).unwrap();
        let mut device = Self { actor, follower, token: String::new() };
        device.sign_in(server).await;
        device
    }

    /// A second device, let in by this one.
    pub(crate) async fn pair(&mut self, server: &Server, seed: u64) -> Self {
        let mut actor = Actor::second(seed, &self.actor);
        for (space, writing) in &self.actor.writing {
            actor.join_space(*space, writing.membership_head);
        }
        self.catch_up(server).await;
        let log = self.follower.account_log().unwrap();
        let add = self.actor.add_device(log, &actor);
        let mut request = self.request();
        request.account_entries.push(add);
        let response = self.sync(server, &request).await.unwrap();
        assert_eq!(response.account_outcomes[0].refusal(), None, "the device is added");
        let genesis = self.follower.account_log().unwrap().genesis();
        let follower =
            Follower::join(actor.account, actor.device, actor.incarnation, genesis, Some(server.pin()));
        let mut device = Self { actor, follower, token: String::new() };
        device.sign_in(server).await;
        device
    }

    pub(crate) async fn sign_in(&mut self, server: &Server) {
        let challenge: Challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
        let signed = self.sign(&challenge, &self.actor.signing);
        let grant: SessionGrant = server.ask("POST", "/v1/session", None, &encode(&signed)).await.frame();
        self.token = grant.token.to_hex();
    }

    pub(crate) fn sign(&self, challenge: &Challenge, key: &SigningKey) -> Signed<SignIn> {
        let Challenge { nonce, server_time_ms, server } = *challenge;
        let Actor { account, device, incarnation, .. } = self.actor;
        Signed::sign(SignIn { server, nonce, server_time_ms, account, device, incarnation }, key)
    }

    pub(crate) fn request(&self) -> SyncRequest {
        SyncRequest::pull(self.follower.cursor(), 1 << 22)
    }

    /// One request; its answer is checked and taken in.
    pub(crate) async fn sync(
        &mut self,
        server: &Server,
        request: &SyncRequest,
    ) -> Result<SyncResponse, Refusal> {
        let answer = server.ask("POST", "/v1/sync", Some(&self.token), &encode(request)).await;
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        let response: SyncResponse = answer.frame();
        self.follower.check_response(request, &response).expect("the answer fits");
        for item in &response.items {
            self.follower.accept(item).expect("an honest relay is believed");
        }
        self.follower.advance(response.cursor);
        Ok(response)
    }

    /// Pulls until nothing is left; what came is opened.
    pub(crate) async fn catch_up(&mut self, server: &Server) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        loop {
            let request = self.request();
            let answer = server.ask("POST", "/v1/sync", Some(&self.token), &encode(&request)).await;
            let response: SyncResponse = answer.frame();
            self.follower.check_response(&request, &response).expect("the answer fits");
            for item in &response.items {
                if let Accepted::Envelopes { envelopes, .. } = self.follower.accept(item).unwrap() {
                    texts.extend(envelopes.into_iter().map(|(_, bytes)| bytes));
                }
            }
            self.follower.advance(response.cursor);
            if !response.more {
                return texts;
            }
        }
    }

    /// Founds a space at the relay.
    pub(crate) async fn space(&mut self, server: &Server) -> SpaceId {
        let (space, genesis) = self.actor.found_space(Some(server.pin()));
        self.follower.found_space(&genesis).unwrap();
        let mut request = self.request();
        request.space_entries.push(genesis);
        let response = self.sync(server, &request).await.unwrap();
        assert_eq!(response.space_outcomes[0].refusal(), None, "the space is founded");
        space
    }

    /// Pushes texts that must be accepted.
    pub(crate) async fn write(&mut self, server: &Server, space: SpaceId, texts: &[&str]) -> SyncResponse {
        let received = self.follower.received(space);
        let push = self.actor.push(space, texts, received);
        self.push(server, &push).await.expect("an honest push is accepted")
    }

    /// Pushes; the refusal, if it is refused.
    pub(crate) async fn push(&mut self, server: &Server, push: &Push) -> Result<SyncResponse, Refusal> {
        let mut request = self.request();
        request.pushes.push(push.clone());
        let response = self.sync(server, &request).await?;
        match response.push_outcomes[0].refusal() {
            Some(refusal) => Err(*refusal),
            None => Ok(response),
        }
    }
}

pub(crate) async fn enrol(
    server: &Server,
    code: &str,
    genesis: &Signed<AccountEntry>,
) -> crate::server::Answer {
    let request = EnrolRequest { version: PROTOCOL_VERSION, code: code.to_owned(), genesis: genesis.clone() };
    server.ask("POST", "/v1/enrol", None, &encode(&request)).await
}
