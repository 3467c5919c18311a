//! The class model, shown by example.
#![allow(clippy::unwrap_used)]

mod cells;
mod classes;
mod overrides;
mod roles;

use super::*;
use crate::value::Value;

/// A host that is never contacted.
pub(crate) fn host(slug: &str) -> HostDef {
    HostDef::new(HostKind::Local, HostSettings { slug: slug.to_string(), ..HostSettings::default() })
}

pub(crate) fn hosts<const N: usize>(slugs: [&str; N]) -> [HostDef; N] {
    slugs.map(host)
}

pub(crate) fn text(text: &str) -> Member {
    Member::Value(Value::from(text))
}

pub(crate) fn child(class: &Class) -> Member {
    Member::Child(class.clone())
}

/// A class from members in a row.
pub(crate) fn class(base: &Class, name: &str, members: &[(&str, Member)]) -> Class {
    try_class(base, name, members).unwrap()
}

pub(crate) fn try_class(base: &Class, name: &str, members: &[(&str, Member)]) -> Result<Class, ClassError> {
    let builder = base.extend(name);
    members.iter().fold(builder, |b, (name, member)| b.member(name, member.clone(), None)).build()
}

pub(crate) fn own(roles: Roles) -> HostSource {
    HostSource::Own(roles)
}

/// The value of a plain member, as it prints.
pub(crate) fn value(class: &Class, path: &str) -> String {
    let (children, name) = path.rsplit_once('.').map_or((None, path), |(children, name)| (Some(children), name));
    let mut class = class.clone();
    for step in children.into_iter().flat_map(|path| path.split('.')) {
        let Some(Member::Child(next)) = class.member(step) else { panic!("no child {step} in {class}") };
        class = next;
    }
    match class.member(name) {
        Some(Member::Value(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}

pub(crate) fn slugs(hosts: &[HostDef]) -> Vec<&str> {
    hosts.iter().map(HostDef::slug).collect()
}
