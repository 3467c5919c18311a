//! Closures with typed parameters as actions.

use std::fmt;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Arguments, FromValue, IntoValue};
use crate::env::{ActionError, Env};
use crate::node::{Action, Body, DEFAULT_ACTION, Position};
use crate::value::Value;

/// A closure that can be an action: `async |env: Env, commit: Option<String>| { ... }`, with up to six parameters that
/// implement [`FromValue`] and a result that implements [`IntoValue`].
///
/// `P` tells closures with different parameters apart; it is never written down.
pub trait Code<P>: Send + Sync + 'static {
    /// The code, callable with values.
    fn into_body(self) -> Arc<dyn Body>;
}

/// What [`crate::node::ClassBuilder::action`] takes: a closure, or one that [`action`] said more about.
pub trait IntoAction<P> {
    /// The action, written at `position` when nothing else is known.
    fn into_action(self, position: Position) -> Action;
}

impl<P, C: Code<P>> IntoAction<P> for C {
    fn into_action(self, position: Position) -> Action {
        Action { position: Some(position), ..Action::new(self.into_body()) }
    }
}

/// Tells a ready action from a closure; never written down.
#[derive(Debug)]
pub struct Ready;

impl IntoAction<Ready> for Action {
    fn into_action(mut self, position: Position) -> Action {
        self.position.get_or_insert(position);
        self
    }
}

/// An action of which more is to be said: `action(async |env: Env| ...).alias("co").suppress_result()`.
#[track_caller]
pub fn action<P>(code: impl Code<P>) -> Action {
    code.into_action(Position::caller())
}

impl Action {
    /// The same with names for its parameters, for help and messages: Rust forgets those of a closure. Other front ends
    /// know the names of theirs.
    pub fn parameters<const N: usize>(mut self, names: [&str; N]) -> Action {
        if let Some(named) = self.body.named(&names) {
            self.body = named;
        }
        self
    }
}

/// A closure and the types of its parameters.
pub struct Typed<F, P> {
    code: Arc<F>,
    names: Vec<String>,
    parameters: PhantomData<fn(P)>,
}

impl<F, P> Typed<F, P> {
    /// Parameters as help shows them: by type, or by name where names were given.
    fn shown(&self, types: Vec<String>) -> Vec<String> {
        let named = |(i, shown): (usize, String)| match self.names.get(i) {
            None => shown,
            Some(name) if shown.ends_with("...]") => format!("[{name}...]"),
            Some(name) if shown.starts_with('[') => format!("[{name}]"),
            Some(name) => name.clone(),
        };
        types.into_iter().enumerate().map(named).collect()
    }
}

impl<F, P> fmt::Debug for Typed<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closure")
    }
}

/// How the action that runs was called, for messages.
fn called(env: &Env) -> String {
    match env.running() {
        Some(name) if name != DEFAULT_ACTION => name.to_string(),
        _ => env.node().to_string(),
    }
}

macro_rules! code {
    ($($parameter:ident)*) => {
        impl<F, R, $($parameter),*> Code<($($parameter,)*)> for F
        where
            F: Fn(Env, $($parameter),*) -> R + Send + Sync + 'static,
            R: Future + Send + 'static,
            R::Output: IntoValue,
            $($parameter: FromValue,)*
        {
            fn into_body(self) -> Arc<dyn Body> {
                Arc::new(Typed { code: Arc::new(self), names: Vec::new(), parameters: PhantomData::<fn(($($parameter,)*))> })
            }
        }

        impl<F, R, $($parameter),*> Body for Typed<F, ($($parameter,)*)>
        where
            F: Fn(Env, $($parameter),*) -> R + Send + Sync + 'static,
            R: Future + Send + 'static,
            R::Output: IntoValue,
            $($parameter: FromValue,)*
        {
            #[allow(non_snake_case, unused_mut, reason = "one macro for every number of parameters")]
            fn call(&self, env: Env, args: Vec<Value>) -> BoxFuture<'static, Result<Value, ActionError>> {
                let mut arguments = Arguments::new(called(&env), self.shown(vec![$($parameter::shown()),*]), args);
                $(let $parameter = match $parameter::take(&mut arguments) {
                    Ok(value) => value,
                    Err(error) => return Box::pin(ready(Err(error))),
                };)*
                if let Err(error) = arguments.finish() {
                    return Box::pin(ready(Err(error)));
                }
                let running = (self.code)(env, $($parameter),*);
                Box::pin(async move { running.await.into_value() })
            }

            fn parameters(&self) -> Option<Vec<String>> {
                Some(self.shown(vec![$($parameter::shown()),*]))
            }

            fn named(&self, names: &[&str]) -> Option<Arc<dyn Body>> {
                let names = names.iter().map(|name| name.to_string()).collect();
                Some(Arc::new(Typed { code: self.code.clone(), names, parameters: self.parameters }))
            }
        }
    };
}

code!();
code!(A);
code!(A B);
code!(A B C);
code!(A B C D);
code!(A B C D E);
code!(A B C D E G);
