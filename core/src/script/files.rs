//! Files of a host: `host:open`, `:put_file`, `:get_file`, `:stat` and the like (rows F-42 to F-57, F-80). Paths and
//! contents are bytes, as Lua's strings are.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use mlua::{IntoLua, Lua, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::{bytes, text, type_name};
use super::error::{Raised, usage};
use super::run::{LuaHosts, flag, hosts_of, option_table, unknown_option};
use super::shared::{Held, Shared};
use super::{methods, prelude};
use crate::host::HostContainer;
use crate::host::files::{FileOptions, HostFile, OpenMode, Stat};

/// Methods of one host that are about files; also the names of the natives.
pub(super) const METHODS: [&str; 9] =
    ["open", "put_file", "get_file", "stat", "lstat", "listdir", "listdir_stat", "expand_path", "get_home_directory"];

/// Options of `open`.
pub(super) const OPEN_OPTIONS: [&str; 5] = ["use_sudo", "sandbox", "silent", "in_place", "mode"];

/// Options of `put_file` and `get_file`.
pub(super) const TRANSFER_OPTIONS: [&str; 7] =
    ["use_sudo", "sandbox", "silent", "in_place", "mode", "recursive", "preserve"];

/// What a stat has.
pub(super) const STAT_FIELDS: [&str; 10] =
    ["name", "size", "uid", "gid", "mode", "is_file", "is_dir", "is_symlink", "accessed", "modified"];

/// An open file as a Lua value. While a call is under way, the file is out of its slot.
pub(super) struct LuaOpenFile {
    slot: Held<Slot>,
    label: String,
}

type Slot = Mutex<Option<HostFile>>;

impl UserData for LuaOpenFile {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "an open file");
        fields.add_meta_field_with(MetaMethod::Close, |lua| prelude::function(lua, "file_leave"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.label.clone()));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| {
            methods::find(lua, "file", &this.label, &[], &key)
        });
    }
}

fn slot_of(this: &Value, word: &str) -> mlua::Result<Arc<Slot>> {
    let Some(file) = this.as_userdata().and_then(|userdata| userdata.borrow::<LuaOpenFile>().ok()) else {
        return usage(format!("{word} needs an open file in front, as in `file:{word}(...)`; got {}", type_name(this)));
    };
    match file.slot.get() {
        Some(slot) => Ok(slot),
        None => usage(format!("{} belongs to a run that has ended", file.label)),
    }
}

fn take(slot: &Slot) -> mlua::Result<HostFile> {
    match slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(file) => Ok(file),
        None => usage("the file is gone: an error ended the block it was opened for"),
    }
}

fn put_back(slot: &Slot, file: HostFile) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
}

/// What is done with an open file.
enum Act {
    Read(Option<usize>),
    Readline,
    Write(Vec<u8>),
    Close,
}

impl Act {
    async fn on(self, lua: Lua, slot: Arc<Slot>) -> mlua::Result<Value> {
        let mut file = take(&slot)?;
        let done = match self {
            Act::Read(limit) => file.read(limit).await.map(Some),
            Act::Readline => file.readline().await.map(Some),
            Act::Write(content) => file.write(content).await.map(|()| None),
            Act::Close => file.close().await.map(|()| None),
        };
        put_back(&slot, file);
        match done.map_err(Raised::from)? {
            Some(content) => lua.create_string(content).map(Value::String),
            None => Ok(Value::Nil),
        }
    }
}

/// What a method makes of its argument.
type Prepare = fn(Value) -> mlua::Result<Act>;

/// What an open file can do, by name; `lines` is in the prelude.
pub(super) fn methods(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let acts: [(&str, Prepare); 4] = [
        ("read", |limit| match limit {
            Value::Nil => Ok(Act::Read(None)),
            Value::Integer(count) if count >= 0 => Ok(Act::Read(Some(usize::try_from(count).unwrap_or(usize::MAX)))),
            other => usage(format!("how much to read must be a number of bytes, got {}", type_name(&other))),
        }),
        ("readline", |_| Ok(Act::Readline)),
        ("write", |content| match bytes(&content) {
            Some(content) => Ok(Act::Write(content)),
            None => usage(format!("what is written must be text, got {}", type_name(&content))),
        }),
        ("close", |_| Ok(Act::Close)),
    ];
    for (word, prepare) in acts {
        let function = lua.create_async_function(move |lua, (this, argument): (Value, Value)| {
            let prepared = slot_of(&this, word).and_then(|slot| Ok((slot, prepare(argument)?)));
            async move {
                let (slot, act) = prepared?;
                act.on(lua, slot).await
            }
        })?;
        table.raw_set(word, function)?;
    }
    Ok(table)
}

/// A question or a transfer that is ready to begin.
enum Ask {
    Open(PathBuf, OpenMode, FileOptions),
    Put(PathBuf, PathBuf, FileOptions),
    Get(PathBuf, PathBuf, FileOptions),
    Stat(PathBuf),
    Lstat(PathBuf),
    Listdir(Option<PathBuf>),
    ListdirStat(Option<PathBuf>),
    ExpandPath(PathBuf),
    Home(Option<String>),
}

impl Ask {
    fn of(word: &str, first: Value, second: Value, options: Value) -> mlua::Result<Ask> {
        let optional = |value: Value| match value {
            Value::Nil => Ok(None),
            path => path_of(&path, word).map(Some),
        };
        Ok(match word {
            "open" => Ask::Open(path_of(&first, word)?, mode(&second)?, options_of(options, word, &OPEN_OPTIONS)?),
            "put_file" => {
                let options = options_of(options, word, &TRANSFER_OPTIONS)?;
                Ask::Put(path_of(&first, word)?, path_of(&second, word)?, options)
            }
            "get_file" => {
                let options = options_of(options, word, &TRANSFER_OPTIONS)?;
                Ask::Get(path_of(&first, word)?, path_of(&second, word)?, options)
            }
            "stat" => Ask::Stat(path_of(&first, word)?),
            "lstat" => Ask::Lstat(path_of(&first, word)?),
            "listdir" => Ask::Listdir(optional(first)?),
            "listdir_stat" => Ask::ListdirStat(optional(first)?),
            "expand_path" => Ask::ExpandPath(path_of(&first, word)?),
            _ => Ask::Home(match first {
                Value::Nil => None,
                user => Some(text(&user, "the name of a user")?),
            }),
        })
    }

    async fn answer(self, lua: &Lua, host: &HostContainer) -> mlua::Result<Value> {
        match self {
            Ask::Open(path, mode, options) => {
                let file = host.open(&path, mode, &options).await.map_err(Raised::from)?;
                let label = format!("<file {} on {}>", file.path().display(), host.slug());
                let slot = Shared::of(lua)?.hold(Mutex::new(Some(file)));
                LuaOpenFile { slot, label }.into_lua(lua)
            }
            Ask::Put(local, remote, options) => {
                host.put_file(&local, &remote, &options).await.map_err(Raised::from)?;
                Ok(Value::Nil)
            }
            Ask::Get(remote, local, options) => {
                host.get_file(&remote, &local, &options).await.map_err(Raised::from)?;
                Ok(Value::Nil)
            }
            Ask::Stat(path) => stat(lua, host.stat(&path).await.map_err(Raised::from)?),
            Ask::Lstat(path) => stat(lua, host.lstat(&path).await.map_err(Raised::from)?),
            Ask::Listdir(path) => match host.listdir(path.as_deref()).await.map_err(Raised::from)? {
                Some(names) => {
                    let names = names.into_iter().map(|name| lua.create_string(name.into_vec()));
                    lua.create_sequence_from(names.collect::<mlua::Result<Vec<_>>>()?).map(Value::Table)
                }
                None => Ok(Value::Nil),
            },
            Ask::ListdirStat(path) => match host.listdir_stat(path.as_deref()).await.map_err(Raised::from)? {
                Some(entries) => {
                    let entries = entries.into_iter().map(|entry| stat(lua, Some(entry)));
                    lua.create_sequence_from(entries.collect::<mlua::Result<Vec<_>>>()?).map(Value::Table)
                }
                None => Ok(Value::Nil),
            },
            Ask::ExpandPath(path) => path_value(lua, host.expand_path(&path).await.map_err(Raised::from)?),
            Ask::Home(user) => path_value(lua, host.get_home_directory(user.as_deref()).await.map_err(Raised::from)?),
        }
    }
}

fn path_value(lua: &Lua, path: Option<PathBuf>) -> mlua::Result<Value> {
    path.map_or(Ok(Value::Nil), |path| lua.create_string(path.into_os_string().into_vec()).map(Value::String))
}

fn path_of(value: &Value, word: &str) -> mlua::Result<PathBuf> {
    match bytes(value) {
        Some(path) => Ok(PathBuf::from(OsString::from_vec(path))),
        None => usage(format!("a path of {word} must be text, got {}", type_name(value))),
    }
}

fn mode(value: &Value) -> mlua::Result<OpenMode> {
    let letters = match value {
        Value::Nil => return Ok(OpenMode::Read),
        letters => text(letters, "the mode of open")?,
    };
    match OpenMode::of(&letters) {
        Some(mode) => Ok(mode),
        None => usage(format!("the mode of open is \"r\", \"w\" or \"a\", got \"{letters}\"")),
    }
}

fn options_of(options: Value, word: &str, known: &[&str]) -> mlua::Result<FileOptions> {
    let mut parsed = FileOptions::default();
    for (key, value) in option_table(options, word)? {
        match key.as_str() {
            "resume" => {
                return usage(format!(
                    "{word} does not go on with half a transfer: it begins anew, and the file takes its name when it is whole"
                ));
            }
            key if !known.contains(&key) => return unknown_option(word, key, known),
            "use_sudo" => parsed.use_sudo = flag(&key, &value)?,
            "sandbox" => parsed.sandbox = Some(flag(&key, &value)?),
            "silent" => parsed.silent = flag(&key, &value)?,
            "in_place" => parsed.in_place = flag(&key, &value)?,
            "recursive" => parsed.recursive = flag(&key, &value)?,
            "preserve" => parsed.preserve = flag(&key, &value)?,
            _ => parsed.mode = Some(permissions(&value)?),
        }
    }
    Ok(parsed)
}

/// Lua has no octal numbers, so they are text: `mode = "640"`.
fn permissions(value: &Value) -> mlua::Result<u32> {
    let digits = text(value, "mode")?;
    match u32::from_str_radix(&digits, 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => usage(format!("mode must be octal digits as in \"640\", got \"{digits}\"")),
    }
}

fn stat(lua: &Lua, stat: Option<Stat>) -> mlua::Result<Value> {
    let Some(stat) = stat else { return Ok(Value::Nil) };
    let table = lua.create_table()?;
    for field in STAT_FIELDS {
        let value = match field {
            "name" => Value::String(lua.create_string(stat.name.as_bytes())?),
            "size" => stat.size.into_lua(lua)?,
            "uid" => stat.uid.into_lua(lua)?,
            "gid" => stat.gid.into_lua(lua)?,
            "mode" => format!("{:o}", stat.mode).into_lua(lua)?,
            "is_file" => Value::Boolean(stat.is_file()),
            "is_dir" => Value::Boolean(stat.is_dir()),
            "is_symlink" => Value::Boolean(stat.is_symlink()),
            "accessed" => stat.accessed.into_lua(lua)?,
            _ => stat.modified.into_lua(lua)?,
        };
        table.raw_set(field, value)?;
    }
    Ok(Value::Table(table))
}

/// Puts them among the natives of the prelude: `files_open` and so on.
pub(super) fn install(lua: &Lua, native: &Table) -> mlua::Result<()> {
    for word in METHODS {
        let function = lua.create_async_function(move |lua, args: (Value, Value, Value, Value)| {
            let (this, first, second, options) = args;
            let prepared = hosts_of(&this, word).and_then(|hosts| match hosts {
                LuaHosts::One(host) => Ok((host, Ask::of(word, first, second, options)?)),
                LuaHosts::Many(_) => usage(format!("{word} is for one host, as in `self.hosts[1]:{word}(...)`")),
            });
            async move {
                let (host, ask) = prepared?;
                ask.answer(&lua, &host).await
            }
        })?;
        native.raw_set(format!("files_{word}"), function)?;
    }
    // What an error leaves behind is not written.
    let drop_file = lua.create_function(|_, this: Value| {
        let slot = slot_of(&this, "close")?;
        if let Some(file) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
            file.discard_later();
        }
        Ok(())
    })?;
    native.raw_set("drop_file", drop_file)
}
