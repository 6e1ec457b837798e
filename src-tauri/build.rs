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
}
