//! Prints `docs/api.md`.

fn main() {
    print!("{}", mecum_api::api_markdown());
}
