//! Settings: how the screens look, outside the vault so that the lock screen can use it, and the rest inside.
//!
//! What stands outside says nothing about a person. A file that cannot be read is as good as none.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use mecum_api::{CallError, Code, DisplaySettings, SettingsView};

use crate::error::SessionError;
use crate::session::Session;

/// The file in the profile folder.
const DISPLAY_FILE: &str = "display.json";

/// Name of the setting inside the vault: minutes as two bytes, big end first.
const AUTO_LOCK: &str = "auto-lock-min";

/// Minutes that a new vault waits before it locks itself. Source: design picture 14, "after 10 minutes".
const AUTO_LOCK_MIN: u16 = 10;

/// Languages with texts.
const LANGUAGES: &[&str] = &["en", "id"];

/// Text sizes in percent. Source: the contract's `DisplaySettings::text_percent`.
const TEXT_PERCENT: std::ops::RangeInclusive<u16> = 85..=200;

/// How the screens look.
pub(crate) fn read_display(profile: &Path) -> DisplaySettings {
    let body = fs::read(profile.join(DISPLAY_FILE)).ok();
    let display = body.and_then(|body| serde_json::from_slice::<DisplaySettings>(&body).ok());
    display.filter(is_sound).unwrap_or_default()
}

fn is_sound(display: &DisplaySettings) -> bool {
    LANGUAGES.contains(&display.language.as_str()) && TEXT_PERCENT.contains(&display.text_percent)
}

/// Keeps how the screens look: the old file stands until the new one is whole on the disk.
pub(crate) fn write_display(profile: &Path, display: &DisplaySettings) -> Result<(), CallError> {
    if !is_sound(display) {
        return Err(CallError::new(Code::BadCall, "error-settings"));
    }
    let not_saved = |_| CallError::new(Code::NotSaved, "error-not-saved");
    let body = serde_json::to_vec(display).map_err(|_| CallError::new(Code::Internal, "error-internal"))?;
    fs::create_dir_all(profile).map_err(not_saved)?;
    let new = profile.join("display.json.new");
    let mut file = File::create(&new).map_err(not_saved)?;
    file.write_all(&body).and_then(|()| file.sync_all()).map_err(not_saved)?;
    fs::rename(&new, profile.join(DISPLAY_FILE)).map_err(not_saved)
}

/// Minutes without use after which the vault locks itself; 0 never.
pub(crate) fn auto_lock_min(session: &Session) -> Result<u16, SessionError> {
    let body = session.setting(AUTO_LOCK)?;
    Ok(body.and_then(|body| body.try_into().ok()).map_or(AUTO_LOCK_MIN, u16::from_be_bytes))
}

/// What stands inside the vault, with the display's settings.
pub(crate) fn read(session: &Session, display: DisplaySettings) -> Result<SettingsView, SessionError> {
    Ok(SettingsView {
        display,
        auto_lock_min: auto_lock_min(session)?,
        device_name: session.device_name(session.this_device()).unwrap_or_default(),
    })
}

/// Keeps what stands inside the vault.
pub(crate) fn write(session: &mut Session, settings: &SettingsView) -> Result<SettingsView, SessionError> {
    if settings.auto_lock_min != auto_lock_min(session)? {
        session.set_setting(AUTO_LOCK, &settings.auto_lock_min.to_be_bytes())?;
    }
    read(session, settings.display.clone())
}

#[cfg(test)]
mod tests {
    use mecum_api::Look;

    use super::*;

    #[test]
    fn display_settings_outlive_the_program_and_damage_is_no_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(read_display(folder.path()), DisplaySettings::default(), "nothing was chosen yet");
        let chosen = DisplaySettings {
            language: "id".into(),
            look: Look::Dark,
            text_percent: 200,
            ..DisplaySettings::default()
        };
        write_display(folder.path(), &chosen).expect("a folder that can be written");
        assert_eq!(read_display(folder.path()), chosen, "as chosen");
        let wrong = DisplaySettings { text_percent: 900, ..chosen.clone() };
        assert_eq!(
            write_display(folder.path(), &wrong).map_err(|e| e.code),
            Err(Code::BadCall),
            "no such size"
        );
        assert_eq!(read_display(folder.path()), chosen, "a refused change changes nothing");
        fs::write(folder.path().join(DISPLAY_FILE), b"{").expect("a folder that can be written");
        assert_eq!(read_display(folder.path()), DisplaySettings::default(), "damage is as good as none");
    }
}
