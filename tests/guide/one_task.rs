//! The task of the guide's page on one task: it stands there as the tests of the room service run it.

const PAGE: &str = include_str!("../../src/guide/embedding/one_task.md");
const TASK: &str = include_str!("../../examples/room-service/tests/one_task/owner.rs");

#[test]
fn the_page_shows_the_task_that_is_tested() {
    assert!(
        PAGE.contains(&format!("\n# mod owner {{\n{TASK}# }}\n```\n")),
        "copy the file into the page"
    );
}
