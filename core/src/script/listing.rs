//! What a script shows on the terminal by way of its console: columns, pages, progress (rows I-20, I-22, I-24 to I-27).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mlua::{IntoLua, Lua, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::console::env_of_console;
use super::convert::{text, type_name};
use super::error::usage;
use super::prelude;
use super::run::{flag, option_table, unknown_option};
use super::shared::{Held, Shared};
use crate::console::{ProgressBar, ProgressLook, in_columns, page};
use crate::env::Env;

/// A progress bar as a Lua value. While a call is under way, the bar is out of its slot.
struct LuaProgress(Held<Slot>);

type Slot = Mutex<Option<ProgressBar>>;

impl UserData for LuaProgress {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a progress bar");
        fields.add_meta_field_with(MetaMethod::Close, |lua| prelude::function(lua, "progress_leave"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Index, |lua, _, key: Value| {
            super::methods::find(lua, "progress", "a progress bar", &[], &key)
        });
    }
}

/// Puts columns and pages among the methods of a console.
pub(super) fn install(lua: &Lua, methods: &Table) -> mlua::Result<()> {
    methods.raw_set("in_columns", lua.create_function(columns)?)?;
    let lesspipe = lua.create_async_function(|_, (this, lines): (Value, Value)| {
        let prepared = env_of_console(&this, "lesspipe").and_then(|env| Ok((env, lines_of(&lines, "lesspipe")?)));
        async move {
            let (env, lines) = prepared?;
            let text: String = lines.into_iter().map(|line| line + "\n").collect();
            shown(page(&env.context().terminal, &text).await)
        }
    })?;
    methods.raw_set("lesspipe", lesspipe)
}

/// Puts what the prelude makes progress bars of among its natives.
pub(super) fn natives(lua: &Lua, native: &Table) -> mlua::Result<()> {
    for (word, steps) in [("progress_bar", false), ("progress_bar_with_steps", true)] {
        let open = lua.create_async_function(move |lua, (this, message, options): (Value, Value, Value)| {
            let prepared = prepare(word, steps, &this, &message, options);
            async move {
                let (env, message, look) = prepared?;
                match ProgressBar::begin(env.context().terminal.clone(), &message, look).await {
                    Ok(bar) => LuaProgress(Shared::of(&lua)?.hold(Mutex::new(Some(bar)))).into_lua(&lua),
                    Err(why) => usage(why),
                }
            }
        })?;
        native.raw_set(format!("open_{word}"), open)?;
    }
    let end = lua.create_async_function(|_, (this, well): (Value, bool)| {
        let prepared = slot_of(&this, "progress_bar");
        async move {
            let slot = prepared?;
            let bar = take(&slot);
            if let Some(mut bar) = bar {
                bar.finish(well).await;
            }
            Ok(())
        }
    })?;
    native.raw_set("end_progress", end)
}

/// What can be done with a progress bar, by name.
pub(super) fn methods(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let next = lua.create_async_function(|_, this: Value| {
        let prepared = slot_of(&this, "next");
        async move { with_bar(&*prepared?, async |bar| bar.next().await).await }
    })?;
    table.raw_set("next", next)?;
    let set = lua.create_async_function(|_, (this, count, options): (Value, Value, Value)| {
        let prepared = slot_of(&this, "set_progress").and_then(|slot| {
            let count = count_of(&count, "the count of set_progress")?;
            let mut rewrite = true;
            for (key, value) in option_table(options, "set_progress")? {
                match key.as_str() {
                    "rewrite" => rewrite = flag(&key, &value)?,
                    _ => return unknown_option("set_progress", &key, &["rewrite"]),
                }
            }
            Ok((slot, count, rewrite))
        });
        async move {
            let (slot, count, rewrite) = prepared?;
            with_bar(&slot, async |bar| bar.set_progress(count, rewrite).await).await
        }
    })?;
    table.raw_set("set_progress", set)?;
    Ok(table)
}

async fn with_bar(slot: &Slot, work: impl AsyncFnOnce(&mut ProgressBar)) -> mlua::Result<()> {
    let Some(mut bar) = take(slot) else { return usage("this progress bar has ended") };
    work(&mut bar).await;
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    Ok(())
}

fn take(slot: &Slot) -> Option<ProgressBar> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn slot_of(this: &Value, word: &str) -> mlua::Result<Arc<Slot>> {
    match this.as_userdata().and_then(|userdata| userdata.borrow::<LuaProgress>().ok()) {
        Some(bar) => match bar.0.get() {
            Some(slot) => Ok(slot),
            None => usage("this progress bar belongs to a run that has ended"),
        },
        None => usage(format!("{word} needs a progress bar in front, as in `bar:{word}()`; got {}", type_name(this))),
    }
}

/// `:progress_bar(message, { expected, clear_on_finish, format })`, `:progress_bar_with_steps(message, { steps, format })`.
fn prepare(
    word: &'static str,
    with_steps: bool,
    this: &Value,
    message: &Value,
    options: Value,
) -> mlua::Result<(Env, String, ProgressLook)> {
    let env = env_of_console(this, word)?;
    let message = text(message, &format!("the message of {word}"))?;
    let mut look = ProgressLook::default();
    for (key, value) in option_table(options, word)? {
        match (key.as_str(), with_steps) {
            ("expected", false) if value.is_nil() => {}
            ("expected", false) => look.expected = Some(count_of(&value, "expected")?),
            ("steps", true) => look.steps = steps_of(&value)?,
            ("clear_on_finish", _) => look.clear_on_finish = flag(&key, &value)?,
            ("format", _) => look.format = Some(text(&value, "format")?),
            (_, true) => return unknown_option(word, &key, &["steps", "clear_on_finish", "format"]),
            (_, false) => return unknown_option(word, &key, &["expected", "clear_on_finish", "format"]),
        }
    }
    if with_steps && look.steps.is_empty() {
        return usage("progress_bar_with_steps needs steps, as in `{ steps = { \"resolve\", \"connect\" } }`");
    }
    Ok((env, message, look))
}

fn steps_of(value: &Value) -> mlua::Result<BTreeMap<u64, String>> {
    let Value::Table(table) = value else {
        return usage(format!("steps are a table of numbers and texts, got {}", type_name(value)));
    };
    table
        .pairs::<Value, Value>()
        .map(|pair| {
            let (number, what) = pair?;
            Ok((count_of(&number, "a step")?, text(&what, "what is done in a step")?))
        })
        .collect()
}

fn count_of(value: &Value, what: &str) -> mlua::Result<u64> {
    let count = match value {
        Value::Integer(count) => u64::try_from(*count).ok(),
        Value::Number(count) if *count >= 0.0 && count.fract() == 0.0 && *count < 9e15 => Some(*count as u64),
        _ => None,
    };
    match count {
        Some(count) => Ok(count),
        None => usage(format!("{what} must be a whole number from 0 on, got {}", type_name(value))),
    }
}

/// `:in_columns(items, { margin_left = 0 })`: a list of lines.
fn columns(lua: &Lua, (this, items, options): (Value, Value, Value)) -> mlua::Result<Table> {
    let env = env_of_console(&this, "in_columns")?;
    let items = lines_of(&items, "in_columns")?;
    let mut margin = 0;
    for (key, value) in option_table(options, "in_columns")? {
        match key.as_str() {
            "margin_left" => margin = usize::try_from(count_of(&value, "margin_left")?).unwrap_or(0).min(1000),
            _ => return unknown_option("in_columns", &key, &["margin_left"]),
        }
    }
    let width = usize::from(env.context().terminal.size().borrow().cols);
    lua.create_sequence_from(in_columns(&items, width, margin))
}

/// A list of texts, or one text of several lines.
fn lines_of(value: &Value, word: &str) -> mlua::Result<Vec<String>> {
    match value {
        Value::Table(list) => list.sequence_values::<Value>().map(|line| text(&line?, "a line")).collect(),
        Value::String(lines) => Ok(lines.to_string_lossy().lines().map(str::to_string).collect()),
        other => usage(format!("{word} takes a list of texts, got {}", type_name(other))),
    }
}

fn shown(shown: std::io::Result<()>) -> mlua::Result<()> {
    match shown {
        Ok(()) => Ok(()),
        Err(error) => usage(format!("cannot show it: {error}")),
    }
}
