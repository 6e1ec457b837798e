//! Recovery helpers without people: an account that has some, and what its devices are told.

use mecum_api::HelpersNoticeView;
use mecum_sync::{AccountBody, Helpers, HelpersNotice, encode};
use mecum_vault::{Durability, Table, WriteVaultError};

use crate::account_entries::account_entry_name;
use crate::session::Session;

impl Session {
    /// Names helpers in the account's log.
    pub fn choose_helpers_for_tests(&mut self, helpers: Helpers) {
        let mut follower = self.follower.clone();
        let body = AccountBody::SetHelpers { helpers: Some(helpers) };
        let entry = self.sign_body(&mut follower, body).expect("an account takes helpers");
        self.vault
            .write(Durability::Full, |w| -> Result<(), WriteVaultError> {
                w.put(Table::Account, &account_entry_name(entry.unverified().seq), &encode(&entry))?;
                w.put(Table::Sync, b"follower", &follower.to_bytes())
            })
            .expect("kept");
        self.follower = follower;
    }

    /// Has been told of a request, and the person has pressed *Stop*.
    pub fn stop_request_for_tests(&mut self, notice: HelpersNotice) {
        self.note_helpers(Some(notice)).expect("kept");
        self.stop_notice().expect("kept");
    }

    /// What stands first on home.
    pub fn helpers_notice_for_tests(&self) -> Option<HelpersNoticeView> {
        self.helpers_notice().expect("reads")
    }
}
