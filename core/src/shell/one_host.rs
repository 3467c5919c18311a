//! One host of a node, asked for when there are several.

use crate::env::Env;
use crate::host::{Asker, HostContainer, Question, QuestionKind};

/// The host of a node, asked for when there are several.
///
/// # Errors
/// A sentence: no hosts, or nobody says which one.
pub(super) async fn of(env: &Env, asker: &dyn Asker, prompt: &str) -> Result<HostContainer, String> {
    let hosts = env.hosts().each();
    let slugs: Vec<String> = env.hosts().definitions().iter().map(|host| host.slug().to_string()).collect();
    let chosen = match slugs.as_slice() {
        [] => return Err(format!("{} has no hosts: name a node that has", env.node())),
        [only] => only.clone(),
        _ => {
            let question = Question {
                label: env.node().to_string(),
                notice: String::new(),
                prompt: prompt.to_string(),
                kind: QuestionKind::Choice { options: slugs.clone(), default: None },
            };
            match asker.ask(question).await {
                Ok(answer) => answer.0.to_string(),
                Err(why) => {
                    let (node, all) = (env.node(), slugs.join(", "));
                    return Err(format!("{node} has several hosts ({all}), and it is not said which: {why}"));
                }
            }
        }
    };
    hosts.into_iter().find(|host| host.slug() == chosen).ok_or_else(|| format!("no host '{chosen}'"))
}
