//! The seeds of properties that failed once.

use std::fs;
use std::path::Path;

use room_registry_world::effort::properties;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test, not the library")]
fn seeds_of_past_failures_are_tried_again() {
    let laws = Path::new(env!("CARGO_MANIFEST_DIR")).join("laws");
    let mut files = 0;
    for entry in fs::read_dir(laws).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "proptest-regressions") {
            continue;
        }
        let source = path.with_extension("rs");
        assert!(source.is_file(), "{}: its properties have gone", path.display());
        let kept = fs::read_to_string(&path).unwrap();
        let kept = kept.lines().filter(|line| line.starts_with("cc ")).count();
        let source = source.into_os_string().into_string().unwrap().leak();
        let found = properties(1).failure_persistence.unwrap();
        let found = found.load_persisted_failures2(Some(source));
        assert_eq!(found.len(), kept, "{}", path.display());
        files += 1;
    }
    assert!(files > 0);
}
