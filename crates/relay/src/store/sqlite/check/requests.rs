//! Requests by recovery helpers: each is the one that its row names, under the key of the device that asks. Whether the account is here
//! is not asked: a request is kept for any.

use mecum_sync::{HelpersRequest, Signed, helping};
use rusqlite::Connection;

use super::Checked;
use crate::store::StoreError;
use crate::store::sqlite::stored;

pub(super) fn check(c: &Connection, checked: &mut Checked) -> Result<(), StoreError> {
    let mut query =
        c.prepare("SELECT account, request, body FROM helper_request ORDER BY account, request")?;
    let mut rows = query.query([])?;
    let mut number = 0;
    while let Some(row) = rows.next()? {
        number += 1;
        let (account, named, body): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let request = stored::<Signed<HelpersRequest>>(&body, "request by helpers").ok();
        let holds = request.is_some_and(|request| {
            request.hash().as_bytes().as_slice() == named
                && request.unverified().account.as_bytes().as_slice() == account
                && helping::is_sound(&request)
        });
        if !holds {
            checked.add("helper_request", format!("row {number}"), "is not what its device signed");
        }
    }
    Ok(())
}
