//! Recovery helpers.

#[allow(clippy::wildcard_imports, reason = "every view of this contract")]
use mecum_api::*;

use crate::app::App;

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    pub(crate) async fn helpers_get(&self, (): ()) -> Result<HelpersView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn helpers_set(&self, _args: HelpersSetArgs) -> Result<HelpersView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn helpers_code(&self, _args: HelperArgs) -> Result<PairOfferView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn helpers_answer(&self, _args: HelperAnswerArgs) -> Result<HelpersView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn helpers_end(&self, _args: PassphraseArgs) -> Result<HelpersView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn helpers_stop(&self, (): ()) -> Result<HelpersView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn part_list(&self, (): ()) -> Result<Vec<PartView>, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn part_open(&self, _args: PartOpenArgs) -> Result<PartOfferView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn part_answer(&self, _args: PartAnswerArgs) -> Result<Vec<PartView>, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn part_asked(&self, _args: PartAskedArgs) -> Result<PartAskedView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn part_give(&self, _args: PartArgs) -> Result<Vec<PartView>, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn part_withdraw(&self, _args: PartArgs) -> Result<Vec<PartView>, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn restore_ask(&self, _args: RestoreAskArgs) -> Result<RestoreView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn restore_get(&self, (): ()) -> Result<RestoreView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn restore_open(&self, _args: PassphraseArgs) -> Result<RestoreView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn restore_code(&self, (): ()) -> Result<PairOfferView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn restore_finish(&self, _args: RestoreFinishArgs) -> Result<PairView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

    pub(crate) async fn restore_drop(&self, (): ()) -> Result<RestoreView, CallError> {
        Err(CallError::new(Code::Refused, "error-no-server"))
    }

}
