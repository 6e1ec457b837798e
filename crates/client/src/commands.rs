//! Every command by its name: JSON in, JSON out, typed in between.
//!
//! The table of names is the contract's own, so a command without a handler does not compile. What a command means is
//! elsewhere; here it is only found.

use std::future::Future;

use mecum_api::{CallError, Code, Command};
use serde_json::Value;

use crate::app::App;

/// Runs the command `name`.
pub(crate) async fn dispatch(app: &App, name: &str, args: Value) -> Result<Value, CallError> {
    mecum_trip::here("call");
    macro_rules! by_name {
        ($($command:ident $type:ident,)*) => {
            match name {
                $(stringify!($command) => {
                    typed::<mecum_api::command::$type, _>(args, |args| handlers::$command(app, args)).await
                })*
                _ => Err(CallError::new(Code::BadCall, "error-command")),
            }
        };
    }
    mecum_api::for_each_command!(by_name)
}

async fn typed<C: Command, F>(args: Value, run: impl FnOnce(C::Args) -> F) -> Result<Value, CallError>
where
    F: Future<Output = Result<C::Output, CallError>>,
{
    let output = Box::pin(run(arguments::<C>(args)?)).await?;
    serde_json::to_value(output).map_err(|_| CallError::new(Code::Internal, "error-internal"))
}

/// Arguments of a command; none, or an empty object, are its plainest.
fn arguments<C: Command>(args: Value) -> Result<C::Args, CallError> {
    let nothing = args.is_null() || args.as_object().is_some_and(serde_json::Map::is_empty);
    match serde_json::from_value(args) {
        Ok(args) => Ok(args),
        Err(_) if nothing => Ok(C::Args::default()),
        // The error of serde would repeat what was sent.
        Err(_) => Err(CallError::new(Code::BadCall, "error-arguments")),
    }
}

mod handlers {
    //! One function per command, under its name.

    #[allow(clippy::wildcard_imports, reason = "every command names two shapes of the contract")]
    use mecum_api::*;

    use crate::app::App;
    use crate::views::{
        care, changes as changed, entry, home as start, medicines as taken, results as series,
        timeline as time,
    };
    use crate::{edits, imports, settings};

    type Answer<T> = Result<T, CallError>;

    macro_rules! app_does {
        ($($name:ident($args:ty) -> $output:ty;)*) => {
            $(pub(super) async fn $name(app: &App, args: $args) -> Answer<$output> { app.$name(args).await })*
        };
    }

    app_does! {
        vault_status(()) -> VaultView;
        passphrase_suggest(()) -> WordsView;
        passphrase_check(PassphraseArgs) -> PassphraseView;
        vault_create(VaultCreateArgs) -> VaultView;
        vault_unlock(PassphraseArgs) -> VaultView;
        vault_lock(()) -> VaultView;
        vault_touch(()) -> ();
        sync_status(()) -> SyncView;
        sync_now(()) -> SyncView;
        server_connect(ServerConnectArgs) -> SyncView;
        pair_offer(()) -> PairOfferView;
        pair_status(()) -> PairView;
        pair_approve(()) -> PairView;
        pair_stop(()) -> PairView;
        pair_join(PairJoinArgs) -> PairView;
        news(NewsArgs) -> NewsView;
        kit_status(()) -> KitStatusView;
        kit_make(PassphraseArgs) -> KitView;
        kit_confirm(KitConfirmArgs) -> KitStatusView;
        kit_drop(()) -> ();
        vault_recover(VaultRecoverArgs) -> VaultView;
        account_restore(AccountRestoreArgs) -> PairView;
        device_rename(DeviceRenameArgs) -> Vec<DeviceView>;
        device_remove(DeviceArgs) -> Vec<DeviceView>;
        member_invite(MemberInviteArgs) -> PairOfferView;
        member_status(()) -> PairView;
        member_approve(()) -> PairView;
        member_stop(()) -> PairView;
        member_remove(MemberRemoveArgs) -> MembersView;
        invitation_open(InvitationOpenArgs) -> InvitationView;
        invitation_answer(InvitationAnswerArgs) -> PairView;
        invitation_status(()) -> PairView;
        chart_leave(ChartArgs) -> ();
        desk_code(DeskCodeArgs) -> DeskCodeView;
        desk_list(()) -> Vec<DeskCodeView>;
        desk_answer(DeskAnswerArgs) -> Vec<DeskCodeView>;
        hospital_list(()) -> Vec<HospitalView>;
        hospital_get(HospitalArgs) -> HospitalView;
        hospital_find(HospitalFindArgs) -> HospitalView;
        hospital_open(InvitationOpenArgs) -> HospitalOfferView;
        hospital_connect(HospitalConnectArgs) -> PairView;
        hospital_status(()) -> PairView;
        hospital_leave(HospitalLeaveArgs) -> CareView;
        check_begin(()) -> CheckView;
        check_status(()) -> CheckView;
        check_stop(()) -> CheckView;
        backup_make(PassphraseArgs) -> BackupsView;
        backup_stop(()) -> BackupsView;
        backup_list(()) -> BackupsView;
        backup_restore(BackupRestoreArgs) -> VaultView;
        vault_examine(PassphraseArgs) -> CheckView;
        vault_mend(PassphraseArgs) -> MendView;
        mend_status(()) -> MendView;
        vault_set_aside(()) -> VaultView;
        helpers_get(()) -> HelpersView;
        helpers_set(HelpersSetArgs) -> HelpersView;
        helpers_code(HelperArgs) -> PairOfferView;
        helpers_answer(HelperAnswerArgs) -> HelpersView;
        helpers_end(PassphraseArgs) -> HelpersView;
        helpers_stop(()) -> HelpersView;
        part_list(()) -> Vec<PartView>;
        part_open(PartOpenArgs) -> PartOfferView;
        part_answer(PartAnswerArgs) -> Vec<PartView>;
        part_asked(PartAskedArgs) -> PartAskedView;
        part_give(PartArgs) -> Vec<PartView>;
        part_withdraw(PartArgs) -> Vec<PartView>;
        restore_ask(RestoreAskArgs) -> RestoreView;
        restore_get(()) -> RestoreView;
        restore_open(PassphraseArgs) -> RestoreView;
        restore_code(()) -> PairOfferView;
        restore_finish(RestoreFinishArgs) -> PairView;
        restore_drop(()) -> RestoreView;
    }

    macro_rules! session_does {
        ($through:ident: $($name:ident($args:ty) -> $output:ty = $run:expr;)*) => {
            $(pub(super) async fn $name(app: &App, args: $args) -> Answer<$output> {
                let run = $run;
                app.$through(move |session| run(session, args)).await
            })*
        };
    }

    // What people write again and again may come in a burst.
    session_does! { write:
        entry_add(EntryAddArgs) -> EntryRef = edits::entry_add;
        entry_edit(EntryEditArgs) -> EntryRef = edits::entry_edit;
        entry_delete(EntryDeleteArgs) -> EntryRef = edits::entry_delete;
        entry_restore(EntryArgs) -> EntryRef = edits::entry_restore;
        clash_settle(ClashSettleArgs) -> EntryRef = edits::clash_settle;
    }

    session_does! { with:
        chart_list(()) -> Vec<ChartView> = |session: &mut _, ()| Ok(start::chart_list(session));
        chart_create(ChartCreateArgs) -> ChartView = |session: &mut _, args| edits::chart_create(session, &args);
        chart_edit(ChartEditArgs) -> ChartView = |session: &mut _, args| edits::chart_edit(session, &args);
        timeline(TimelineArgs) -> TimelineView = |session: &mut _, args| time::timeline(session, &args);
        entry_get(EntryArgs) -> EntryView = |session: &mut _, args| entry::entry_get(session, &args);
        entry_original(EntryArgs) -> OriginalView = |session: &mut _, args| entry::entry_original(session, &args);
        results(ChartArgs) -> ResultsView = |session: &mut _, args| series::results(session, &args);
        trend(TrendArgs) -> TrendView = |session: &mut _, args| series::trend(session, &args);
        medicines(ChartArgs) -> MedicinesView = |session: &mut _, args| taken::medicines(session, &args);
        erasure_look(EntryArgs) -> ErasureLook = |session: &mut crate::session::Session, args: EntryArgs| session.erasure_look(&args);
        entry_erase(EntryEraseArgs) -> ErasureView = |session: &mut crate::session::Session, args: EntryEraseArgs| session.entry_erase(&args);
        entry_move(EntryMoveArgs) -> ErasureView = |session: &mut crate::session::Session, args: EntryMoveArgs| session.entry_move(&args);
        erasure_list(ChartArgs) -> Vec<ErasureView> = |session: &mut crate::session::Session, args: ChartArgs| session.erasure_list(&args);
        erasure_stop(ErasureArgs) -> () = |session: &mut crate::session::Session, args: ErasureArgs| session.erasure_stop(&args);
        changes(ChartArgs) -> ChangesView = |session: &mut _, args| changed::changes(session, &args);
        changes_seen(SeenArgs) -> () = |session: &mut _, args| changed::changes_seen(session, &args);
        member_list(ChartArgs) -> MembersView = |session: &mut crate::session::Session, args: ChartArgs| session.members(args.chart);
        care_list(ChartArgs) -> CareView = |session: &mut _, args| care::care_list(session, &args);
        care_get(CareThreadArgs) -> CareThreadView = |session: &mut _, args| care::care_get(session, &args);
        care_act(CareActArgs) -> CareThreadView = |session: &mut _, args| care::care_act(session, args);
        care_seen(CareSeenArgs) -> () = |session: &mut _, args| care::care_seen(session, args);
        desk_get(()) -> DeskView = |session: &mut crate::session::Session, ()| session.desk();
        desk_sign_in(DeskSignInArgs) -> DeskView = |session: &mut crate::session::Session, args: DeskSignInArgs| session.desk_sign_in(args.name.as_deref());
        desk_queue(DeskQueueArgs) -> DeskQueueView = |session: &mut crate::session::Session, args: DeskQueueArgs| session.desk_queue(&args);
        device_list(()) -> Vec<DeviceView> = |session: &mut crate::session::Session, ()| Ok(session.devices());
    }

    pub(super) async fn home(app: &App, (): ()) -> Answer<HomeView> {
        let view = app.with(start::home).await?;
        Ok(HomeView { sync: app.sync_status(()).await?, ..view })
    }

    pub(super) async fn whereabouts(app: &App, (): ()) -> Answer<WhereView> {
        let (counts, items) = app.with(|session| Ok((session.honesty()?, session.whereabouts()?))).await?;
        Ok(WhereView { counts, items, sync: app.sync_status(()).await? })
    }

    pub(super) async fn settings_get(app: &App, (): ()) -> Answer<SettingsView> {
        let display = settings::read_display(app.profile());
        let outside = SettingsView { display: display.clone(), ..SettingsView::default() };
        match app.with(move |session| settings::read(session, display)).await {
            Err(error) if error.code == Code::Locked => Ok(outside),
            answer => answer,
        }
    }

    pub(super) async fn settings_set(app: &App, args: SettingsView) -> Answer<SettingsView> {
        settings::write_display(app.profile(), &args.display)?;
        app.news_feed().tell(Topic::Settings);
        let outside = SettingsView { display: args.display.clone(), ..SettingsView::default() };
        match app.with(move |session| settings::write(session, &args)).await {
            Err(error) if error.code == Code::Locked => Ok(outside),
            answer => answer,
        }
    }

    pub(super) async fn import_begin(app: &App, args: ImportBeginArgs) -> Answer<ImportArgs> {
        // A file is brought into an open vault: nothing of it waits in memory behind the lock.
        app.with(|_| Ok(())).await?;
        imports::begin(app, &args)
    }

    pub(super) async fn import_chunk(app: &App, args: ImportChunkArgs) -> Answer<ImportView> {
        imports::chunk(app, &args)
    }

    pub(super) async fn import_look(app: &App, args: ImportArgs) -> Answer<ImportPreview> {
        imports::look(app, args).await
    }

    pub(super) async fn import_run(app: &App, args: ImportRunArgs) -> Answer<ImportView> {
        imports::run(app, args)
    }

    pub(super) async fn import_status(app: &App, args: ImportArgs) -> Answer<ImportView> {
        imports::status(app, &args)
    }

    pub(super) async fn import_stop(app: &App, args: ImportArgs) -> Answer<ImportView> {
        imports::stop(app, &args)
    }
}

#[cfg(test)]
pub(crate) mod tests;
