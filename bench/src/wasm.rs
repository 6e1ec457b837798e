//! Row `wasm`: the web part as a browser would fetch it.

use std::fs;
use std::path::Path;

use crate::Failed;
use crate::report::{Numbers, Row};

const MOST_KB: f64 = 600.0;

/// The highest quality, and the window that browsers take without asking.
const QUALITY: i32 = 11;
const WINDOW_BITS: i32 = 22;

pub(crate) fn measure(ui: &Path) -> Result<Row, Failed> {
    let module = ui.join("mecum_ui_bg.wasm");
    let Ok(plain) = fs::read(&module) else {
        return Ok(Row::absent("wasm", "the web part is not built: cargo xtask ui --release"));
    };
    let wasm = compressed(&plain)?;
    let mut beside = 0;
    for part in ["mecum_ui.js", "boot.js", "index.html"] {
        beside += compressed(&fs::read(ui.join(part))?)?;
    }
    for style in fs::read_dir(ui.join("styles"))? {
        beside += compressed(&fs::read(style?.path())?)?;
    }
    // One file has one size: there is nothing to repeat.
    let ours = Numbers(vec![kilobytes(wasm + beside)]);
    let what = format!(
        "the UI's module ({} B of {} B), scripts, styles and page ({beside} B), each by brotli at quality {QUALITY}; fonts, which come compressed, are not in it",
        wasm,
        plain.len()
    );
    Ok(Row::of("wasm", what, "≤ 600 KB", "KB", &ours, |kb| kb <= MOST_KB))
}

fn compressed(bytes: &[u8]) -> Result<usize, Failed> {
    let params =
        brotli::enc::BrotliEncoderParams { quality: QUALITY, lgwin: WINDOW_BITS, ..Default::default() };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params)?;
    Ok(out.len())
}

#[expect(clippy::cast_precision_loss, reason = "a file has less than 2^53 bytes")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1_000.0
}
