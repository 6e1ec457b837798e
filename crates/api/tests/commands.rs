//! The list that shells iterate over is the list of commands.

use mecum_api::{COMMAND_NAMES, Command, command};

macro_rules! names {
    ($($name:ident $type:ident,)*) => { [$(<command::$type as Command>::NAME),*] };
}

#[test]
fn shells_iterate_over_every_command() {
    assert_eq!(mecum_api::for_each_command!(names), COMMAND_NAMES, "the macro and the list agree");
}
