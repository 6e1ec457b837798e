//! What became of a mending, as it is said when the vault is open again.

use mecum_api::{Finding, FindingKind, MendBy};

/// What became of a mending.
pub(super) struct Outcome {
    pub(super) found: Vec<Finding>,
    pub(super) left: Vec<Finding>,
    pub(super) entries: u32,
    pub(super) unsent: u32,
    pub(super) aside: Option<String>,
    pub(super) by: Option<MendBy>,
    pub(super) message_id: Option<String>,
}

impl Outcome {
    pub(super) fn none() -> Self {
        Outcome {
            found: Vec::new(),
            left: Vec::new(),
            entries: 0,
            unsent: 0,
            aside: None,
            by: None,
            message_id: None,
        }
    }

    /// A vault that was put together and could not be put in place at once is there by now, or nothing of it is.
    pub(super) fn look_again(&mut self, under_way: bool) {
        if self.by.is_none() || self.message_id.is_none() {
            return;
        }
        if !under_way {
            self.message_id = None;
            return;
        }
        (self.by, self.entries, self.unsent) = (None, 0, 0);
        self.left.clone_from(&self.found);
    }

    pub(super) fn beyond_reading() -> Self {
        Outcome { found: beyond_reading(), left: beyond_reading(), ..Outcome::none() }
    }
}

/// The file cannot be read as a vault at all.
pub(super) fn beyond_reading() -> Vec<Finding> {
    vec![Finding { kind: FindingKind::File, count: 1, mend: MendBy::Backup }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mending_whose_last_step_the_unlock_finishes_is_said_to_be_done_and_no_other() {
        let found = vec![Finding { kind: FindingKind::File, count: 1, mend: MendBy::Here }];
        let half = || Outcome {
            found: found.clone(),
            entries: 3,
            unsent: 1,
            by: Some(MendBy::Here),
            message_id: Some("error-not-saved".to_owned()),
            ..Outcome::none()
        };
        let mut finished = half();
        finished.look_again(false);
        assert_eq!(
            (finished.message_id, finished.by, finished.entries),
            (None, Some(MendBy::Here), 3),
            "done"
        );
        let mut still = half();
        still.look_again(true);
        assert_eq!(still.message_id.as_deref(), Some("error-not-saved"), "it still stands in the way");
        assert_eq!((still.by, still.entries, still.left), (None, 0, found), "and nothing was mended");
        let mut failed = Outcome { message_id: Some("error-mend-loses".to_owned()), ..Outcome::none() };
        failed.look_again(false);
        assert!(failed.message_id.is_some(), "what failed before that stays failed");
    }
}
