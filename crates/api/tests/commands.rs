//! The list that shells iterate over is the list of commands.

use mecum_api::{COMMAND_NAMES, Command, command};

macro_rules! names {
    ($($name:ident $type:ident,)*) => { [$(<command::$type as Command>::NAME),*] };
}

#[test]
fn shells_iterate_over_every_command() {
    assert_eq!(mecum_api::for_each_command!(names), COMMAND_NAMES, "the macro and the list agree");
}

#[test]
fn the_page_of_commands_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    let page = std::fs::read_to_string(path).expect("docs/api.md is in the tree");
    assert!(page == mecum_api::api_markdown(), "run `cargo xtask api-docs`");
}
