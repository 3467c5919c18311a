//! What is being run around a piece of code, so that endless recursion is reported instead of overflowing the stack.

use std::sync::Arc;

use super::ActionError;
use crate::node::Node;

/// Deepest nesting of actions, properties and queries.
const DEPTH_MAX: usize = 100;

/// So many nested calls share the stack of one task: each level costs it up to 20 KiB in a debug build.
const LEVELS_PER_TASK: usize = 8;

/// The calls around an Env, the innermost first. Cheap to clone; each Env carries its own.
#[derive(Clone, Default)]
pub(super) struct Calls(Option<Arc<Call>>);

struct Call {
    node: Node,
    name: String,
    /// Properties and queries take no arguments: meeting one within itself can never end.
    computed: bool,
    depth: usize,
    outer: Calls,
}

impl Calls {
    /// One call more.
    ///
    /// # Errors
    /// When a property or query is evaluated within its own evaluation; when calls nest too deep.
    pub(super) fn enter(&self, node: &Node, name: &str, computed: bool) -> Result<Calls, ActionError> {
        let same = |call: &&Call| call.computed && call.name == name && call.node.same_place(node);
        if let (true, Some(_)) = (computed, self.iter().find(same)) {
            return Err(ActionError::usage(format!("{node}.{name} depends on itself: {}", self.way_to(node, name))));
        }
        let depth = self.0.as_ref().map_or(0, |call| call.depth + 1);
        if depth >= DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} actions call each other: {}", self.way_to(node, name));
            return Err(ActionError::usage(message));
        }
        let call = Call { node: node.clone(), name: name.to_string(), computed, depth, outer: self.clone() };
        Ok(Calls(Some(Arc::new(call))))
    }

    /// Whether the innermost call should run in a task of its own, so that nesting never meets the end of a stack.
    pub(super) fn needs_own_task(&self) -> bool {
        self.0.as_ref().is_some_and(|call| call.depth % LEVELS_PER_TASK == LEVELS_PER_TASK - 1)
    }

    /// The name of the innermost call.
    pub(super) fn innermost(&self) -> Option<&str> {
        self.0.as_ref().map(|call| call.name.as_str())
    }

    fn iter(&self) -> impl Iterator<Item = &Call> {
        std::iter::successors(self.0.as_deref(), |call| call.outer.0.as_deref())
    }

    /// `a.x -> b.y -> a.x`, from where the last step was met before; only the end of a long way.
    fn way_to(&self, node: &Node, name: &str) -> String {
        const SHOWN: usize = 10;
        let mut way = vec![format!("{node}.{name}")];
        for call in self.iter() {
            way.push(format!("{}.{}", call.node, call.name));
            if call.name == name && call.node.same_place(node) {
                break;
            }
            if way.len() > SHOWN {
                way.push("...".to_string());
                break;
            }
        }
        way.reverse();
        way.join(" -> ")
    }
}
