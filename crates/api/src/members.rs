//! Who else sees a chart: members of its sections, invitations, and a chart that somebody else shares.

use mecum_domain::ChartId;
use serde::{Deserialize, Serialize};

/// What a member may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberRole {
    /// Reads.
    #[default]
    Reader,
    /// Reads and writes.
    Writer,
    /// Reads, writes, and lets others in.
    Manager,
}

/// What a member may do, one by one; sealed in the entry that lets them in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Reads.
    #[default]
    Read,
    /// Writes entries.
    Write,
    /// Books appointments.
    Book,
    /// Shares further.
    Share,
}

/// How a membership stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberState {
    /// It is in force: the server countersigned it.
    #[default]
    Member,
    /// Let in on this device; the server has not heard of it yet.
    Joining,
    /// Removed on this device; the server has not heard of it yet. Until then they may still get what is written.
    Leaving,
    /// Left by themselves.
    Left,
    /// Removed.
    Removed,
    /// Ended at its date.
    Expired,
}

/// One section of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberSectionView {
    /// The section: `medications`, `results` and so on.
    pub section: String,
    /// What they may do in it.
    pub role: MemberRole,
    /// Likewise, one by one.
    pub verbs: Vec<Verb>,
    /// Last civil date that it holds, if it ends.
    pub until: Option<String>,
    /// Why, in the words of whoever let them in.
    pub reason: Option<String>,
    /// How it stands.
    pub state: MemberState,
    /// When the entry was signed here or came here, ms since the epoch.
    pub at_ms: i64,
    /// When the entry that ended it was signed here or came here, ms since the epoch.
    #[serde(default)]
    pub ended_ms: Option<i64>,
}

/// One account beside the owner's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// The account.
    pub account: String,
    /// The name that they gave.
    pub name: String,
    /// This account.
    pub own: bool,
    /// The account that the chart belongs to.
    pub owner: bool,
    /// What they see, present and past, by section.
    pub sections: Vec<MemberSectionView>,
}

/// Who sees a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersView {
    /// The chart.
    pub chart: ChartId,
    /// Its name.
    pub name: String,
    /// Whether this account may let others in.
    pub manages: bool,
    /// The name of the account's person that shares it, if it is somebody else's.
    pub shared_by: Option<String>,
    /// The sections that can be shared.
    pub sections: Vec<String>,
    /// The members: the owner first, then in the order they came.
    pub members: Vec<MemberView>,
}

/// Invites somebody into sections of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberInviteArgs {
    /// The chart.
    pub chart: ChartId,
    /// The sections.
    pub sections: Vec<String>,
    /// What they may do in each.
    pub role: MemberRole,
    /// Last civil date that it holds; none for as long as nobody ends it.
    #[serde(default)]
    pub until: Option<String>,
    /// Why, for both to read.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Ends what somebody sees of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRemoveArgs {
    /// The chart.
    pub chart: ChartId,
    /// Whose.
    pub account: String,
    /// The sections; all of them if empty.
    #[serde(default)]
    pub sections: Vec<String>,
    /// Why, for those who stay.
    #[serde(default)]
    pub reason: Option<String>,
    /// The moment after which nothing of theirs counts, ms since the epoch: by when it came to this device. None for everything that
    /// the server has ordered by now. Refused with `error-cut-unknown` where this device was not there by then.
    #[serde(default)]
    pub nothing_after_ms: Option<i64>,
}

/// The code of an invitation, as it was given.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationOpenArgs {
    /// The words, or the text of the QR code.
    pub code: String,
}

/// What an invitation offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    /// Who invites, in their own words.
    pub from: String,
    /// Whose record.
    pub name: String,
    /// The sections.
    pub sections: Vec<String>,
    /// What the invited person may do in them.
    pub role: MemberRole,
    /// Last civil date that it holds.
    pub until: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When the code ends, ms since the epoch.
    pub ends_ms: i64,
}

/// The answer to the invitation that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationAnswerArgs {
    /// Yes or no.
    pub accept: bool,
    /// The name that whoever invites will see; that of the account's person if none.
    #[serde(default)]
    pub name: Option<String>,
}
