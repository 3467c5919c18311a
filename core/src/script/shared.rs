//! What the Rust side keeps for one Lua state: the calls under way, values that must not outlive them, limits.
//!
//! Lua values never own a node directly. A node keeps its deployment file's state alive, so a node inside that state
//! would keep it alive for ever; [`Shared::hold`] keeps such values here instead and lets go of them when the last
//! call has ended.

use std::any::Any;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use mlua::Lua;

use super::chunks::Chunks;
use super::error::{Raised, TOO_MUCH_MEMORY, usage};
use super::frames;
use super::load::MEMORY_MAX;
use crate::env::Env;
use crate::node::Position;
use crate::options::Settings;

/// What is kept for one Lua state.
pub(super) struct Shared {
    pub(super) chunks: Mutex<Chunks>,
    settings: Mutex<Settings>,
    held: Mutex<HashMap<u64, Arc<dyn Any + Send + Sync>>>,
    calls: Mutex<Calls>,
    deadline: Mutex<Option<Instant>>,
    numbers: AtomicU64,
    /// Bytes that values outside of the state took while it was loaded.
    charged: AtomicUsize,
    /// Where loading was when the clock was looked at last.
    loading: Mutex<Option<Position>>,
}

#[derive(Default)]
struct Calls {
    by_number: HashMap<u64, Call>,
    /// Which call a coroutine belongs to, by the coroutine's address.
    by_thread: HashMap<usize, u64>,
}

/// One action, property or default action that is running.
struct Call {
    env: Env,
    /// Its coroutine, once that runs.
    thread: Option<usize>,
    /// Where the last method was looked up: the line of a tail call, which Lua itself forgets.
    last: Option<Position>,
}

/// A value kept in [`Shared`] until the last call ends or this is dropped.
pub(super) struct Held<T> {
    number: u64,
    shared: Weak<Shared>,
    kind: PhantomData<fn() -> T>,
}

/// Ends a call when dropped.
pub(super) struct CallGuard {
    pub(super) number: u64,
    shared: Arc<Shared>,
}

impl Shared {
    pub(super) fn new(chunks: Chunks) -> Arc<Shared> {
        Arc::new(Shared {
            chunks: Mutex::new(chunks),
            settings: Mutex::default(),
            held: Mutex::default(),
            calls: Mutex::default(),
            deadline: Mutex::default(),
            numbers: AtomicU64::new(1),
            charged: AtomicUsize::new(0),
            loading: Mutex::default(),
        })
    }

    /// What is kept for this state.
    pub(super) fn of(lua: &Lua) -> mlua::Result<Arc<Shared>> {
        let shared = lua.app_data_ref::<Arc<Shared>>().map(|shared| Arc::clone(&shared));
        shared.ok_or_else(|| Raised::usage("this Lua state runs no deployment file").into())
    }

    /// A number that no other has.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn chunks(&self) -> MutexGuard<'_, Chunks> {
        lock(&self.chunks)
    }

    /// What the file says about options.
    pub(super) fn settings(&self) -> MutexGuard<'_, Settings> {
        lock(&self.settings)
    }

    /// Keeps a value for a Lua object that stands for it.
    pub(super) fn hold<T: Send + Sync + 'static>(self: &Arc<Shared>, value: T) -> Held<T> {
        let number = self.number();
        lock(&self.held).insert(number, Arc::new(value));
        Held { number, shared: Arc::downgrade(self), kind: PhantomData }
    }

    /// Begins a call for `env`.
    pub(super) fn begin(self: &Arc<Shared>, env: Env) -> CallGuard {
        let number = self.number();
        lock(&self.calls).by_number.insert(number, Call { env, thread: None, last: None });
        CallGuard { number, shared: self.clone() }
    }

    /// The current coroutine runs this call.
    pub(super) fn enter(&self, lua: &Lua, number: u64) {
        let thread = thread_address(lua);
        let mut calls = lock(&self.calls);
        if let Some(call) = calls.by_number.get_mut(&number) {
            call.thread = Some(thread);
            calls.by_thread.insert(thread, number);
        }
    }

    /// The Env whose action runs now; `None` while the file is loaded.
    pub(super) fn env(&self, lua: &Lua) -> Option<Env> {
        self.with_call(lua, |call| call.env.clone())
    }

    /// Remembers where the running action looked something up.
    pub(super) fn passed(&self, lua: &Lua, position: Position) {
        self.with_call(lua, |call| call.last = Some(position));
    }

    /// Where the running action looked something up last.
    pub(super) fn last_passed(&self, lua: &Lua) -> Option<Position> {
        self.with_call(lua, |call| call.last.clone()).flatten()
    }

    fn with_call<R>(&self, lua: &Lua, f: impl FnOnce(&mut Call) -> R) -> Option<R> {
        let thread = thread_address(lua);
        let mut calls = lock(&self.calls);
        let number = *calls.by_thread.get(&thread)?;
        calls.by_number.get_mut(&number).map(f)
    }

    /// Runs code that has no call around it, for at most this long.
    pub(super) fn limited<R>(&self, limit: Duration, f: impl FnOnce() -> R) -> R {
        let before = lock(&self.deadline).replace(Instant::now() + limit);
        let result = f();
        *lock(&self.deadline) = before;
        result
    }

    /// Counts what the framework keeps for a file that is being loaded: hosts, classes and queries are not in Lua's
    /// memory, but they are the file's.
    ///
    /// # Errors
    /// When it is too much.
    pub(super) fn charge(lua: &Lua, bytes: usize) -> mlua::Result<()> {
        let shared = Shared::of(lua)?;
        if lock(&shared.deadline).is_none() {
            return Ok(());
        }
        // Where natives take the time, instructions are few and the hook is late.
        if let Some(raised) = shared.must_stop(lua) {
            return Err(raised.into());
        }
        let charged = shared.charged.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if charged.saturating_add(lua.used_memory()) > MEMORY_MAX { usage(TOO_MUCH_MEMORY) } else { Ok(()) }
    }

    /// The line that ran when the clock was looked at last, while the file was loaded.
    pub(super) fn last_loaded(&self) -> Option<Position> {
        lock(&self.loading).clone()
    }

    /// Why the running code must stop, if it must.
    pub(super) fn must_stop(&self, lua: &Lua) -> Option<Raised> {
        match self.env(lua) {
            Some(env) => env.context().cancel.is_cancelled().then(Raised::interrupted),
            None => {
                *lock(&self.loading) = frames::here(lua);
                let late = lock(&self.deadline).is_some_and(|deadline| Instant::now() > deadline);
                late.then(|| Raised::usage("took too long: is there a loop that never ends?"))
            }
        }
    }
}

impl<T: Send + Sync + 'static> Held<T> {
    /// The value, unless the run it came from has ended.
    pub(super) fn get(&self) -> Option<Arc<T>> {
        let shared = self.shared.upgrade()?;
        let value = lock(&shared.held).get(&self.number).cloned();
        value.and_then(|value| value.downcast().ok())
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        // The value goes after the lock: it may own more of these.
        let _value = self.shared.upgrade().and_then(|shared| lock(&shared.held).remove(&self.number));
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        let mut calls = lock(&self.shared.calls);
        let ended = calls.by_number.remove(&self.number);
        if let Some(thread) = ended.as_ref().and_then(|call| call.thread) {
            calls.by_thread.remove(&thread);
        }
        let last = calls.by_number.is_empty();
        drop(calls);
        drop(ended);
        if last {
            let held = std::mem::take(&mut *lock(&self.shared.held));
            drop(held);
        }
    }
}

/// `Lua::current_thread` names the thread that began a chain of asynchronous calls, the same for all; this is the
/// coroutine itself.
fn thread_address(lua: &Lua) -> usize {
    lua.state() as usize
}

/// A panic elsewhere leaves these maps whole: each change is one insertion or removal.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
