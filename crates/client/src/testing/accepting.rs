//! What a test says of invitations that a person accepted.

use mecum_vault::Durability;

use crate::session::Session;
use crate::stage::Stage;

impl Session {
    /// Accepts what another device of the account has accepted, without its note.
    pub fn accept_as_for_tests(&mut self, other: &Session) {
        let mut follower = self.follower.clone();
        let mut stage = Stage::default();
        for mut accepted in other.accepted_charts() {
            let theirs = other.follower.expected().filter(|(_, expected)| expected.owner == accepted.owner);
            accepted.spaces = theirs.map(|(space, _)| space).collect();
            self.stage_accepted(&mut stage, &mut follower, &accepted).expect("a chart to accept");
        }
        stage.follower = Some(follower);
        self.commit(stage, Durability::Full).expect("kept");
    }
}
