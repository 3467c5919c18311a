//! `self.console`: questions to the operator (section I). Those of parallel cells come one after the other, each with
//! the cell in front.

use mlua::{IntoLua, Lua, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};
use rand::seq::IndexedRandom;
use zeroize::Zeroizing;

use super::convert::{text, type_name};
use super::error::{Raised, usage};
use super::run::{flag, option_table, unknown_option};
use super::shared::{Held, Shared};
use super::{listing, methods, selection};
use crate::env::{ActionError, Cause, Env};
use crate::host::{NoAnswer, Question, QuestionKind};
use crate::terminal::style::{Style, escaped};

/// The word that leaves a choice to chance.
const RANDOM: &str = "random";

/// The console of an Env as a Lua value.
pub(super) struct LuaConsole {
    env: Held<Env>,
    label: String,
}

/// A question, and what its answers mean.
pub(super) struct Asked {
    env: Env,
    question: Question,
    /// Answer and value; empty when the answer itself is the value.
    values: Vec<(String, Value)>,
    /// The answer where nobody can be asked.
    default: Option<String>,
}

impl LuaConsole {
    pub(super) fn new(lua: &Lua, env: Env) -> mlua::Result<LuaConsole> {
        let label = format!("<console of {}>", env.node());
        Ok(LuaConsole { env: Shared::of(lua)?.hold(env), label })
    }

    fn env(&self) -> mlua::Result<Env> {
        match self.env.get() {
            Some(env) => Ok(Env::clone(&env)),
            None => usage(format!("{} belongs to a run that has ended", self.label)),
        }
    }
}

impl UserData for LuaConsole {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a console");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.label.clone()));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| match &key {
            Value::String(name) if name.as_bytes() == b"is_interactive" => {
                this.env()?.context().asker.attended().into_lua(lua)
            }
            key => methods::find(lua, "console", "the console", &["is_interactive"], key),
        });
    }
}

pub(super) fn env_of_console(value: &Value, word: &str) -> mlua::Result<Env> {
    match value.as_userdata().and_then(|userdata| userdata.borrow::<LuaConsole>().ok()) {
        Some(console) => console.env(),
        None => usage(format!(
            "{word} needs a console in front, as in `self.console:{word}(...)`; got {}",
            type_name(value)
        )),
    }
}

/// What a method makes of its arguments.
type Prepare = fn((Value, Value, Value, Value)) -> mlua::Result<Asked>;

/// What a console can do, by name.
pub(super) fn methods(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let questions: [(&str, Prepare); 3] = [("confirm", confirm), ("input", input), ("choice", choice)];
    for (name, prepare) in questions {
        let function = lua.create_async_function(move |lua, args: (Value, Value, Value, Value)| {
            let prepared = prepare(args);
            async move { prepared?.answer(&lua).await }
        })?;
        table.raw_set(name, function)?;
    }
    table.raw_set("warning", lua.create_async_function(warning)?)?;
    selection::install(lua, &table)?;
    listing::install(lua, &table)?;
    Ok(table)
}

impl Asked {
    fn new(env: Env, prompt: String, kind: QuestionKind) -> Asked {
        let label = env.node().cell_label();
        Asked {
            env,
            question: Question { label, notice: String::new(), prompt, kind },
            values: Vec::new(),
            default: None,
        }
    }

    /// Asks, unless the run is cancelled first.
    pub(super) async fn answer(self, lua: &Lua) -> mlua::Result<Value> {
        let context = self.env.context();
        let prompt = self.question.prompt.clone();
        let answer = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(Raised::interrupted().into()),
            answer = context.asker.ask(self.question) => answer,
        };
        let answer: Zeroizing<String> = match (answer, self.default) {
            (Ok(answer), _) => answer.0,
            (Err(NoAnswer::NobodyThere), Some(default)) => Zeroizing::new(default),
            (Err(why), _) => return Err(Raised::from(no_answer(prompt, why)).into()),
        };
        if self.values.is_empty() {
            return answer.as_str().into_lua(lua);
        }
        if *answer == RANDOM && !self.values.iter().any(|(word, _)| word == RANDOM) {
            let chosen = self.values.choose(&mut rand::rng());
            return Ok(chosen.map_or(Value::Nil, |(_, value)| value.clone()));
        }
        Ok(self.values.into_iter().find(|(word, _)| *word == *answer).map_or(Value::Nil, |(_, value)| value))
    }
}

/// Row K-15.
pub(super) fn no_answer(question: String, why: NoAnswer) -> ActionError {
    ActionError::new(Cause::NoInput { question, why })
}

/// `:confirm(question, { default = true })` (row I-19).
fn confirm((this, question, options, _): (Value, Value, Value, Value)) -> mlua::Result<Asked> {
    let env = env_of_console(&this, "confirm")?;
    let question = text(&question, "the question of confirm")?;
    let mut default = None;
    for (key, value) in option_table(options, "confirm")? {
        match key.as_str() {
            "default" => default = Some(if flag(&key, &value)? { "yes" } else { "no" }.to_string()),
            _ => return unknown_option("confirm", &key, &["default"]),
        }
    }
    let kind = match &default {
        None => QuestionKind::Confirm,
        Some(_) => {
            QuestionKind::Choice { options: ["yes", "no"].map(str::to_string).to_vec(), default: default.clone() }
        }
    };
    let values = vec![("yes".to_string(), Value::Boolean(true)), ("no".to_string(), Value::Boolean(false))];
    Ok(Asked { values, default, ..Asked::new(env, question, kind) })
}

const INPUT_OPTIONS: [&str; 3] = ["is_password", "answers", "default"];

/// `:input(label, { is_password, answers, default })` (rows I-02..I-07).
fn input((this, label, options, _): (Value, Value, Value, Value)) -> mlua::Result<Asked> {
    let env = env_of_console(&this, "input")?;
    let label = text(&label, "the label of input")?;
    let (mut secret, mut answers, mut default) = (false, None, None);
    for (key, value) in option_table(options, "input")? {
        match key.as_str() {
            "is_password" => secret = flag(&key, &value)?,
            "answers" => answers = Some(words(&value)?),
            "default" => default = Some(text(&value, "default")?),
            _ => return unknown_option("input", &key, &INPUT_OPTIONS),
        }
    }
    match (secret, answers, default) {
        (false, None, None) => Ok(Asked::new(env, label, QuestionKind::Line)),
        (true, None, None) => Ok(Asked::new(env, label, QuestionKind::Secret)),
        (true, ..) => usage("a password has neither answers nor a default"),
        (false, None, Some(_)) => usage("the default of input is one of its answers: give `answers` too"),
        (false, Some(answers), default) => {
            let values = answers.into_iter().map(|(word, value)| (word.to_lowercase(), value)).collect();
            let default = default.map(|word| word.to_lowercase());
            of_words(env, label, values, default)
        }
    }
}

/// Words and what they stand for: themselves.
fn words(value: &Value) -> mlua::Result<Vec<(String, Value)>> {
    let Value::Table(list) = value else {
        return usage(format!("answers must be a list of words, got {}", type_name(value)));
    };
    list.sequence_values::<Value>()
        .map(|word| {
            let word = word?;
            Ok((text(&word, "an answer")?, word))
        })
        .collect()
}

pub(super) fn of_words(
    env: Env,
    prompt: String,
    values: Vec<(String, Value)>,
    default: Option<String>,
) -> mlua::Result<Asked> {
    let options: Vec<String> = values.iter().map(|(word, _)| word.clone()).collect();
    if options.is_empty() {
        return usage(format!("there is nothing to choose from: {prompt}"));
    }
    if let Some(twice) = options.iter().enumerate().find(|(i, word)| options[..*i].contains(word)) {
        return usage(format!("the answer '{}' is there twice", twice.1));
    }
    if let Some(default) = default.as_ref().filter(|word| !options.contains(word)) {
        return usage(format!("the default '{default}' is not among the answers: {}", options.join(", ")));
    }
    let kind = QuestionKind::Choice { options, default: default.clone() };
    Ok(Asked { values, default, ..Asked::new(env, prompt, kind) })
}

/// `:choice(question, { "a", "b" }, { default, allow_random })`, or pairs `{ "name", value }`; numbered from 1, in the
/// order given (rows I-12..I-17 with design 8).
fn choice((this, question, options, settings): (Value, Value, Value, Value)) -> mlua::Result<Asked> {
    let env = env_of_console(&this, "choice")?;
    let question = text(&question, "the question of choice")?;
    let options = named_values(&options)?;
    let (mut default, mut random) = (None, false);
    for (key, value) in option_table(settings, "choice")? {
        match key.as_str() {
            "default" => default = Some(value),
            "allow_random" => random = flag(&key, &value)?,
            _ => return unknown_option("choice", &key, &["default", "allow_random"]),
        }
    }
    of_options(env, question, options, default.as_ref(), random)
}

/// The choice of a value by number.
pub(super) fn of_options(
    env: Env,
    question: String,
    options: Vec<(String, Value)>,
    default: Option<&Value>,
    random: bool,
) -> mlua::Result<Asked> {
    if options.is_empty() {
        return Err(Raised::from(no_answer(question, NoAnswer::NobodyThere)).into());
    }
    let notice = options.iter().enumerate().map(|(i, (name, _))| format!("{}) {name}\n", i + 1)).collect();
    let number_of = |wanted: &Value| match options.iter().position(|(_, value)| value == wanted) {
        Some(index) => Ok((index + 1).to_string()),
        None => usage("the default of choice is not among the values of its options"),
    };
    let mut default = default.map(number_of).transpose()?;
    let mut offered: Vec<String> = (1..=options.len()).map(|number| number.to_string()).collect();
    if random {
        if default.is_some() {
            return usage("choice has a default or allow_random, not both");
        }
        offered.push(RANDOM.to_string());
        default = Some(RANDOM.to_string());
    }
    let values = offered.iter().cloned().zip(options.into_iter().map(|(_, value)| value)).collect();
    let kind = QuestionKind::Choice { options: offered, default: default.clone() };
    let mut asked = Asked { values, default, ..Asked::new(env, question, kind) };
    asked.question.notice = notice;
    Ok(asked)
}

fn named_values(options: &Value) -> mlua::Result<Vec<(String, Value)>> {
    let Value::Table(list) = options else {
        return usage(format!("the options of choice are a list, got {}", type_name(options)));
    };
    list.sequence_values::<Value>()
        .map(|option| match option? {
            Value::Table(pair) => {
                let name: Value = pair.raw_get(1)?;
                Ok((text(&name, "the name of an option of choice")?, pair.raw_get(2)?))
            }
            word => Ok((text(&word, "an option of choice")?, word)),
        })
        .collect()
}

/// `:warning(text)` (row I-23).
fn warning(_: Lua, (this, message): (Value, Value)) -> impl Future<Output = mlua::Result<()>> + Send {
    let prepared = env_of_console(&this, "warning").and_then(|env| Ok((env, text(&message, "a warning")?)));
    async move {
        let (env, message) = prepared?;
        let terminal = &env.context().terminal;
        let line = Style::Yellow.paint(terminal.colour(), &format!("*** {} ***", escaped(&message)));
        match terminal.print(&format!("{line}\n")).await {
            Ok(()) => Ok(()),
            Err(error) => usage(format!("cannot show the warning: {error}")),
        }
    }
}
