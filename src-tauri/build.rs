//! Tells Tauri which commands there are, so that any other is refused.

use std::path::Path;

fn main() {
    // The shell embeds this folder; before the web part is built for the first time it has to exist all the same.
    let dist = Path::new("ui/dist");
    if !dist.exists() {
        std::fs::create_dir_all(dist).expect("the folder of the web part can be made");
    }
    println!("cargo:rerun-if-changed=ui/dist");
    let manifest = tauri_build::AppManifest::new().commands(mecum_api::COMMAND_NAMES);
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    tauri_build::try_build(attributes).expect("tauri.conf.json, capabilities and icons are in order");
    date_back(Path::new("permissions"));
}

/// Tauri writes the commands' permissions while this script runs. To cargo they, and the folders that they lie in, would then be
/// newer than the run that made them, and the next build would make the whole app again: they get the time of the file that
/// stands beside them. Where a time cannot be set, one build more is made and nothing is lost.
fn date_back(generated: &Path) {
    let Ok(listed) = std::fs::metadata("tauri.conf.json").and_then(|file| file.modified()) else { return };
    for entry in std::fs::read_dir(generated).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            date_back(&entry.path());
        } else if let Ok(file) = std::fs::File::options().write(true).open(entry.path()) {
            let _ = file.set_modified(listed);
        }
    }
    if let Ok(folder) = std::fs::File::open(generated) {
        let _ = folder.set_modified(listed);
    }
}
