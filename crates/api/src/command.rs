//! The commands: one source of truth for the shell, the bridge, the screens and `docs/api.md`.

use serde::Serialize;
use serde::de::DeserializeOwned;

#[allow(clippy::wildcard_imports, reason = "the list below names every view of this crate")]
use crate::*;

/// One typed command.
pub trait Command {
    /// Its name on the wire.
    const NAME: &'static str;
    /// What it takes.
    type Args: Serialize + DeserializeOwned + Default;
    /// What it answers.
    type Output: Serialize + DeserializeOwned + Default;
}

/// A command as `docs/api.md` shows it.
pub struct CommandDoc {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Arguments in their plainest form.
    pub args: serde_json::Value,
    /// Answer in its plainest form.
    pub output: serde_json::Value,
}

macro_rules! commands {
    ($($(#[doc = $doc:literal])* $name:ident $type:ident ($args:ty) -> $output:ty;)*) => {
        $(
            $(#[doc = $doc])*
            pub struct $type;

            impl Command for $type {
                const NAME: &'static str = stringify!($name);
                type Args = $args;
                type Output = $output;
            }
        )*

        /// The name of every command. The shell registers these and no other.
        pub const COMMAND_NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Every command with its text and shapes.
        pub fn commands_doc() -> Vec<CommandDoc> {
            fn json<T: Serialize + Default>() -> serde_json::Value {
                serde_json::to_value(T::default()).unwrap_or_default()
            }
            vec![$(CommandDoc {
                name: stringify!($name),
                doc: concat!($($doc),*).trim_start(),
                args: json::<$args>(),
                output: json::<$output>(),
            }),*]
        }

        /// Runs a macro once with every `name Type` pair, so that shells need no list of their own.
        #[macro_export]
        macro_rules! for_each_command {
            ($run:ident) => { $run! { $($name $type,)* } };
        }
    };
}

commands! {
    /// Whether there is a vault here and whether it is open. Tells no name.
    vault_status VaultStatus(()) -> VaultView;
    /// Six words made on this device.
    passphrase_suggest PassphraseSuggest(()) -> WordsView;
    /// Judges a passphrase.
    passphrase_check PassphraseCheck(PassphraseArgs) -> PassphraseView;
    /// Makes a vault with the person's own chart and opens it.
    vault_create VaultCreate(VaultCreateArgs) -> VaultView;
    /// Opens the vault.
    vault_unlock VaultUnlock(PassphraseArgs) -> VaultView;
    /// Locks the vault: keys leave memory, the log is folded in.
    vault_lock VaultLock(()) -> VaultView;
    /// The person is there: puts off auto-lock.
    vault_touch VaultTouch(()) -> ();
    /// Settings.
    settings_get SettingsGet(()) -> SettingsView;
    /// Changes settings. While the vault is locked only language and display change.
    settings_set SettingsSet(SettingsView) -> SettingsView;
    /// The charts.
    chart_list ChartList(()) -> Vec<ChartView>;
    /// A new chart.
    chart_create ChartCreate(ChartCreateArgs) -> ChartView;
    /// Changes who a chart is about, or its colour.
    chart_edit ChartEdit(ChartEditArgs) -> ChartView;
    /// The home screen over all charts.
    home Home(()) -> HomeView;
    /// A part of a chart's timeline, newest first.
    timeline Timeline(TimelineArgs) -> TimelineView;
    /// One entry with its facts, clashes and history.
    entry_get EntryGet(EntryArgs) -> EntryView;
    /// The original of an entry, byte for byte as received.
    entry_original EntryOriginal(EntryArgs) -> OriginalView;
    /// All numeric series of a chart.
    results Results(ChartArgs) -> ResultsView;
    /// One series.
    trend Trend(TrendArgs) -> TrendView;
    /// The medicines of a chart, with clashes.
    medicines Medicines(ChartArgs) -> MedicinesView;
    /// Adds a vital sign, a note, an allergy or a medicine.
    entry_add EntryAdd(EntryAddArgs) -> EntryRef;
    /// Changes fields of an entry that the family wrote.
    entry_edit EntryEdit(EntryEditArgs) -> EntryRef;
    /// Deletes an entry that the family wrote; it can be brought back.
    entry_delete EntryDelete(EntryDeleteArgs) -> EntryRef;
    /// Brings a deleted entry back.
    entry_restore EntryRestore(EntryArgs) -> EntryRef;
    /// What is told before an entry is erased or moved: whether this account may, and who may have read it.
    erasure_look ErasureLookAt(EntryArgs) -> ErasureLook;
    /// Erases an entry for good, from every device that follows. It cannot be brought back.
    entry_erase EntryErase(EntryEraseArgs) -> ErasureView;
    /// Moves an entry to *sensitive*, or back.
    entry_move EntryMove(EntryMoveArgs) -> ErasureView;
    /// What is being erased or moved in a chart, and what was, the newest first.
    erasure_list ErasureList(ChartArgs) -> Vec<ErasureView>;
    /// Stops an erasure that still waits: nothing was changed.
    erasure_stop ErasureStop(ErasureArgs) -> ();
    /// Settles a clash by a person's choice.
    clash_settle ClashSettle(ClashSettleArgs) -> EntryRef;
    /// What changed in a chart since the person last looked.
    changes Changes(ChartArgs) -> ChangesView;
    /// The person has seen the changes of a chart.
    changes_seen ChangesSeen(SeenArgs) -> ();
    /// Begins to bring a file in.
    import_begin ImportBegin(ImportBeginArgs) -> ImportArgs;
    /// Takes a piece of the file, at most 1 MiB.
    import_chunk ImportChunk(ImportChunkArgs) -> ImportView;
    /// Looks at the file: what it holds, whose it is. Nothing is kept yet.
    import_look ImportLook(ImportArgs) -> ImportPreview;
    /// Keeps the file in a chart; answers at once, progress by `import_status`.
    import_run ImportRun(ImportRunArgs) -> ImportView;
    /// How far an import is.
    import_status ImportStatus(ImportArgs) -> ImportView;
    /// Stops an import: the record is as it was.
    import_stop ImportStop(ImportArgs) -> ImportView;
    /// The exchange with the server.
    sync_status SyncStatus(()) -> SyncView;
    /// Exchanges now.
    sync_now SyncNow(()) -> SyncView;
    /// Where everything is.
    whereabouts Whereabouts(()) -> WhereView;
    /// Connects the account to a server.
    server_connect ServerConnect(ServerConnectArgs) -> SyncView;
    /// Who sees a chart, and as what.
    member_list MemberList(ChartArgs) -> MembersView;
    /// Shows an invitation's code for somebody with an account of their own at the same server.
    member_invite MemberInvite(MemberInviteArgs) -> PairOfferView;
    /// How the invitation that this device shows stands.
    member_status MemberStatus(()) -> PairView;
    /// Lets in who answered the invitation.
    member_approve MemberApprove(()) -> PairView;
    /// Takes the invitation back, or says no to who answered it.
    member_stop MemberStop(()) -> PairView;
    /// Ends what somebody sees of a chart, from what the server has ordered by now.
    member_remove MemberRemove(MemberRemoveArgs) -> MembersView;
    /// Opens an invitation: what it offers. Nothing is accepted yet.
    invitation_open InvitationOpen(InvitationOpenArgs) -> InvitationView;
    /// Accepts or declines the open invitation.
    invitation_answer InvitationAnswer(InvitationAnswerArgs) -> PairView;
    /// How joining by an invitation stands.
    invitation_status InvitationStatus(()) -> PairView;
    /// Leaves a chart that somebody else shares: what was read stays, nothing new comes.
    chart_leave ChartLeave(ChartArgs) -> ();
    /// The conversations of a chart with hospitals, what waits for the reader first.
    care_list CareList(ChartArgs) -> CareView;
    /// One conversation with its acts.
    care_get CareGet(CareThreadArgs) -> CareThreadView;
    /// Says something in a conversation with a hospital, or begins one: durably here, with or without a server.
    care_act CareActWrite(CareActArgs) -> CareThreadView;
    /// Says that a person has seen what the other side did. Where nothing is new, nothing is written.
    care_seen CareSeen(CareSeenArgs) -> ();
    /// Shows a code of this account as a hospital, for one patient.
    desk_code DeskCode(DeskCodeArgs) -> DeskCodeView;
    /// The codes that this device shows, and who has answered.
    desk_list DeskList(()) -> Vec<DeskCodeView>;
    /// Says whether who answered a code is really them; no takes the code back.
    desk_answer DeskAnswer(DeskAnswerArgs) -> Vec<DeskCodeView>;
    /// Who sits at this desk.
    desk_get DeskGet(()) -> DeskView;
    /// Somebody signs in at this desk, or out.
    desk_sign_in DeskSignIn(DeskSignInArgs) -> DeskView;
    /// The queue of this account as a hospital: what is due first at its top.
    desk_queue DeskQueue(DeskQueueArgs) -> DeskQueueView;
    /// The hospitals whose notice is kept here.
    hospital_list HospitalList(()) -> Vec<HospitalView>;
    /// What a hospital has published, as it was fetched last. Asks nobody.
    hospital_get HospitalGet(HospitalArgs) -> HospitalView;
    /// Fetches what a hospital publishes by the link that it prints. Nobody is told who reads it; no account is needed.
    hospital_find HospitalFind(HospitalFindArgs) -> HospitalView;
    /// Opens the code of a hospital.
    hospital_open HospitalOpen(InvitationOpenArgs) -> HospitalOfferView;
    /// Connects a chart with the hospital whose code is open. It is let in once its desk has said yes.
    hospital_connect HospitalConnect(HospitalConnectArgs) -> PairView;
    /// How connecting stands.
    hospital_status HospitalStatus(()) -> PairView;
    /// Leaves a hospital. What was said stays; it reads nothing that is said later.
    hospital_leave HospitalLeave(HospitalLeaveArgs) -> CareView;
    /// The account's devices.
    device_list DeviceList(()) -> Vec<DeviceView>;
    /// Gives a device of the account another name.
    device_rename DeviceRename(DeviceRenameArgs) -> Vec<DeviceView>;
    /// Removes another device from the account: from here on it can read nothing new. What it has it keeps.
    device_remove DeviceRemove(DeviceArgs) -> Vec<DeviceView>;
    /// Whether there is a recovery kit. Tells no word.
    kit_status KitStatus(()) -> KitStatusView;
    /// Makes a recovery kit, after the passphrase was typed again. It counts once it is confirmed.
    kit_make KitMake(PassphraseArgs) -> KitView;
    /// The asked words were typed from the paper: from here on this kit counts, and an earlier one does not.
    kit_confirm KitConfirm(KitConfirmArgs) -> KitStatusView;
    /// Forgets a kit that was not confirmed.
    kit_drop KitDrop(()) -> ();
    /// Opens the vault by the recovery kit and gives it a new passphrase.
    vault_recover VaultRecover(VaultRecoverArgs) -> VaultView;
    /// Restores an account on an empty device by its recovery kit; progress by `pair_status`.
    account_restore AccountRestore(AccountRestoreArgs) -> PairView;
    /// The account's recovery helpers, and who could be one.
    helpers_get HelpersGet(()) -> HelpersView;
    /// Chooses three helpers, after the passphrase was typed again. Earlier ones help no more.
    helpers_set HelpersSet(HelpersSetArgs) -> HelpersView;
    /// Shows the code by which a helper takes their part: the same one until it ends.
    helpers_code HelpersCode(HelperArgs) -> PairOfferView;
    /// Says whether who answered is that helper.
    helpers_answer HelpersAnswer(HelperAnswerArgs) -> HelpersView;
    /// The account has no helpers from here on, after the passphrase was typed again.
    helpers_end HelpersEnd(PassphraseArgs) -> HelpersView;
    /// Stops whoever asked to restore this account by its helpers.
    helpers_stop HelpersStop(()) -> HelpersView;
    /// The parts that are kept for others.
    part_list PartList(()) -> Vec<PartView>;
    /// Opens the code of somebody who asks this person to be a helper. Nothing is accepted yet.
    part_open PartOpen(PartOpenArgs) -> PartOfferView;
    /// Accepts or declines to be a helper.
    part_answer PartAnswer(PartAnswerArgs) -> Vec<PartView>;
    /// Opens the code of somebody who restores their account: the check words. Nothing is given yet.
    part_asked PartAsked(PartAskedArgs) -> PartAskedView;
    /// The check words were the same: gives the part to who was asked last.
    part_give PartGive(PartArgs) -> Vec<PartView>;
    /// Destroys a part that is kept for somebody.
    part_withdraw PartWithdraw(PartArgs) -> Vec<PartView>;
    /// On an empty device: asks the server to restore an account by its helpers.
    restore_ask RestoreAsk(RestoreAskArgs) -> RestoreView;
    /// How restoring by helpers stands; asks the server.
    restore_get RestoreGet(()) -> RestoreView;
    /// Opens what was asked before this program was started.
    restore_open RestoreOpen(PassphraseArgs) -> RestoreView;
    /// Shows the code by which a helper gives their part.
    restore_code RestoreCode(()) -> PairOfferView;
    /// Restores the account by the server's part and two helpers'; progress by `pair_status`.
    restore_finish RestoreFinish(RestoreFinishArgs) -> PairView;
    /// Gives up restoring by helpers on this device.
    restore_drop RestoreDrop(()) -> RestoreView;
    /// Shows a pairing code for a new device.
    pair_offer PairOffer(()) -> PairOfferView;
    /// The state of pairing.
    pair_status PairStatus(()) -> PairView;
    /// The device that answered is the person's: adds it.
    pair_approve PairApprove(()) -> PairView;
    /// Ends pairing.
    pair_stop PairStop(()) -> PairView;
    /// Joins an account from this new device.
    pair_join PairJoin(PairJoinArgs) -> PairView;
    /// Begins to check the open vault, beside everything else; progress by `check_status`.
    check_begin CheckBegin(()) -> CheckView;
    /// How far the check is, and what it found.
    check_status CheckStatus(()) -> CheckView;
    /// Stops the check.
    check_stop CheckStop(()) -> CheckView;
    /// Begins a backup, after the passphrase was typed again, and reads it back; progress by `backup_list`.
    backup_make BackupMake(PassphraseArgs) -> BackupsView;
    /// Stops the backup that is being made: nothing of it stays.
    backup_stop BackupStop(()) -> BackupsView;
    /// The backups, and how far the one is that is being made. Also while the vault is locked or missing.
    backup_list BackupList(()) -> BackupsView;
    /// Puts a backup in the vault's place and opens it. What is there, locked or damaged, is set aside, never removed.
    backup_restore BackupRestore(BackupRestoreArgs) -> VaultView;
    /// What is damaged in a vault that is not open, and who can put it right.
    vault_examine VaultExamine(PassphraseArgs) -> CheckView;
    /// Mends the vault: what is good stays, what is damaged is made again from it or fetched. The damaged file is set aside, never
    /// removed. Progress by `mend_status`.
    vault_mend VaultMend(PassphraseArgs) -> MendView;
    /// How far the mending is.
    mend_status MendStatus(()) -> MendView;
    /// Sets a vault aside that is damaged, or whose passphrase is forgotten, to begin anew. It can be put back by `backup_restore`.
    vault_set_aside VaultSetAside(()) -> VaultView;
    /// Waits until something changes.
    news News(NewsArgs) -> NewsView;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_says_what_it_does() {
        let docs = commands_doc();
        assert_eq!(docs.len(), COMMAND_NAMES.len(), "each command has its entry");
        for doc in docs {
            assert!(!doc.doc.is_empty(), "{} says what it does", doc.name);
        }
    }
}
