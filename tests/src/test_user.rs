//! The user that stories about passwords log in as.

use std::path::Path;

/// The environment variable with the path of the file that `tests/run` writes, line by line: user, password, PAM service, one-time
/// codes.
pub const TEST_USER_FILE: &str = "DEPLOYER_TEST_USER";

/// A user of this machine, made by `tests/run`, who may use sudo with a password.
pub struct TestUser {
    /// The name.
    pub name: String,
    /// The password; random, and gone after the run.
    pub password: String,
    /// A PAM service that asks for the password and then for a one-time code.
    pub service: String,
    /// The codes; each is good once, so every story takes another.
    pub codes: Vec<String>,
}

impl TestUser {
    /// The user, if the run made one. Where it did not, the story says on stderr that it was not told.
    ///
    /// # Panics
    /// When the file that the environment names cannot be used.
    #[allow(clippy::print_stderr, reason = "a story that cannot be told says so in the test's output")]
    pub fn of_this_run(story: &str) -> Option<TestUser> {
        let Some(path) = std::env::var_os(TEST_USER_FILE) else {
            eprintln!("not told: {story} needs the user that tests/run makes when it runs as root");
            return None;
        };
        let text = std::fs::read_to_string(Path::new(&path)).expect("the file with the test user");
        let mut lines = text.lines();
        let mut line = || lines.next().expect("four lines in the file with the test user").to_string();
        let (name, password, service) = (line(), line(), line());
        Some(TestUser { name, password, service, codes: line().split(' ').map(str::to_string).collect() })
    }
}
